"""Answers, streams, usage and errors of Bedrock's as clients see them."""

import json
from typing import Any

import pytest

from oneapi.dialects.bedrock_converse.errors import decode_error
from oneapi.dialects.bedrock_converse.usage import buckets
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.registry import DIALECTS
from tests.unit.oneapi.dialects.bedrock_converse.wire import written
from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    MESSAGES,
    NAMES,
    RESPONSES,
    answered,
    convert,
    message_of,
    request,
    streamed,
)
from tests.upstream.frames import failure, frame

CONVERSE = "bedrock_converse"
START = {"messageStart": {"role": "assistant"}}
USAGE = {
    "inputTokens": 10,
    "outputTokens": 5,
    "cacheReadInputTokens": 512,
    "cacheWriteInputTokens": 1733,
    "cacheDetails": [{"ttl": "1h", "inputTokens": 1000}, {"ttl": "5m", "inputTokens": 733}],
    "totalTokens": 2260,
}
BUCKETS = {"input": 10, "cached_input": 512, "cache_write_5m": 733, "cache_write_1h": 1000, "output": 5}
END = [{"messageStop": {"stopReason": "end_turn"}}, {"metadata": {"usage": USAGE, "metrics": {"latencyMs": 1}}}]


def answer(*content: dict[str, Any], reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": list(content)}
    return {"output": {"message": message}, "stopReason": reason, "usage": USAGE, **more}


def delta(index: int, **told: Any) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": told}}


def stop(index: int) -> dict[str, Any]:
    return {"contentBlockStop": {"contentBlockIndex": index}}


def start(index: int, **told: Any) -> dict[str, Any]:
    return {"contentBlockStart": {"contentBlockIndex": index, "start": told}}


def stream(*events: Any) -> bytes:
    return b"".join(written([START, *events]))


def test_t51_usage_is_disjoint_and_its_sum_is_the_providers() -> None:
    assert buckets(USAGE) == BUCKETS
    assert sum(BUCKETS.values()) == USAGE["totalTokens"]
    chat = answered(CHAT, CONVERSE, answer({"text": "hi"}))["usage"]
    assert (chat["prompt_tokens"], chat["completion_tokens"], chat["total_tokens"]) == (2255, 5, 2260)
    assert chat["prompt_tokens_details"]["cached_tokens"] == 512
    messages = answered(MESSAGES, CONVERSE, answer({"text": "hi"}))["usage"]
    assert (messages["input_tokens"], messages["cache_read_input_tokens"]) == (10, 512)
    assert messages["cache_creation"] == {"ephemeral_5m_input_tokens": 733, "ephemeral_1h_input_tokens": 1000}


@pytest.mark.parametrize("client", NAMES)
def test_a_stream_is_billed_like_a_whole_answer(client: str) -> None:
    raw = json.dumps(answer({"text": "hi"})).encode()
    converted = convert(client, CONVERSE).response(raw)
    assert converted.usage == BUCKETS
    seen = DIALECTS[client].read_usage(converted.body) or {}
    assert sum(seen.values()) == USAGE["totalTokens"]
    _, converter = streamed(client, CONVERSE, stream(delta(0, text="hi"), stop(0), *END))
    assert converter.usage == BUCKETS


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"inputTokens": 3, "outputTokens": 2}, {"input": 3, "output": 2}),
        ({"inputTokens": 1, "cacheWriteInputTokens": 5}, {"input": 1, "cache_write_5m": 5}),
        ({"cacheDetails": [{"ttl": "1h", "inputTokens": 4}]}, {"cache_write_1h": 4}),
        (
            {"cacheWriteInputTokens": 2, "cacheDetails": [{"ttl": "1h", "inputTokens": 9}, "x", {}]},
            {"cache_write_1h": 2},
        ),
        ({"inputTokens": -1, "outputTokens": "x", "cacheDetails": 5}, {}),
    ],
)
def test_usage(told: dict[str, Any], expected: dict[str, int]) -> None:
    assert buckets(told) == expected


