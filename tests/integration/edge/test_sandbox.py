"""The sandbox of a real edge: without a key, in three formats, the same bytes each time, and nothing kept."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from anthropic.types import MessageParam
from openai.types.chat import ChatCompletionMessageParam

from services.edge.sandbox.limits import BODY_BYTES
from tests.integration.edge.stage import Stage, eventually

CANARY = "sk-canary-of-the-sandbox-0123456789"
CHAT, RESPONSES, MESSAGES = "/sandbox/v1/chat/completions", "/sandbox/v1/responses", "/sandbox/v1/messages"
TURNS = [{"role": "user", "content": "Hello"}]
GOOD: dict[str, dict[str, Any]] = {
    CHAT: {"model": "any/model:1", "messages": TURNS},
    RESPONSES: {"model": "any/model:1", "input": "Hello"},
    MESSAGES: {"model": "any/model:1", "messages": TURNS, "max_tokens": 200},
}
PATHS = list(GOOD)
SAID = "This is the sandbox of One API. You said: Hello"
SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 2},
        "unit": {"type": "string", "enum": ["C", "F"]},
        "days": {"type": "integer", "minimum": 2},
    },
    "required": ["city", "unit", "days"],
    "additionalProperties": False,
}
FITS = {"city": "sandbox", "unit": "C", "days": 2}


@pytest.fixture(scope="module")
async def stage(redis_url: str) -> AsyncIterator[Stage]:
    """An edge of its own, which believes what tests say of their address: each test comes from another network."""
    stage = Stage(redis_url, {"ONEAPI_TRUSTED_PROXIES": "127.0.0.0/8", "ONEAPI_TRACE_SAMPLE": "1"})
    try:
        await stage.start()
        yield stage
    finally:
        await stage.stop()


@pytest.fixture
def source(request: pytest.FixtureRequest) -> str:
    """An address in a network that no other test comes from."""
    number = zlib.crc32(request.node.nodeid.encode()) % 2**16
    return f"10.{number >> 8}.{number & 255}.1"


@pytest.fixture
async def http(stage: Stage, source: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=stage.url, headers={"x-forwarded-for": source}, timeout=30) as client:
        yield client


def error_of(path: str, answer: httpx2.Response) -> dict[str, Any]:
    """The error, which is of the path's own format."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert answer.headers["access-control-allow-origin"] == "*"
    error: dict[str, Any] = body["error"]
    if path == MESSAGES:
        assert set(body) == {"type", "error", "request_id"}
        assert (body["type"], set(error)) == ("error", {"type", "message"})
        assert body["request_id"] == answer.headers["x-request-id"] == answer.headers["request-id"]
    else:
        assert set(body) == {"error"}
        assert set(error) == {"message", "type", "param", "code"}
    return error


def events(answer: httpx2.Response) -> list[tuple[str, Any]]:
    """The events' names and data."""
    found = []
    for block in answer.text.removesuffix("\n\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        found.append(
            (lines.get("event", ""), lines["data"] if lines["data"] == "[DONE]" else json.loads(lines["data"]))
        )
    return found


async def ask(http: httpx2.AsyncClient, path: str, *, stream: bool = False, **more: Any) -> httpx2.Response:
    return await http.post(path, json={**GOOD[path], **({"stream": True} if stream else {}), **more})


# The SDKs -----------------------------------------------------------------------------------------------------------

TURN: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
TURN_OF_CLAUDE: list[MessageParam] = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def strict(stage: Stage, source: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=f"{stage.url}/sandbox/v1",
        api_key=CANARY,
        max_retries=0,
        default_headers={"x-forwarded-for": source},
        _strict_response_validation=True,
    )


@pytest.fixture
def claude(stage: Stage, source: str) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(
        base_url=f"{stage.url}/sandbox",
        api_key=CANARY,
        max_retries=0,
        default_headers={"x-forwarded-for": source},
        _strict_response_validation=True,
    )


