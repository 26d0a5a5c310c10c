"""The official SDKs against the edge, unchanged but for base URL and key."""

import anthropic
import openai
import pytest

from tests.integration.edge.stage import Stage

TEXT = " tok" * 5
MESSAGES: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
async def models(stage: Stage) -> None:
    await stage.channel({"sdk": "play:tokens=5", "sdk-embed": "play:input=7"})
    await stage.channel({"sdk-claude": "play:tokens=5,cached=4"}, provider="anthropic-compatible")
    await stage.channel({"sdk-broken": "play:tokens=6,cut=3"})


@pytest.fixture
def client(stage: Stage, key: str, models: None) -> openai.AsyncOpenAI:
    return stage.openai(key)


@pytest.fixture
def claude(stage: Stage, key: str, models: None) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=stage.url, api_key=key, max_retries=0)


async def test_chat(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="sdk", messages=MESSAGES)
    assert answer.choices[0].message.content == TEXT
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 5


@pytest.mark.parametrize("asked", [False, True])
async def test_chat_stream(client: openai.AsyncOpenAI, asked: bool) -> None:
    options: openai.types.chat.ChatCompletionStreamOptionsParam = {"include_usage": asked}
    stream = await client.chat.completions.create(model="sdk", messages=MESSAGES, stream=True, stream_options=options)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    assert (chunks[-1].usage is not None) == asked


async def test_responses(client: openai.AsyncOpenAI) -> None:
    assert (await client.responses.create(model="sdk", input="hi")).output_text == TEXT
    async with client.responses.stream(model="sdk", input="hi") as stream:
        assert (await stream.get_final_response()).output_text == TEXT


async def test_embeddings(client: openai.AsyncOpenAI) -> None:
    answer = await client.embeddings.create(model="sdk-embed", input=["a", "b"], encoding_format="float")
    assert len(answer.data) == 2


async def test_messages(claude: anthropic.AsyncAnthropic) -> None:
    asked: list[anthropic.types.MessageParam] = [{"role": "user", "content": "hi"}]
    answer = await claude.messages.create(model="sdk-claude", max_tokens=100, messages=asked)
    assert answer._request_id
    assert answer.usage.cache_read_input_tokens == 4
    async with claude.messages.stream(model="sdk-claude", max_tokens=100, messages=asked) as stream:
        assert "".join([text async for text in stream.text_stream]) == TEXT


async def test_models(client: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic) -> None:
    assert {"sdk", "sdk-claude"} <= {model.id async for model in client.models.list()}
    assert (await client.models.retrieve("sdk")).id == "sdk"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("no-such-model")
    assert {"sdk", "sdk-claude"} <= {model.id async for model in claude.models.list(limit=2)}
    assert (await claude.models.retrieve("sdk-claude")).display_name == "sdk-claude"
    with pytest.raises(anthropic.NotFoundError):
        await claude.models.retrieve("no-such-model")


async def test_names_with_slashes(stage: Stage, client: openai.AsyncOpenAI) -> None:
    await stage.channel({"vendor/model": "play:tokens=5"})
    assert (await client.models.retrieve("vendor/model")).id == "vendor/model"


async def test_errors(stage: Stage, client: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        await client.chat.completions.create(model="no-such-model", messages=MESSAGES)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key="sk-wrong").responses.create(model="sdk", input="hi")
    with pytest.raises(anthropic.AuthenticationError):
        await claude.with_options(api_key="sk-wrong").models.list()
    with pytest.raises(anthropic.BadRequestError):
        await claude.messages.create(model="sdk-claude", max_tokens=5, messages=[])


async def test_a_broken_stream_raises(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model="sdk-broken", messages=MESSAGES, stream=True)
    text = ""
    with pytest.raises(openai.APIError):
        async for chunk in stream:
            text += chunk.choices[0].delta.content or ""
    assert text == " tok" * 3
