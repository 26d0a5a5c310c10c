"""The sandbox's answers, checked with the official SDKs' own models."""

import base64
import contextlib
import json
import struct
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from oneapi.dialects.meter import StreamMeter
from oneapi.dialects.registry import DIALECTS
from oneapi.providers.sandbox import answer
from oneapi.providers.sandbox.reply import MADE_UP, MAX_OUTPUT_TOKENS, REFUSAL, Manner

ID = "0198c0de0198c0de0198c0de0198c0de"
TOOL = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}}}
SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
MESSAGES = [{"role": "user", "content": "please call weather"}]
CHAT_TOOL = {"type": "function", "function": {"name": "weather", "parameters": TOOL}}
REQUESTS: dict[str, list[dict[str, Any]]] = {
    "openai_chat": [
        {"messages": [{"role": "user", "content": "héllo"}]},
        {"messages": MESSAGES, "tools": [CHAT_TOOL]},
        {"messages": MESSAGES, "response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
        {"messages": MESSAGES, "max_tokens": 3},
        {"messages": MESSAGES, "stream_options": {"include_usage": True}},
    ],
    "openai_responses": [
        {"input": "hello"},
        {"input": MESSAGES, "tools": [{"type": "function", "name": "weather", "parameters": TOOL}]},
        {"input": "x", "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}},
        {"input": "x", "max_output_tokens": 3},
    ],
    "anthropic_messages": [
        {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 100},
        {"messages": MESSAGES, "max_tokens": 99, "tools": [{"name": "weather", "input_schema": TOOL}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}], "max_tokens": 3},
    ],
}
CASES = [(name, {"model": "sandbox", **body}) for name, bodies in REQUESTS.items() for body in bodies]
WHOLE: dict[str, Any] = {
    "openai_chat": ChatCompletion,
    "openai_responses": Response,
    "anthropic_messages": Message,
}
EVENT: dict[str, Any] = {
    "openai_chat": TypeAdapter(ChatCompletionChunk),
    "openai_responses": TypeAdapter(ResponseStreamEvent),
    "anthropic_messages": TypeAdapter(RawMessageStreamEvent),
}


def events(name: str, request: dict[str, Any], manner: Manner = Manner.PLAIN) -> list[Any]:
    found = []
    for raw in answer.stream(name, request, ID, 1_700_000_000, manner):
        line = next(line for line in raw.splitlines() if line.startswith(b"data: "))
        # A ping is no event of theirs: they pass over it.
        if line not in {b"data: [DONE]", b'data: {"type":"ping"}'}:
            found.append(EVENT[name].validate_json(line[6:], strict=True))
    return found


def of_stream(name: str, request: dict[str, Any]) -> StreamMeter:
    """The meter of the request's streamed answer."""
    make = DIALECTS[name].meter
    assert make is not None
    meter = make()
    asked = {**request, "stream_options": {"include_usage": True}}
    meter.feed(b"".join(answer.stream(name, asked, ID, 1_700_000_000)))
    return meter


@pytest.mark.parametrize(("name", "request_body"), CASES)
def test_both_forms_are_what_the_sdk_reads_and_cost_the_same(name: str, request_body: dict[str, Any]) -> None:
    whole = answer.whole(name, request_body, ID, 1_700_000_000)
    WHOLE[name].model_validate_json(whole, strict=True)
    assert events(name, request_body)
    assert whole == answer.whole(name, request_body, ID, 1_700_000_000)
    used = DIALECTS[name].read_usage(whole)
    assert used
    meter = of_stream(name, request_body)
    assert meter.usage == used
    assert meter.finished


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("tools", [False, True])
@pytest.mark.parametrize("cap", [1, 2, 3, 4, 7, 200])
def test_a_cap_is_never_passed(name: str, tools: bool, cap: int) -> None:
    field = {"openai_chat": "max_tokens", "openai_responses": "max_output_tokens", "anthropic_messages": "max_tokens"}
    body = {"model": "sandbox", **REQUESTS[name][1 if tools else 0], field[name]: cap}
    whole = answer.whole(name, body, ID, 1)
    WHOLE[name].model_validate_json(whole, strict=True)
    assert events(name, body)
    used = DIALECTS[name].read_usage(whole) or {}
    meter = of_stream(name, body)
    assert (meter.usage or {}).get("output", 0) == used.get("output", 0) <= cap
    assert meter.text_bytes <= 4 * cap
    reasons = {
        "openai_chat": b'"length"',
        "openai_responses": b'"max_output_tokens"}',
        "anthropic_messages": b'"max_tokens"',
    }
    assert (reasons[name] in whole) is (cap < 200)


@pytest.mark.parametrize("tools", [False, True])
def test_every_choice_is_answered_and_paid(tools: bool) -> None:
    body = {"model": "sandbox", **REQUESTS["openai_chat"][1 if tools else 0]}
    one = DIALECTS["openai_chat"].read_usage(answer.whole("openai_chat", body, ID, 1)) or {}
    three = answer.whole("openai_chat", {**body, "n": 3}, ID, 1)
    found = ChatCompletion.model_validate_json(three, strict=True)
    assert [choice.index for choice in found.choices] == [0, 1, 2]
    assert DIALECTS["openai_chat"].read_usage(three) == {**one, "output": 3 * one["output"]}
    assert of_stream("openai_chat", {**body, "n": 3}).usage == {**one, "output": 3 * one["output"]}
    ends = [choice.finish_reason for part in events("openai_chat", {**body, "n": 3}) for choice in part.choices]
    assert len([end for end in ends if end]) == 3
    if tools:
        calls = [choice.message.tool_calls or [] for choice in found.choices]
        assert len({call.id for choice in calls for call in choice}) == 3


@pytest.mark.parametrize(
    ("name", "choice", "expected"),
    [
        ("openai_chat", "none", False),
        ("openai_chat", "auto", True),
        ("openai_chat", "required", True),
        ("openai_chat", {"type": "function", "function": {"name": "weather"}}, True),
        ("openai_chat", {"type": "function", "function": {"name": "other"}}, False),
        ("openai_responses", "none", False),
        ("openai_responses", {"type": "function", "name": "weather"}, True),
        ("anthropic_messages", {"type": "none"}, False),
        ("anthropic_messages", {"type": "any"}, True),
        ("anthropic_messages", {"type": "tool", "name": "weather"}, True),
    ],
)
def test_the_choice_of_a_tool_is_obeyed(name: str, choice: object, expected: bool) -> None:
    body = {"model": "sandbox", **REQUESTS[name][1], "max_tokens": 100, "tool_choice": choice}
    whole = answer.whole(name, body, ID, 1)
    WHOLE[name].model_validate_json(whole, strict=True)
    assert (b"days" in whole.split(b'"tools"')[0]) is expected


def test_of_two_names_the_longer_one_was_meant() -> None:
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in ("get", "get_weather")]
    messages = [{"role": "user", "content": "call get_weather"}]
    body = {"model": "sandbox", "max_tokens": 50, "tools": tools, "messages": messages}
    assert json.loads(answer.whole("anthropic_messages", body, ID, 1))["content"][0]["name"] == "get_weather"