async def test_chat_is_what_the_sdk_reads_strictly(strict: openai.AsyncOpenAI) -> None:
    whole = await strict.chat.completions.create(model="m", messages=TURN)
    assert whole.choices[0].message.content == SAID
    assert whole.usage is not None
    assert whole.usage.prompt_tokens > 0 < whole.usage.completion_tokens
    assert whole.usage.prompt_tokens + whole.usage.completion_tokens == whole.usage.total_tokens
    stream = await strict.chat.completions.create(
        model="m", messages=TURN, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == SAID
    assert chunks[-1].usage == whole.usage


async def test_responses_are_what_the_sdk_reads_strictly(strict: openai.AsyncOpenAI) -> None:
    whole = await strict.responses.create(model="m", input="Hello")
    assert (whole.output_text, whole.status) == (SAID, "completed")
    assert whole.usage is not None
    assert whole.usage.input_tokens + whole.usage.output_tokens == whole.usage.total_tokens
    parts = [event async for event in await strict.responses.create(model="m", input="Hello", stream=True)]
    assert [part.sequence_number for part in parts] == list(range(len(parts)))
    last = parts[-1]
    assert last.type == "response.completed"
    assert (last.response.output_text, last.response.usage) == (SAID, whole.usage)
    tool: openai.types.responses.FunctionToolParam = {
        "type": "function", "name": "weather", "parameters": SCHEMA, "strict": True,
    }  # fmt: skip
    called = await strict.responses.create(model="m", input="Hello", tools=[tool], tool_choice="required")
    assert called.output[0].type == "function_call"
    assert json.loads(called.output[0].arguments) == FITS


async def test_messages_are_what_the_sdk_reads_strictly(claude: anthropic.AsyncAnthropic) -> None:
    whole = await claude.messages.create(model="m", max_tokens=100, messages=TURN_OF_CLAUDE)
    assert whole.content[0].type == "text"
    assert (whole.content[0].text, whole.stop_reason) == (SAID, "end_turn")
    assert whole.usage.input_tokens > 0 < whole.usage.output_tokens
    assert whole._request_id
    async with claude.messages.stream(model="m", max_tokens=100, messages=TURN_OF_CLAUDE) as stream:
        final = await stream.get_final_message()
    assert [block.text for block in final.content if block.type == "text"] == [SAID]
    assert (final.usage.input_tokens, final.usage.output_tokens) == (
        whole.usage.input_tokens,
        whole.usage.output_tokens,
    )
    raw = await claude.messages.create(model="m", max_tokens=100, messages=TURN_OF_CLAUDE, stream=True)
    assert [event.type async for event in raw][-1] == "message_stop"


async def test_sdks_raise_what_is_asked_for(strict: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic) -> None:
    with pytest.raises(openai.RateLimitError):
        await strict.chat.completions.create(model="m", messages=TURN, metadata={"sandbox": "rate_limit"})
    with pytest.raises(openai.InternalServerError):
        await strict.responses.create(model="m", input="Hello", metadata={"sandbox": "overloaded"})
    with pytest.raises(anthropic.InternalServerError):
        await claude.messages.create(
            model="m", max_tokens=9, messages=TURN_OF_CLAUDE, extra_body={"metadata": {"sandbox": "server_error"}}
        )
    broken = {"metadata": {"sandbox": "mid_stream_error"}}
    with pytest.raises(openai.APIError):
        async for _ in await strict.chat.completions.create(model="m", messages=TURN, stream=True, extra_body=broken):
            pass
    with pytest.raises(openai.APIError):
        async for _ in await strict.responses.create(model="m", input="Hello", stream=True, extra_body=broken):
            pass
    with pytest.raises(anthropic.APIError):
        async for _ in await claude.messages.create(
            model="m", max_tokens=99, messages=TURN_OF_CLAUDE, stream=True, extra_body=broken
        ):
            pass


# Streams ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("usage", [False, True])
async def test_the_order_of_a_chat_stream(http: httpx2.AsyncClient, usage: bool) -> None:
    answer = await ask(http, CHAT, stream=True, **({"stream_options": {"include_usage": True}} if usage else {}))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "no-cache" in answer.headers["cache-control"]
    assert answer.headers["x-accel-buffering"] == "no"
    names, data = zip(*events(answer), strict=True)
    assert set(names) == {""}
    assert data[-1] == "[DONE]"
    chunks = list(data[:-1])
    if usage:
        last = chunks.pop()
        assert last["choices"] == []
        assert last["usage"]["total_tokens"] > 0
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks[1:-1]) == SAID
    assert chunks[-1]["choices"][0]["delta"] == {}
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]