@pytest.mark.parametrize(
    ("reason", "chat", "responses", "messages"),
    [
        ("end_turn", "stop", "completed", "end_turn"),
        ("stop_sequence", "stop", "completed", "stop_sequence"),
        ("max_tokens", "length", "incomplete", "max_tokens"),
        ("model_context_window_exceeded", "length", "incomplete", "model_context_window_exceeded"),
        ("guardrail_intervened", "content_filter", "incomplete", "refusal"),
        ("content_filtered", "content_filter", "incomplete", "refusal"),
        ("new_one", "stop", "completed", "end_turn"),
    ],
)
def test_reasons(reason: str, chat: str, responses: str, messages: str) -> None:
    fields = {"stop_sequence": "END"}
    told = answer({"text": "hi"}, reason=reason, additionalModelResponseFields=fields)
    assert answered(CHAT, CONVERSE, told)["choices"][0]["finish_reason"] == chat
    assert answered(RESPONSES, CONVERSE, told)["status"] == responses
    message = answered(MESSAGES, CONVERSE, told)
    assert message["stop_reason"] == messages
    assert message["stop_sequence"] == ("END" if reason == "stop_sequence" else None)
    stopping = {"messageStop": {"stopReason": reason, "additionalModelResponseFields": fields}}
    events, _ = streamed(MESSAGES, CONVERSE, stream(delta(0, text="hi"), stop(0), stopping, END[1]))
    assert message_of(MESSAGES, events)["stop"] == messages


@pytest.mark.parametrize("reason", ["malformed_model_output", "malformed_tool_use"])
def test_an_answer_that_nobody_can_read_is_an_error(reason: str) -> None:
    with pytest.raises(GatewayError) as caught:
        convert(CHAT, CONVERSE).response(json.dumps(answer(reason=reason)).encode())
    assert (caught.value.status, caught.value.code) == (502, reason)
    _, converter = streamed(CHAT, CONVERSE, stream(delta(0, text="x"), {"messageStop": {"stopReason": reason}}, END[1]))
    assert (converter.error or ("",))[0] == reason
    assert not converter.finished


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (frame("throttlingException", {"message": "slow down"}, "exception"), "rate_limit_exceeded"),
        (frame("serviceUnavailableException", {"message": "busy"}, "exception"), "overloaded"),
        (frame("internalServerException", {"message": "oops"}, "exception"), "internal_server_error"),
        (frame("modelStreamErrorException", {"originalStatusCode": 500}, "exception"), "model_stream_error"),
        (frame("newException", {}, "exception"), "upstream_error"),
        (failure("InternalFailure", "oops"), "InternalFailure"),
        (b"\0" * 16, "malformed_event"),
        (frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": "x"}), "malformed_event"),
    ],
)
@pytest.mark.parametrize("client", NAMES)
def test_t57_exceptions_inside_a_stream(client: str, broken: bytes, code: str) -> None:
    whole = stream(delta(0, text="a")) + broken + stream(*END)
    events, converter = streamed(client, CONVERSE, whole)
    assert (converter.error or ("",))[0] == code
    assert not converter.finished
    assert converter.text_bytes == 1
    assert events


def test_a_stream_needs_no_metadata_but_its_end() -> None:
    told = [delta(0, text="a"), stop(0)]
    _, open_one = streamed(CHAT, CONVERSE, stream(*told))
    assert not open_one.finished
    events, whole = streamed(CHAT, CONVERSE, stream(*told, END[0]))
    assert (whole.finished, whole.usage, message_of(CHAT, events)["stop"]) == (True, None, "stop")
    _, early = streamed(CHAT, CONVERSE, stream(END[1], *told, END[0]))
    assert (early.finished, early.usage) == (True, BUCKETS)


def test_t44_calls_without_arguments_and_several_at_once() -> None:
    used = [{"toolUseId": one, "name": "f"} for one in "ab"]
    whole = stream(
        start(0, toolUse=used[0]),
        stop(0),
        start(1, toolUse=used[1]),
        delta(1, toolUse={"input": '{"x"'}),
        delta(1, toolUse={"input": ":1}"}),
        stop(1),
        {"messageStop": {"stopReason": "end_turn"}},
        END[1],
    )
    events, _ = streamed(CHAT, CONVERSE, whole)
    found = message_of(CHAT, events)
    assert (found["calls"], found["stop"]) == ([["a", "f", "{}"], ["b", "f", '{"x":1}']], "tool_calls")
    told = answered(CHAT, CONVERSE, answer(*({"toolUse": {**one, "input": {}, "type": "tool_use"}} for one in used)))
    assert [one["id"] for one in told["choices"][0]["message"]["tool_calls"]] == ["a", "b"]


def test_t43_a_call_that_was_cut_off() -> None:
    whole = stream(
        start(0, toolUse={"toolUseId": "a", "name": "f"}),
        delta(0, toolUse={"input": '{"path":"a'}),
        {"messageStop": {"stopReason": "max_tokens"}},
        END[1],
    )
    events, _ = streamed(RESPONSES, CONVERSE, whole)
    (item,) = events[-1][1]["response"]["output"]
    assert (item["status"], item["arguments"]) == ("incomplete", '{"path":"a')


