"""The sandbox without a key, in three formats: what SDKs read strictly, and the same bytes each time."""

import asyncio
import json
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from anthropic.types import MessageParam
from openai.types.chat import ChatCompletionMessageParam

from tests.integration.edge.stage import Stage
from tests.integration.edge_sandbox.asking import (
    CANARY,
    CHAT,
    GOOD,
    MESSAGES,
    PATHS,
    RESPONSES,
    SAID,
    TURNS,
    ask,
    events,
)

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