async def test_the_order_of_a_response_stream(http: httpx2.AsyncClient) -> None:
    found = events(await ask(http, RESPONSES, stream=True))
    assert all(name == data["type"] for name, data in found)
    assert [data["sequence_number"] for _, data in found] == list(range(len(found)))
    names = [name for name, _ in found if name != "response.output_text.delta"]
    assert names == [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
        "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
    ]  # fmt: skip
    assert "".join(data["delta"] for name, data in found if name == "response.output_text.delta") == SAID
    assert found[-1][1]["response"] == {
        **(await ask(http, RESPONSES)).json(),
        "id": found[-1][1]["response"]["id"],
        "output": found[-1][1]["response"]["output"],
    }


async def test_the_order_of_a_message_stream(http: httpx2.AsyncClient) -> None:
    answer = await ask(http, MESSAGES, stream=True)
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    found = events(answer)
    assert all(name == data["type"] for name, data in found)
    names = [name for name, _ in found]
    assert names[:3] == ["message_start", "content_block_start", "ping"]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(names[3:-3]) == {"content_block_delta"}
    assert found[0][1]["message"]["content"] == []
    assert found[0][1]["message"]["usage"]["output_tokens"] == 1
    assert found[-2][1]["delta"]["stop_reason"] == "end_turn"
    assert found[-2][1]["usage"]["output_tokens"] > 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
async def test_the_same_request_has_the_same_bytes(http: httpx2.AsyncClient, path: str, stream: bool) -> None:
    first = (await ask(http, path, stream=stream)).content
    for headers in ({"authorization": f"Bearer {CANARY}"}, {"x-api-key": CANARY}, {"accept": "*/*"}):
        again = await http.post(path, json={**GOOD[path], **({"stream": True} if stream else {})}, headers=headers)
        assert again.content == first
    found = await asyncio.gather(*(ask(http, path, stream=stream) for _ in range(20)))
    assert {answer.content for answer in found} == {first}


@pytest.mark.parametrize("path", PATHS)
async def test_a_stream_comes_in_the_same_chunks(stage: Stage, source: str, path: str) -> None:
    """As they are on the wire: what a client reads at a time is the network's."""
    body = json.dumps({**GOOD[path], "stream": True}).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\nx-forwarded-for: {source}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    first, second = [(await stage.raw(head.encode() + body)).partition(b"\r\n\r\n")[2] for _ in range(2)]
    assert first == second
    assert first.endswith(b"0\r\n\r\n")
    assert first.count(b"\r\n") > 20


# What models do -----------------------------------------------------------------------------------------------------


def tools(path: str) -> dict[str, Any]:
    """The field that offers one tool, and the one that forces it."""
    if path == CHAT:
        function = {"name": "weather", "parameters": SCHEMA}
        choice: dict[str, Any] = {"type": "function", "function": {"name": "weather"}}
        return {"tools": [{"type": "function", "function": function}], "tool_choice": choice}
    if path == RESPONSES:
        choice = {"type": "function", "name": "weather"}
        return {"tools": [{"type": "function", "name": "weather", "parameters": SCHEMA}], "tool_choice": choice}
    choice = {"type": "tool", "name": "weather"}
    return {"tools": [{"name": "weather", "input_schema": SCHEMA}], "tool_choice": choice}


def call_of(path: str, answer: dict[str, Any]) -> tuple[str, Any]:
    if path == CHAT:
        assert answer["choices"][0]["finish_reason"] == "tool_calls"
        function = answer["choices"][0]["message"]["tool_calls"][0]["function"]
        return function["name"], json.loads(function["arguments"])
    if path == RESPONSES:
        return answer["output"][0]["name"], json.loads(answer["output"][0]["arguments"])
    assert answer["stop_reason"] == "tool_use"
    return answer["content"][0]["name"], answer["content"][0]["input"]