@pytest.mark.parametrize("name", REQUESTS)
def test_the_sandbox_never_counts_more_input_than_is_reserved(name: str) -> None:
    for body in REQUESTS[name]:
        raw = json.dumps({"model": "sandbox", "max_tokens": 9, **body}).encode()
        used = DIALECTS[name].read_usage(answer.whole(name, json.loads(raw), ID, 1)) or {}
        assert 0 < used["input"] <= DIALECTS[name].inspect(raw).prompt_bytes // 4


def test_instructions_count_and_files_hardly_do() -> None:
    def used(**more: Any) -> int:
        body = {"model": "sandbox", "max_tokens": 9, **REQUESTS["anthropic_messages"][0], **more}
        return (DIALECTS["anthropic_messages"].read_usage(answer.whole("anthropic_messages", body, ID, 1)) or {})[
            "input"
        ]

    assert used(system="x" * 4_000) == used() + 1_000
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD" * 100_000}}
    assert used(messages=[{"role": "user", "content": [image]}]) < 200


def test_a_tool_is_called_with_arguments_of_its_schema() -> None:
    for name in REQUESTS:
        body = {"model": "sandbox", **REQUESTS[name][1]}
        text = answer.whole(name, body, ID, 1).decode()
        assert "weather" in text
        assert "days" in text
    chat = json.loads(answer.whole("openai_chat", {"model": "sandbox", **REQUESTS["openai_chat"][1]}, ID, 1))
    arguments = json.loads(chat["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"])
    assert arguments == {"city": "sandbox", "days": 2}


