"""Answers, streams, usage and errors of Cohere's as clients see them."""

import json
from typing import Any

import pytest

from oneapi.dialects.cohere_chat.errors import decode_error
from oneapi.dialects.cohere_chat.usage import buckets
from oneapi.dialects.errors import GatewayError
from tests.unit.oneapi.dialects.cohere_chat.wire import event, written
from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    GEMINI,
    MESSAGES,
    RESPONSES,
    answered,
    convert,
    message_of,
    streamed,
)
from tests.unit.oneapi.dialects.shapes import call

COHERE = "cohere_chat"
START = event("message-start", {"role": "assistant"}, id="c")
END = {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": {"input_tokens": 9.0}}}}
SOURCE = {"type": "document", "id": "d", "document": {"url": "https://x.test/a", "title": "A"}}


def answer(message: dict[str, Any], reason: str = "COMPLETE", **more: Any) -> dict[str, Any]:
    return {"id": "c", "message": {"role": "assistant", **message}, "finish_reason": reason, **more}


def stream(*events: Any) -> bytes:
    return b"".join(written([START, *events]))


@pytest.mark.parametrize(
    ("reason", "chat", "responses", "messages"),
    [
        ("COMPLETE", "stop", "completed", "end_turn"),
        ("STOP_SEQUENCE", "stop", "completed", "end_turn"),
        ("MAX_TOKENS", "length", "incomplete", "max_tokens"),
        ("NEW_ONE", "stop", "completed", "end_turn"),
    ],
)
def test_reasons(reason: str, chat: str, responses: str, messages: str) -> None:
    told = answer({"content": [{"type": "text", "text": "hi"}]}, reason)
    assert answered(CHAT, COHERE, told)["choices"][0]["finish_reason"] == chat
    assert answered(RESPONSES, COHERE, told)["status"] == responses
    assert answered(MESSAGES, COHERE, told)["stop_reason"] == messages


@pytest.mark.parametrize("reason", ["ERROR", "TIMEOUT"])
def test_an_answer_that_failed_is_an_error(reason: str) -> None:
    with pytest.raises(GatewayError) as caught:
        convert(CHAT, COHERE).response(json.dumps(answer({}, reason)).encode())
    assert caught.value.status == 502
    _, converter = streamed(CHAT, COHERE, stream({"type": "message-end", "delta": {"finish_reason": reason}}))
    assert converter.error == (f"model_{reason.lower()}", "The model's answer failed.")
    assert not converter.finished


def test_an_error_inside_a_stream() -> None:
    said = event("content-delta", {"content": {"text": "a"}}, index=0)
    ending = {"type": "message-end", "delta": {"error": "no more", "finish_reason": "COMPLETE"}}
    for last in (ending, {"id": "x", "message": "no more"}):
        events, converter = streamed(MESSAGES, COHERE, stream(said, last))
        assert converter.error is not None
        assert converter.error[1] == "no more"
        assert message_of(MESSAGES, events)["text"] == "a"


def test_citations_of_the_web_and_others() -> None:
    cited = {"start": 3, "end": 5, "text": "lo", "sources": [SOURCE], "type": "TEXT_CONTENT", "content_index": 1}
    tool = {"start": 0, "end": 2, "sources": [{"type": "tool", "id": "t", "tool_output": {"content": "x"}}]}
    plan = {**cited, "type": "PLAN"}
    content = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hello"}]
    told = answer({"content": content, "citations": [cited, plan]})
    found = answered(CHAT, COHERE, told)["choices"][0]["message"]["annotations"]
    expected = {"url": "https://x.test/a", "title": "A", "start_index": 3, "end_index": 5}
    assert found == [{"type": "url_citation", "url_citation": expected}]
    conversion = convert(CHAT, COHERE)
    conversion.response(json.dumps(answer({"content": content, "citations": [tool]})).encode())
    assert [loss.name for loss in conversion.losses] == ["annotations"]
    streamed_ones = [
        event("content-start", {"content": {"type": "text", "text": ""}}, index=0),
        event("content-delta", {"content": {"text": "hello"}}, index=0),
        event("content-end", index=0),
        event("citation-start", {"citations": cited}, index=0),
        event("citation-end", index=0),
        event("citation-start", {"citations": plan}, index=1),
    ]
    events, _ = streamed(RESPONSES, COHERE, stream(*streamed_ones, END))
    notes = [one["annotation"] for kind, one in events if kind == "response.output_text.annotation.added"]
    assert [(note["url"], note["start_index"], note["end_index"]) for note in notes] == [("https://x.test/a", 3, 5)]


@pytest.mark.parametrize("client", [CHAT, RESPONSES, MESSAGES, GEMINI])
def test_a_plan_and_calls(client: str) -> None:
    calls = [
        {"tool_calls": {"id": one, "type": "function", "function": {"name": "f", "arguments": ""}}} for one in "ab"
    ]
    piece = [{"tool_calls": {"function": {"arguments": text}}} for text in ('{"x"', ":1}")]
    events, converter = streamed(
        client,
        COHERE,
        stream(
            event("tool-plan-delta", {"tool_plan": "I will "}),
            event("tool-plan-delta", {"tool_plan": "look."}),
            event("tool-call-start", calls[0], index=0),
            *(event("tool-call-delta", one, index=0) for one in piece),
            event("tool-call-end", index=0),
            event("tool-call-start", calls[1], index=1),
            event("tool-call-end", index=1),
            {"type": "debug", "prompt": "?"},
            {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}},
        ),
    )
    found = message_of(client, events)
    arguments = [json.loads(text or "{}") for _, _, text in found["calls"]]
    assert ([name for _, name, _ in found["calls"]], arguments) == (["f", "f"], [{"x": 1}, {}])
    assert found["thought"] == "I will look."
    assert converter.finished