@pytest.mark.parametrize("path", PATHS)
async def test_tools_are_called_when_forced_and_when_named(http: httpx2.AsyncClient, path: str) -> None:
    offered = tools(path)
    assert call_of(path, (await ask(http, path, **offered)).json()) == ("weather", FITS)
    del offered["tool_choice"]
    assert SAID in (await ask(http, path, **offered)).text
    field = "input" if path == RESPONSES else "messages"
    asked: dict[str, Any] = {field: [{"role": "user", "content": "Please call weather."}]}
    assert call_of(path, (await ask(http, path, **offered, **asked)).json()) == ("weather", FITS)
    assert call_of(path, (await ask(http, path, **offered, metadata={"sandbox": "tool_call"})).json())[1] == FITS
    assert call_of(path, (await ask(http, path, metadata={"sandbox": "tool_call"})).json())[0] == "sandbox_tool"


async def test_a_tools_result_is_answered_in_words(http: httpx2.AsyncClient) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    turns = [*TURNS, {"role": "assistant", "content": None, "tool_calls": [call]}]
    chat = await ask(
        http, CHAT, **tools(CHAT), messages=[*turns, {"role": "tool", "tool_call_id": "c1", "content": "5"}]
    )
    assert chat.json()["choices"][0]["message"]["content"] == SAID
    items = [
        *TURNS,
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "5"},
    ]
    response = await ask(http, RESPONSES, **tools(RESPONSES), input=items)
    assert response.json()["output"][0]["content"][0]["text"] == SAID
    used = {"type": "tool_use", "id": "c1", "name": "weather", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "c1", "content": "5"}
    blocks = [*TURNS, {"role": "assistant", "content": [used]}, {"role": "user", "content": [result]}]
    message = await ask(http, MESSAGES, **tools(MESSAGES), messages=blocks)
    assert message.json()["stop_reason"] == "end_turn"