def test_what_ran_at_the_provider_is_no_call_of_the_client() -> None:
    used = {"toolUseId": "s", "name": "nova_grounding", "type": "server_tool_use"}
    result = {"toolResult": {"toolUseId": "s", "content": []}}
    told = answered(CHAT, CONVERSE, answer({"toolUse": {**used, "input": {}}}, result, {"text": "hi"}))
    assert "tool_calls" not in told["choices"][0]["message"]
    assert told["choices"][0]["finish_reason"] == "stop"
    whole = stream(
        start(0, toolUse=used), delta(0, toolUse={"input": "{}"}), stop(0), delta(1, text="hi"), stop(1), *END
    )
    events, _ = streamed(CHAT, CONVERSE, whole)
    found = message_of(CHAT, events)
    assert (found["text"], found["calls"], found["stop"]) == ("hi", [], "stop")


def test_citations_of_the_web() -> None:
    cited = {"title": "A", "location": {"web": {"url": "https://x.test/a", "domain": "x.test"}}}
    block = {"citationsContent": {"content": [{"text": "hello"}], "citations": [cited]}}
    (note,) = answered(CHAT, CONVERSE, answer(block))["choices"][0]["message"]["annotations"]
    assert (note["url_citation"]["url"], note["url_citation"]["end_index"]) == ("https://x.test/a", 5)
    events, _ = streamed(RESPONSES, CONVERSE, stream(delta(0, text="hello"), delta(0, citation=cited), stop(0), *END))
    notes = [one["annotation"] for kind, one in events if kind == "response.output_text.annotation.added"]
    assert [one["url"] for one in notes] == ["https://x.test/a"]
    page = {**cited, "location": {"documentPage": {"documentIndex": 0, "start": 1, "end": 2}}}
    conversion = convert(CHAT, CONVERSE)
    block["citationsContent"]["citations"] = [page]
    conversion.response(json.dumps(answer(block)).encode())
    assert [loss.name for loss in conversion.losses] == ["annotations"]


def test_reasoning_in_pieces() -> None:
    whole = stream(
        delta(0, text=""),
        stop(0),
        delta(1, reasoningContent={"text": "h"}),
        delta(1, reasoningContent={"text": "m"}),
        delta(1, reasoningContent={"signature": "si"}),
        delta(1, reasoningContent={"signature": "g"}),
        stop(1),
        delta(2, reasoningContent={"redactedContent": "YQ=="}),
        delta(2, reasoningContent={"redactedContent": "Yg=="}),
        stop(2),
        delta(3, text="hi"),
        stop(3),
        *END,
    )
    events, _ = streamed(MESSAGES, CONVERSE, whole)
    assert message_of(MESSAGES, events)["thought"] == "hm"
    kinds = [one["content_block"]["type"] for kind, one in events if kind == "content_block_start"]
    assert kinds == ["thinking", "redacted_thinking", "text"]
    tokens = [
        one["content_block"]["data"] for kind, one in events if kind == "content_block_start" and one["index"] == 1
    ]
    signature = next(
        one["delta"]["signature"] for _, one in events if one.get("delta", {}).get("type") == "signature_delta"
    )
    said = [
        {"role": "user", "content": "x"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": signature},
                {"type": "redacted_thinking", "data": tokens[0]},
                {"type": "text", "text": "hi"},
            ],
        },
        {"role": "user", "content": "y"},
    ]
    back = json.loads(convert(MESSAGES, CONVERSE, request(MESSAGES, said)).body)["messages"][1]["content"]
    assert back[:2] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "YWI="}},
    ]


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, b'{"message":"no such field"}', "invalid_request", "upstream_refused"),
        (400, b'{"message":"Input is too long for requested model."}', "invalid_request", "context_length_exceeded"),
        (403, b'{"Message":"bad signature"}', "permission", "upstream_refused"),
        (424, b'{"message":"model failed"}', "upstream", "upstream_refused"),
        (429, b'{"message":"Too many requests"}', "rate_limit", "upstream_refused"),
        (500, b'{"message":"oops"}', "upstream", "upstream_refused"),
    ],
)
def test_errors(status: int, body: bytes, kind: str, code: str) -> None:
    found = decode_error(status, body)
    assert found is not None
    assert (found.status, found.kind, found.code) == (status, kind, code)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"message":""}', b'{"message":{}}', b"\xff"])
def test_what_is_no_error(body: bytes) -> None:
    assert decode_error(400, body) is None
