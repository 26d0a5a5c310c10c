from typing import Any

import msgspec

from oneapi.catalog.public.view import PublicAbilities, PublicOffer, PublicPrice, PublicRates, PublicView
from services.edge.openrouter_list import openrouter_list

RATES = PublicRates(
    per_million=(("input", "2"), ("cached_input", "0.000001"), ("output", "8"), ("reasoning", "9")),
    per_unit=(("per_call", "0.5"), ("search", "0.01")),
)


def offer(**fields: Any) -> PublicOffer:
    given: dict[str, Any] = {
        "channel": "main", "provider": "openai", "model": "m", "endpoints": ("chat",), "groups": ("*",),
        "max_output_tokens": None, "price": PublicPrice(now=RATES, base=RATES),
    }  # fmt: skip
    return PublicOffer(**given | fields)


def listed(*offers: PublicOffer) -> list[dict[str, Any]]:
    view = PublicView(revision="r", offers=offers, tools=(), changes_at_ms=None)
    found: list[dict[str, Any]] = msgspec.json.decode(openrouter_list(view))["data"]
    return found


def test_prices_are_for_one_token() -> None:
    (model,) = listed(offer())
    assert (model["id"], model["name"], model["created"]) == ("m", "m", 0)
    assert model["pricing"] == {
        "prompt": "0.000002", "completion": "0.000008", "input_cache_read": "0.000000000001",
        "internal_reasoning": "0.000009", "request": "0.5", "web_search": "0.01",
    }  # fmt: skip


def test_what_is_not_known_is_null() -> None:
    (model,) = listed(offer(price=None))
    assert model["context_length"] is None
    assert model["architecture"]["modality"] is None
    assert model["top_provider"] == {"context_length": None, "max_completion_tokens": None, "is_moderated": None}
    assert model["pricing"] == {"prompt": "-1", "completion": "-1"}
    assert model["supported_parameters"] == []


def test_what_is_known() -> None:
    known = PublicAbilities(
        features=("reasoning", "tools"), input_modalities=("text", "image"), output_modalities=("text",)
    )
    (model,) = listed(offer(known=known, max_output_tokens=9))
    assert model["architecture"]["modality"] == "text+image->text"
    assert model["supported_parameters"] == ["reasoning", "include_reasoning", "tools", "tool_choice"]
    assert model["top_provider"]["max_completion_tokens"] == 9


def test_a_model_is_listed_once_as_its_first_channel_has_it() -> None:
    models = listed(offer(), offer(channel="other", price=None), offer(model="n"))
    assert [model["id"] for model in models] == ["m", "n"]
    assert models[0]["pricing"]["prompt"] == "0.000002"