def test_a_tools_result_is_answered_in_words() -> None:
    turns = [*MESSAGES, {"role": "tool", "tool_call_id": "c", "content": "sunny"}]
    body = {"model": "sandbox", "messages": turns, "tools": [CHAT_TOOL]}
    assert json.loads(answer.whole("openai_chat", body, ID, 1))["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(("given", "count"), [("a", 1), (["a", "b"], 2), ([1, 2, 3], 1), ([[1], [2]], 2)])
def test_embeddings(given: object, count: int) -> None:
    body = answer.whole("openai_embeddings", {"model": "sandbox", "input": given}, ID, 1)
    found = CreateEmbeddingResponse.model_validate_json(body, strict=True)
    assert len(found.data) == count
    assert abs(sum(value * value for value in found.data[0].embedding) - 1) < 1e-9
    assert found.usage.prompt_tokens > 0


def test_embeddings_are_as_long_as_asked_and_packed_on_request() -> None:
    body = {"model": "sandbox", "input": "a", "dimensions": 3}
    floats = json.loads(answer.whole("openai_embeddings", body, ID, 1))["data"][0]["embedding"]
    packed = json.loads(answer.whole("openai_embeddings", {**body, "encoding_format": "base64"}, ID, 1))
    assert len(floats) == 3
    assert struct.unpack("<3f", base64.b64decode(packed["data"][0]["embedding"])) == pytest.approx(floats, abs=1e-6)


@contextlib.contextmanager
def played(name: str, request: dict[str, Any]) -> Iterator[httpx2.Client]:
    """An HTTP client to which every request is answered by the streamed answer to this one."""
    body = b"".join(answer.stream(name, request, ID, 1))
    headers = {"content-type": "text/event-stream"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=body, headers=headers))
    with httpx2.Client(transport=transport) as client:
        yield client


@pytest.mark.parametrize("tools", [False, True])
def test_the_sdks_put_streams_together_as_whole_answers(tools: bool) -> None:
    chat, responses, messages = (
        {"model": "sandbox", **REQUESTS[name][1 if tools else 0]} for name in ("openai_chat", *list(REQUESTS)[1:])
    )
    with played("openai_chat", chat) as http:
        openai_client = openai.OpenAI(api_key="k", base_url="http://test/v1", http_client=http, max_retries=0)
        with openai_client.chat.completions.stream(model="m", messages=[]) as chunks:
            completion = chunks.get_final_completion()
    expected = ChatCompletion.model_validate_json(answer.whole("openai_chat", chat, ID, 1))
    assert completion.choices[0].message.content == expected.choices[0].message.content
    assert completion.choices[0].finish_reason == expected.choices[0].finish_reason
    with played("openai_responses", responses) as http:
        openai_client = openai.OpenAI(api_key="k", base_url="http://test/v1", http_client=http, max_retries=0)
        with openai_client.responses.stream(model="m", input="x") as parts:
            final = parts.get_final_response()
    whole = Response.model_validate_json(answer.whole("openai_responses", responses, ID, 1))
    assert (final.output_text, final.usage) == (whole.output_text, whole.usage)
    assert [item.type for item in final.output] == [item.type for item in whole.output]
    with played("anthropic_messages", messages) as http:
        claude = anthropic.Anthropic(api_key="k", base_url="http://test", http_client=http, max_retries=0)
        with claude.messages.stream(model="m", max_tokens=9, messages=[]) as blocks:
            message = blocks.get_final_message()
    told = Message.model_validate_json(answer.whole("anthropic_messages", messages, ID, 1))
    assert message.model_dump(include={"id", "stop_reason", "usage"}) == told.model_dump(
        include={"id", "stop_reason", "usage"}
    )
    assert [block.type for block in message.content] == [block.type for block in told.content]