@pytest.mark.parametrize("stream", [False, True])
async def test_structured_output_is_of_its_schema(strict: openai.AsyncOpenAI, stream: bool) -> None:
    form: Any = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}
    if stream:
        chunks = await strict.chat.completions.create(model="m", messages=TURN, response_format=form, stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])
    else:
        whole = await strict.chat.completions.create(model="m", messages=TURN, response_format=form)
        text = whole.choices[0].message.content or ""
    assert json.loads(text) == FITS
    parsed = await strict.responses.create(
        model="m", input="x", text={"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}}
    )
    assert json.loads(parsed.output_text) == FITS


async def test_structured_output_of_messages(http: httpx2.AsyncClient) -> None:
    form = {"format": {"type": "json_schema", "schema": SCHEMA}}
    answer = await ask(http, MESSAGES, output_config=form)
    assert json.loads(answer.json()["content"][0]["text"]) == FITS


# Scenarios ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("name", "status", "type_of_openai", "type_of_anthropic"),
    [
        ("rate_limit", 429, "requests", "rate_limit_error"),
        ("overloaded", 503, "server_error", "overloaded_error"),
        ("server_error", 500, "server_error", "api_error"),
        ("nothing_known", 400, "invalid_request_error", "invalid_request_error"),
    ],
)
async def test_errors_on_request(
    http: httpx2.AsyncClient,
    path: str,
    stream: bool,
    name: str,
    status: int,
    type_of_openai: str,
    type_of_anthropic: str,
) -> None:
    answer = await ask(http, path, stream=stream, metadata={"sandbox": name})
    error = error_of(path, answer)
    assert answer.status_code == status
    assert error["type"] == (type_of_anthropic if path == MESSAGES else type_of_openai)
    assert ("retry-after" in answer.headers) is (status in {429, 503})
    if status == 400:
        assert "mid_stream_error" in error["message"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_stream_that_breaks(http: httpx2.AsyncClient, path: str) -> None:
    answer = await ask(http, path, stream=True, metadata={"sandbox": "mid_stream_error"})
    assert answer.status_code == 200
    assert "This" in answer.text
    found = events(answer)
    if path == CHAT:
        assert set(found[-1][1]) == {"error"}
        assert set(found[-1][1]["error"]) == {"message", "type", "param", "code"}
    elif path == MESSAGES:
        assert found[-1][0] == "error"
        assert found[-1][1]["error"]["type"] == "api_error"
    else:
        assert [name for name, _ in found[-2:]] == ["error", "response.failed"]
        assert [data["sequence_number"] for _, data in found] == list(range(len(found)))
    assert error_of(path, whole := await ask(http, path, metadata={"sandbox": "mid_stream_error"}))
    assert whole.status_code == 502
    assert answer.text == (await ask(http, path, stream=True, metadata={"sandbox": "mid_stream_error"})).text


@pytest.mark.parametrize("path", PATHS)
async def test_answers_on_request(http: httpx2.AsyncClient, path: str) -> None:
    short = (await ask(http, path, metadata={"sandbox": "length"})).json()
    no = (await ask(http, path, metadata={"sandbox": "refusal"})).json()
    if path == CHAT:
        assert short["choices"][0]["finish_reason"] == "length"
        assert no["choices"][0]["message"]["content"] is None
        assert no["choices"][0]["message"]["refusal"]
    elif path == MESSAGES:
        assert (short["stop_reason"], no["stop_reason"]) == ("max_tokens", "refusal")
    else:
        assert (short["status"], short["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
        assert no["output"][0]["content"][0]["type"] == "refusal"
        assert no["metadata"] == {"sandbox": "refusal"}
    last = {CHAT: "[DONE]", RESPONSES: "response.incomplete", MESSAGES: "message_stop"}
    streamed = events(await ask(http, path, stream=True, metadata={"sandbox": "length"}))
    assert last[path] in streamed[-1]
    slow = await ask(http, path, stream=True, metadata={"sandbox": "slow"})
    assert slow.status_code == 200
    assert len(events(slow)) > len(streamed)


# What is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nothing", b"[]", b"null", b'"text"', b"{}", b"\xff\xfe", b'{"model": NaN}', b"[" * 100_000,
     b'{"model":"m","a":' + b"[" * 100 + b"]" * 100 + b"}"],
)  # fmt: skip
async def test_what_is_no_request(http: httpx2.AsyncClient, path: str, body: bytes) -> None:
    answer = await http.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert error_of(path, answer)["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_missing_or_wrong(http: httpx2.AsyncClient, path: str) -> None:
    for field in GOOD[path]:
        body = {name: value for name, value in GOOD[path].items() if name != field}
        for given in (
            body,
            {**body, field: None},
            {**body, field: [] if field != "model" else ""},
            {**body, field: {}},
        ):
            answer = await http.post(path, json=given)
            assert answer.status_code == 400, given
            assert field in error_of(path, answer)["message"]


async def test_what_names_something_stored(http: httpx2.AsyncClient) -> None:
    for field, value in {"previous_response_id": "resp_1", "conversation": "conv_1"}.items():
        answer = await http.post(RESPONSES, json={**GOOD[RESPONSES], field: value})
        assert answer.status_code == 400
        assert error_of(RESPONSES, answer)["param"] == field
    stored = (await ask(http, RESPONSES, store=True)).json()
    assert stored["store"] is False


@pytest.mark.parametrize("path", PATHS)
async def test_bodies_have_a_bound_and_a_type(http: httpx2.AsyncClient, path: str) -> None:
    large = {**GOOD[path], "user": "x" * BODY_BYTES}
    assert error_of(path, answer := await http.post(path, json=large))["type"]
    assert answer.status_code == 413
    plain = await http.post(path, content=b"{}", headers={"content-type": "text/plain"})
    assert (plain.status_code, bool(error_of(path, plain))) == (415, True)
    packed = await http.post(
        path, content=b"{}", headers={"content-type": "application/json", "content-encoding": "gzip"}
    )
    assert (packed.status_code, bool(error_of(path, packed))) == (415, True)


@pytest.mark.parametrize("path", PATHS)
async def test_methods(http: httpx2.AsyncClient, path: str) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = await http.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")
        assert error_of(path, answer)
    assert (await http.head(path)).status_code == 405
    headers = {
        "origin": "https://elsewhere.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type",
    }
    asked = await http.options(path, headers=headers)
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["access-control-allow-origin"] == "*"
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert asked.headers["access-control-allow-headers"] == "*, authorization"
    assert asked.headers["x-request-id"]
    good = await http.post(path, json=GOOD[path], headers={"origin": "https://elsewhere.example"})
    for answer in (asked, good):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/sandbox/v1", "/sandbox/v1/", "/sandbox/v1/models", "/sandbox/v1/messages/",
                                  "/sandbox/v1/embeddings", "/sandbox/v1/responses/resp_1"])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_other_paths_are_not_there(http: httpx2.AsyncClient, path: str, method: str) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"]
    assert answer.headers["x-request-id"]