def test_t43_a_call_that_was_cut_off() -> None:
    half = {"tool_calls": {"id": "a", "function": {"name": "f", "arguments": '{"path":"a'}}}
    cut = {"type": "message-end", "delta": {"finish_reason": "MAX_TOKENS"}}
    events, _ = streamed(RESPONSES, COHERE, stream(event("tool-call-start", half, index=0), cut))
    (item,) = events[-1][1]["response"]["output"]
    assert (item["status"], item["arguments"]) == ("incomplete", '{"path":"a')
    told = answer({"tool_calls": [call("a", "f", '{"path":"a')]}, "MAX_TOKENS")
    assert answered(MESSAGES, COHERE, told)["stop_reason"] == "max_tokens"


def test_a_stream_that_only_stops_is_not_whole() -> None:
    said = event("content-delta", {"content": {"text": "a"}}, index=0)
    _, converter = streamed(CHAT, COHERE, stream(said, event("content-end", index=0)))
    assert not converter.finished
    assert converter.error is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"billed_units": {"input_tokens": 1.0, "output_tokens": 9.0}, "tokens": {"input_tokens": 496}},
            {"input": 1, "output": 9},
        ),
        ({"tokens": {"input_tokens": 496, "output_tokens": 11}, "cached_tokens": 400}, {"input": 496, "output": 11}),
        (
            {"billed_units": {"search_units": 1}, "tokens": {"input_tokens": 5, "output_tokens": 2}},
            {"input": 5, "output": 2, "search": 1},
        ),
        (
            {"billed_units": {"output_tokens": 5}, "tokens": {"input_tokens": 100, "output_tokens": 7}},
            {"input": 100, "output": 5},
        ),
        ({"billed_units": {"input_tokens": -1, "output_tokens": "x"}}, {}),
        ({"billed_units": None, "tokens": []}, {}),
    ],
)
def test_usage_is_what_is_billed(told: dict[str, Any], expected: dict[str, int]) -> None:
    assert buckets(told) == expected


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, b'{"message":"invalid request"}', "invalid_request", "upstream_refused"),
        (400, b'{"message":"too many tokens: size limit exceeded"}', "invalid_request", "context_length_exceeded"),
        (401, b'{"message":"invalid api token"}', "authentication", "upstream_refused"),
        (429, b'{"message":"slow down"}', "rate_limit", "upstream_refused"),
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
