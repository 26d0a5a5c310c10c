from oneapi.catalog.public.abilities import known, longest_output
from oneapi.catalog.public.prices import public_price
from oneapi.catalog.public.view import PublicAbilities
from oneapi.catalog.types import Channel, ChannelLimits, Price, PriceVersion

NOTHING = PublicAbilities()


def channel(**fields: object) -> Channel:
    settings: dict[str, object] = {"id": "c", "name": "c", "provider": "openai", "models": ("m",)}
    settings |= {"dialects": ("openai_responses", "openai_chat")} | fields
    return Channel(**settings)  # type: ignore[arg-type]


def test_what_is_written_down_of_a_model() -> None:
    found = known(channel(), "gpt-5", None)
    assert found.features == ("reasoning", "tools", "web_search")
    assert found.reasoning_efforts == ("minimal", "low", "medium", "high")


def test_what_nobody_wrote_down_is_not_known() -> None:
    assert known(channel(), "text-embedding-3-small", None) == NOTHING
    assert known(channel(provider="openai-compatible", dialects=("openai_chat",)), "gpt-5", None) == NOTHING


def test_a_mapped_model_is_what_it_is_upstream() -> None:
    mapped = channel(model_mapping={"clever": "gpt-5", "gpt-5": "unheard-of"})
    assert "reasoning" in known(mapped, "clever", None).features
    assert known(mapped, "gpt-5", None) == NOTHING


def test_modalities_that_the_channel_or_the_price_tells() -> None:
    only = known(channel(endpoints=("embeddings",), dialects=()), "m", None)
    assert (only.input_modalities, only.output_modalities) == (("text",), ("embeddings",))
    version = PriceVersion(id="p", effective_from_ms=0, rates={"audio_input": 1, "image_output": 1})
    priced = known(channel(), "m", public_price(Price(model="m", versions=(version,)), 0))
    assert (priced.input_modalities, priced.output_modalities) == (("audio",), ("image",))


def test_the_longest_output_is_the_lowest_bound() -> None:
    claude = {"provider": "anthropic", "dialects": ("anthropic_messages",)}
    assert longest_output(channel(**claude), "claude-3-5-sonnet-20241022") == 8_192
    limits = ChannelLimits(max_output_tokens=100)
    assert longest_output(channel(**claude, limits=limits), "claude-3-5-sonnet-20241022") == 100
    assert longest_output(channel(), "m") is None