async def test_too_many_are_told_when_to_come_again(stage: Stage, http: httpx2.AsyncClient) -> None:
    async def refused() -> httpx2.Response | None:
        answers = await asyncio.gather(*(http.post(MESSAGES, json=GOOD[MESSAGES]) for _ in range(20)))
        assert {answer.status_code for answer in answers} <= {200, 429}
        return next((answer for answer in answers if answer.status_code == 429), None)

    answer = await eventually(refused, 60)
    assert error_of(MESSAGES, answer)["type"] == "rate_limit_error"
    assert "too fast" in error_of(MESSAGES, answer)["message"]
    assert int(answer.headers["retry-after"]) >= 1
    async with httpx2.AsyncClient(base_url=stage.url, headers={"x-forwarded-for": "192.0.2.1"}) as other:
        assert (await other.post(CHAT, json=GOOD[CHAT])).status_code == 200


# What is kept -------------------------------------------------------------------------------------------------------


async def test_a_credential_is_nowhere_and_nothing_is_billed(stage: Stage, http: httpx2.AsyncClient) -> None:
    before = (await stage.js.streams_info(), len(stage.router.picks), len(stage.router.outcomes))
    stored = {info.config.name: info.state.last_seq for info in before[0]}
    request_ids = []
    for path in PATHS:
        for headers in (
            {"authorization": f"Bearer {CANARY}"},
            {"x-api-key": CANARY, "api-key": f"other-{CANARY}"},
            {"x-goog-api-key": CANARY, "traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"},
        ):
            for stream in (False, True):
                answer = await http.post(
                    f"{path}?key={CANARY}&api_key={CANARY}", json={**GOOD[path], "stream": stream}, headers=headers
                )
                assert answer.status_code == 200
                assert CANARY not in answer.text
                assert CANARY not in str(answer.headers)
                request_ids.append(answer.headers["x-request-id"])
    await http.post(CHAT, content=b"{", headers={"authorization": f"Bearer {CANARY}"})
    # What a good key does after it is billed after it.
    key = await stage.key()
    await stage.channel({"beside-the-sandbox": "play:tokens=5"})
    async with stage.http(key) as paying:
        paid = await paying.post("/v1/chat/completions", json={"model": "beside-the-sandbox", "messages": TURNS})
    event = await stage.event(paid.headers["x-request-id"])
    assert event.request_id == paid.headers["x-request-id"]
    assert not {event.request_id for event in stage._events} & set(request_ids)
    after = {info.config.name: info.state.last_seq for info in await stage.js.streams_info()}
    assert {name: last for name, last in after.items() if name in {"KV_responses", "KV_state"}} == {
        name: last for name, last in stored.items() if name in {"KV_responses", "KV_state"}
    }
    assert not [pick for pick in stage.router.picks[before[1] :] if pick.model == "any/model:1"]
    assert not [key async for key in stage._redis.scan_iter("*canary*")]
    for file in stage.folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert CANARY.encode() not in content, file
            assert not [request_id for request_id in request_ids if request_id.encode() in content], file


async def test_it_works_without_what_is_behind(stage: Stage, http: httpx2.AsyncClient) -> None:
    await stage.router_server.stop(None)
    stage.nats.kill()
    try:
        for path in PATHS:
            assert (await ask(http, path)).status_code == 200
            assert (await ask(http, path, stream=True)).status_code == 200
    finally:
        stage.nats.start()
        await stage.start_router()
