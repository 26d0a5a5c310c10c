"""What clients hear while a provider thinks, and that nobody is billed or told otherwise for it."""

from collections.abc import AsyncIterator

import anthropic
import pytest
from google import genai
from google.genai import types

from oneapi.runtime.ids import uuid7
from tests.integration.edge.formats import (
    CHAT,
    CONVERSE,
    FORMATS,
    GEMINI,
    MESSAGES,
    RESPONSES,
    asked,
    channel_of,
    events,
    path,
    usage_of,
)
from tests.integration.edge.stage import Stage

SIGNS = {
    CHAT: b": keepalive\n\n",
    RESPONSES: b": keepalive\n\n",
    MESSAGES: b'event: ping\ndata: {"type":"ping"}\n\n',
    GEMINI: b"\n\n",
}
BEFORE = dict.fromkeys(FORMATS, b": keepalive\n\n") | {GEMINI: b"\n\n"}
"""As long as nothing has been said."""
SLOW = "play:tokens=3,cached=4,gap_ms=300"
TEXT = " tok" * 3


@pytest.fixture(scope="module")
async def hasty(redis_url: str) -> AsyncIterator[Stage]:
    """A stage whose edge soon takes a stream for silent."""
    stage = Stage(redis_url, {"ONEAPI_KEEP_ALIVE_SECONDS": "0.02"})
    try:
        await stage.start()
        yield stage
    finally:
        await stage.stop()


async def read_until(stage: Stage, key: str, client: str, model: str, wanted: bytes) -> bytes:
    """What a stream says until this has come of it."""
    seen = b""
    async with (
        stage.http(key) as http,
        http.stream("POST", path(client, model, stream=True), json=asked(client, model, stream=True)) as answer,
    ):
        assert answer.status_code == 200
        async for piece in answer.aiter_raw():
            seen += piece
            if wanted in seen:
                return seen
    raise AssertionError(seen)


@pytest.mark.parametrize("client", FORMATS)
@pytest.mark.parametrize("upstream", [*FORMATS, CONVERSE])
@pytest.mark.parametrize("after", [0, 5])
async def test_a_silent_stream_shows_that_it_is_alive(hasty: Stage, client: str, upstream: str, after: int) -> None:
    model = f"silent-{client[:4]}-{upstream[:8]}-{after}"
    await hasty.channel({model: f"play:silent={after}"}, **channel_of(upstream))
    sign = SIGNS[client] if after else BEFORE[client]
    seen = await read_until(hasty, await hasty.key(), client, model, sign * 3)
    said, _, rest = seen.partition(sign * 3)
    assert not rest.strip(sign)
    assert (b"tok" in said) == bool(after), seen


async def test_a_list_has_white_space_between_its_elements(hasty: Stage) -> None:
    await hasty.channel({"listed": SLOW}, **channel_of(GEMINI))
    async with hasty.http(await hasty.key()) as http:
        answer = await http.post("/v1beta/models/listed:streamGenerateContent", json=asked(GEMINI, "listed"))
    assert "}\r\n" in answer.text
    assert len(answer.json()) >= 3


async def test_a_stored_response_and_its_bill_know_nothing_of_it(hasty: Stage) -> None:
    await hasty.channel({"stored": SLOW}, **channel_of(RESPONSES))
    key = await hasty.key()
    async with hasty.http(key) as http:
        answer = await http.post("/v1/responses", json=asked(RESPONSES, "stored", stream=True))
        assert ": keepalive" in answer.text
        assert answer.text.rstrip().splitlines()[-1].startswith("data: {")
        last = events(answer.text)[-1]
        assert last["type"] == "response.completed"
        stored = (await http.get(f"/v1/responses/{last['response']['id']}")).json()
    assert stored["output"] == last["response"]["output"]
    event = await hasty.event(answer.headers["x-request-id"])
    assert (event.outcome, event.evidence) == ("ok", "provider")
    assert dict(event.usage) == {**usage_of(RESPONSES), "output": 3}


async def chat(stage: Stage, key: str, model: str, headers: dict[str, str]) -> str:
    client = stage.openai(key)
    async with client.chat.completions.stream(
        model=model, messages=[{"role": "user", "content": "hi"}], extra_headers=headers
    ) as stream:
        return (await stream.get_final_completion()).choices[0].message.content or ""


async def responses(stage: Stage, key: str, model: str, headers: dict[str, str]) -> str:
    client = stage.openai(key)
    async with client.responses.stream(model=model, input="hi", extra_headers=headers) as stream:
        return (await stream.get_final_response()).output_text


async def messages(stage: Stage, key: str, model: str, headers: dict[str, str]) -> str:
    client = anthropic.AsyncAnthropic(base_url=stage.url, api_key=key, max_retries=0)
    async with client.messages.stream(
        model=model, max_tokens=50, messages=[{"role": "user", "content": "hi"}], extra_headers=headers
    ) as stream:
        return await stream.get_final_text()


async def google(stage: Stage, key: str, model: str, headers: dict[str, str]) -> str:
    client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=stage.url)).aio.models
    config = types.GenerateContentConfig(http_options=types.HttpOptions(headers=headers))
    stream = await client.generate_content_stream(model=model, contents="hi", config=config)
    return "".join([answer.text or "" async for answer in stream])


SDKS = {CHAT: chat, RESPONSES: responses, MESSAGES: messages, GEMINI: google}


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
@pytest.mark.parametrize("client", FORMATS)
@pytest.mark.parametrize("upstream", FORMATS)
async def test_the_sdks_pass_over_it(hasty: Stage, client: str, upstream: str) -> None:
    model = f"slow-{client[:4]}-{upstream[:8]}"
    await hasty.channel({model: SLOW}, **channel_of(upstream))
    identity = uuid7()
    assert await SDKS[client](hasty, await hasty.key(), model, {"x-request-id": identity}) == TEXT
    event = await hasty.event(client_request_id=identity)
    assert (event.outcome, event.evidence, dict(event.usage)) == (
        "ok",
        "provider",
        {**usage_of(upstream), "output": 3},
    )
