"""The official SDKs work against the gateway unchanged but for base URL and key."""

from decimal import Decimal

import anthropic
import openai
import pytest

from tests.e2e.gateway import Gateway, UpstreamServer

TEXT = " tok" * 5


@pytest.fixture(scope="module")
def key(gateway: Gateway, upstream: UpstreamServer) -> str:
    gateway.channel(upstream, {"sdk-openai": "play:tokens=5", "text-embedding-sdk": "play:input=7"})
    gateway.channel(upstream, {"sdk-claude": "play:tokens=5,cached=4"}, provider="anthropic-compatible")
    return gateway.key()


@pytest.fixture
def openai_client(gateway: Gateway, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)


@pytest.fixture
def openai_async(gateway: Gateway, key: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)


@pytest.fixture
def anthropic_client(gateway: Gateway, key: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=gateway.url, api_key=key, max_retries=0)


@pytest.fixture
def anthropic_async(gateway: Gateway, key: str) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=gateway.url, api_key=key, max_retries=0)


def test_chat(openai_client: openai.OpenAI) -> None:
    answer = openai_client.chat.completions.create(model="sdk-openai", messages=[{"role": "user", "content": "hi"}])
    assert answer.choices[0].message.content == TEXT
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 5


def test_chat_stream_gives_usage_only_when_asked(openai_client: openai.OpenAI, upstream: UpstreamServer) -> None:
    chunks = list(
        openai_client.chat.completions.create(
            model="sdk-openai", messages=[{"role": "user", "content": "hi"}], stream=True
        )
    )
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == TEXT
    assert all(chunk.usage is None for chunk in chunks)
    assert upstream.served(model="play:tokens=5")[-1]["body"]["stream_options"] == {"include_usage": True}
    with_usage = list(
        openai_client.chat.completions.create(
            model="sdk-openai",
            messages=[{"role": "user", "content": "hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert with_usage[-1].usage is not None
    assert with_usage[-1].usage.completion_tokens == 5


async def test_chat_async(openai_async: openai.AsyncOpenAI) -> None:
    answer = await openai_async.chat.completions.create(
        model="sdk-openai", messages=[{"role": "user", "content": "hi"}]
    )
    assert answer.choices[0].message.content == TEXT


async def test_chat_stream_async(openai_async: openai.AsyncOpenAI) -> None:
    stream = await openai_async.chat.completions.create(
        model="sdk-openai", messages=[{"role": "user", "content": "hi"}], stream=True
    )
    assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == TEXT


def test_responses(openai_client: openai.OpenAI) -> None:
    answer = openai_client.responses.create(model="sdk-openai", input="hi")
    assert answer.output_text == TEXT
    assert answer.usage is not None
    assert answer.usage.output_tokens == 5


def test_responses_stream(openai_client: openai.OpenAI) -> None:
    with openai_client.responses.stream(model="sdk-openai", input="hi") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        assert stream.get_final_response().output_text == text == TEXT


async def test_responses_stream_async(openai_async: openai.AsyncOpenAI) -> None:
    async with openai_async.responses.stream(model="sdk-openai", input="hi") as stream:
        final = await stream.get_final_response()
    assert final.output_text == TEXT


def test_embeddings(openai_client: openai.OpenAI) -> None:
    answer = openai_client.embeddings.create(model="text-embedding-sdk", input=["a", "b"], encoding_format="float")
    assert [row.embedding for row in answer.data] == [[0.5, -0.25, 0.125]] * 2
    assert answer.usage.prompt_tokens == 7


def test_models(openai_client: openai.OpenAI) -> None:
    listed = {model.id for model in openai_client.models.list()}
    assert {"sdk-openai", "sdk-claude", "sandbox"} <= listed
    assert openai_client.models.retrieve("sdk-openai").id == "sdk-openai"
    with pytest.raises(openai.NotFoundError):
        openai_client.models.retrieve("no-such-model")


def test_messages(anthropic_client: anthropic.Anthropic) -> None:
    answer = anthropic_client.messages.create(
        model="sdk-claude", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
    )
    assert answer.content[0].type == "text"
    assert answer.content[0].text == TEXT
    assert answer.usage.cache_read_input_tokens == 4


def test_messages_stream(anthropic_client: anthropic.Anthropic) -> None:
    with anthropic_client.messages.stream(
        model="sdk-claude", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        assert "".join(stream.text_stream) == TEXT
        assert stream.get_final_message().usage.output_tokens == 5


async def test_messages_async(anthropic_async: anthropic.AsyncAnthropic) -> None:
    answer = await anthropic_async.messages.create(
        model="sdk-claude", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
    )
    assert answer.stop_reason == "end_turn"


async def test_messages_stream_async(anthropic_async: anthropic.AsyncAnthropic) -> None:
    async with anthropic_async.messages.stream(
        model="sdk-claude", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        assert "".join([text async for text in stream.text_stream]) == TEXT


def test_anthropic_models(anthropic_client: anthropic.Anthropic) -> None:
    assert "sdk-claude" in {model.id for model in anthropic_client.models.list()}


@pytest.mark.parametrize("stream", [False, True])
def test_sandbox_speaks_every_dialect(
    openai_client: openai.OpenAI, anthropic_client: anthropic.Anthropic, stream: bool
) -> None:
    if stream:
        chunks = openai_client.chat.completions.create(
            model="sandbox", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        with openai_client.responses.stream(model="sandbox", input="hi") as responses:
            assert responses.get_final_response().output_text
        with anthropic_client.messages.stream(
            model="sandbox", max_tokens=50, messages=[{"role": "user", "content": "hi"}]
        ) as messages:
            assert messages.get_final_text()
        return
    chat = openai_client.chat.completions.create(model="sandbox", messages=[{"role": "user", "content": "hi"}])
    assert chat.choices[0].message.content
    assert openai_client.responses.create(model="sandbox", input="hi").output_text
    message = anthropic_client.messages.create(
        model="sandbox", max_tokens=50, messages=[{"role": "user", "content": "hi"}]
    )
    assert message.content[0].type == "text"
    assert openai_client.embeddings.create(model="sandbox", input="hi").data


def test_the_bill_of_each_dialect_is_exact(
    gateway: Gateway, key: str, openai_client: openai.OpenAI, anthropic_client: anthropic.Anthropic
) -> None:
    """Prices are 2 (input), 0.5 (cached) and 8 (output) USD per million; the upstream counts 11 in and 5 out."""
    chat = openai_client.chat.completions.with_raw_response.create(
        model="sdk-openai", messages=[{"role": "user", "content": "hi"}]
    )
    expected = Decimal(11 * 2 + 5 * 8) / 1_000_000
    assert Decimal(chat.headers["x-oneapi-cost-usd"]) == expected
    receipt = gateway.receipt(key, chat.headers["x-request-id"])
    assert Decimal(receipt["cost_usd"]) == expected
    assert receipt["usage"] == {"input": 11, "output": 5}
    claude = anthropic_client.messages.with_raw_response.create(
        model="sdk-claude", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
    )
    receipt = gateway.receipt(key, claude.headers["x-request-id"])
    assert receipt["usage"] == {"input": 7, "cached_input": 4, "output": 5}
    assert Decimal(receipt["cost_usd"]) == (7 * 2 + 4 * Decimal("0.5") + 5 * 8) / 1_000_000