REASONS = {
    "openai_chat": {Manner.TOOL_CALL: b'"tool_calls"', Manner.REFUSAL: b'"stop"', Manner.LENGTH: b'"length"'},
    "openai_responses": {
        Manner.TOOL_CALL: b'"completed"',
        Manner.REFUSAL: b'"completed"',
        Manner.LENGTH: b'"max_output_tokens"}',
    },
    "anthropic_messages": {
        Manner.TOOL_CALL: b'"tool_use"',
        Manner.REFUSAL: b'"refusal"',
        Manner.LENGTH: b'"max_tokens"',
    },
}


@pytest.mark.parametrize(("name", "body"), CASES)
@pytest.mark.parametrize("manner", [Manner.TOOL_CALL, Manner.REFUSAL, Manner.LENGTH])
def test_a_manner_is_obeyed_in_both_forms(name: str, body: dict[str, Any], manner: Manner) -> None:
    asked = {**body, "max_tokens": 99, "max_output_tokens": 99}
    whole = answer.whole(name, asked, ID, 1, manner)
    WHOLE[name].model_validate_json(whole, strict=True)
    assert events(name, asked, manner)
    assert REASONS[name][manner] in whole
    assert (REFUSAL.encode() in whole) is (manner is Manner.REFUSAL)
    if manner is Manner.TOOL_CALL:
        assert (b"weather" if "tools" in body else MADE_UP.name.encode()) in whole


def test_a_call_that_is_asked_for_is_not_made_again_after_its_result() -> None:
    turns = [*MESSAGES, {"role": "tool", "tool_call_id": "c", "content": "sunny"}]
    body = {"model": "sandbox", "messages": turns, "tools": [CHAT_TOOL]}
    assert json.loads(answer.whole("openai_chat", body, ID, 1, Manner.TOOL_CALL))["choices"][0]["message"]["content"]


@pytest.mark.parametrize("many", [{"const": "x" * 16_000}, {"type": "array", "minItems": 100, "items": {
    "type": "array", "minItems": 10, "items": {"type": "string", "minLength": 1_000}}}])  # fmt: skip
def test_an_answer_has_a_bound_whatever_is_asked(many: dict[str, Any]) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": many}}
    body = {"model": "sandbox", "messages": MESSAGES, "response_format": form, "max_tokens": 1_000_000}
    found = json.loads(answer.whole("openai_chat", body, ID, 1))
    assert found["usage"]["completion_tokens"] == MAX_OUTPUT_TOKENS
    assert found["choices"][0]["finish_reason"] == "length"
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"properties": {"a": many}}}}
    found = json.loads(answer.whole("openai_chat", {"model": "sandbox", "messages": MESSAGES, "tools": [tool]}, ID, 1))
    assert found["usage"]["completion_tokens"] == MAX_OUTPUT_TOKENS


def test_a_message_pings_before_it_says_anything() -> None:
    body = {"model": "sandbox", **REQUESTS["anthropic_messages"][0]}
    kinds = [json.loads(raw.split(b"data: ")[1])["type"] for raw in answer.stream("anthropic_messages", body, ID, 1)]
    assert kinds[:4] == ["message_start", "content_block_start", "ping", "content_block_delta"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
