"""Streams of Gemini's as clients of other formats see them."""

from typing import Any

import pytest

from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    GEMINI,
    MESSAGES,
    RESPONSES,
    convert,
    fed,
    message_of,
    request,
    sent,
    sse,
    streamed,
)

USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 35, "thoughtsTokenCount": 20}


def chunk(*parts: Any, reason: str | None = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": "m", "responseId": "r", **more}


def call(name: str = "f", **args: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": args}}


@pytest.mark.parametrize("client", [CHAT, RESPONSES, MESSAGES])
def test_t35_one_call_in_a_chunk(client: str) -> None:
    stream = sse([chunk(call("f", a=1)), chunk(call("g"), reason="STOP")])
    events, converter = streamed(client, GEMINI, stream)
    found = message_of(client, events)
    assert [(name, arguments) for _, name, arguments in found["calls"]] == [("f", '{"a":1}'), ("g", "{}")]
    assert len({call_id for call_id, _, _ in found["calls"]}) == 2
    assert found["stop"] in {"tool_calls", "completed", "tool_use"}
    assert converter.usage == {"input": 10, "output": 5, "reasoning": 20}


def test_thoughts_text_and_a_signature_at_the_end() -> None:
    stream = sse(
        [
            chunk({"text": "h", "thought": True}),
            chunk({"text": "m", "thought": True}),
            chunk({"text": "so"}),
            chunk({"text": "."}),
            chunk({"text": "", "thoughtSignature": "c2ln"}, reason="STOP"),
        ]
    )
    events, _ = streamed(MESSAGES, GEMINI, stream)
    starts = [event["content_block"] for _, event in events if event["type"] == "content_block_start"]
    assert [block["type"] for block in starts] == ["thinking", "text", "redacted_thinking"]
    found = message_of(MESSAGES, events)
    assert (found["thought"], found["text"]) == ("hm", "so.")
    blocks = [
        {"type": "text", "text": "so."},
        {"type": "redacted_thinking", "data": starts[2]["data"]},
    ]
    history = [{"role": "user", "content": "x"}, {"role": "assistant", "content": blocks}]
    parts = sent(MESSAGES, GEMINI, request(MESSAGES, [*history, {"role": "user", "content": "y"}]))["contents"][1]
    assert parts["parts"] == [{"text": "so."}, {"text": "", "thoughtSignature": "c2ln"}]


def test_a_signature_of_a_call_is_the_thoughts() -> None:
    stream = sse([chunk({"text": "hm", "thought": True}), chunk({**call(), "thoughtSignature": "c2ln"}, reason="STOP")])
    events, _ = streamed(MESSAGES, GEMINI, stream)
    starts = [event["content_block"]["type"] for _, event in events if event["type"] == "content_block_start"]
    assert starts == ["thinking", "tool_use"]


def test_arguments_in_pieces() -> None:
    def piece(path: str, value: Any, kind: str = "stringValue") -> dict[str, Any]:
        return {"functionCall": {"partialArgs": [{"jsonPath": path, kind: value}], "willContinue": True}}

    stream = sse(
        [
            chunk({"functionCall": {"name": "f", "willContinue": True}}),
            chunk(piece("$.a.b[0]", "x")),
            chunk(piece("$.a.b[0]", "y")),
            chunk(piece("$.n", 3, "numberValue")),
            chunk(piece("$['k']", True, "boolValue")),
            chunk(piece("$.a.b[9]", "beyond")),
            chunk(piece("nothing", "x")),
            chunk({"functionCall": {}}),
            chunk({"functionCall": {"name": "g", "willContinue": True}}),
            chunk({"text": ""}, reason="MAX_TOKENS"),
        ]
    )
    found = message_of(CHAT, streamed(CHAT, GEMINI, stream)[0])
    assert [(name, arguments) for _, name, arguments in found["calls"]] == [
        ("f", '{"a":{"b":["xy"]},"n":3,"k":true}'),
        ("g", ""),
    ]
    assert found["stop"] == "length"


def test_searches_and_citations_of_a_stream() -> None:
    grounding = {
        "webSearchQueries": ["q"],
        "groundingChunks": [{"web": {"uri": "https://x.test", "title": "X"}}],
        "groundingSupports": [{"segment": {"endIndex": 6, "text": "Now on"}, "groundingChunkIndices": [0]}],
    }
    last = chunk({"text": " on"}, reason="STOP")
    last["candidates"][0]["groundingMetadata"] = grounding
    events, converter = streamed(RESPONSES, GEMINI, sse([chunk({"text": "Now"}), last]))
    output = events[-1][1]["response"]["output"]
    assert [item["type"] for item in output] == ["message", "web_search_call"]
    [annotation] = output[0]["content"][0]["annotations"]
    assert (annotation["url"], annotation["start_index"], annotation["end_index"]) == ("https://x.test", 0, 6)
    assert converter.usage == {"input": 10, "output": 5, "reasoning": 20, "search": 1}


def test_streams_that_break_or_fail() -> None:
    _, converter = fed(convert(CHAT, GEMINI), [sse([chunk({"text": "x"})])])
    assert (converter.finished, converter.error) == (False, None)
    error = {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}
    _, converter = fed(convert(CHAT, GEMINI), [sse([chunk({"text": "x"}), error])])
    assert converter.error == ("UNAVAILABLE", "Overloaded.")
    _, converter = fed(convert(CHAT, GEMINI), [sse([chunk(reason="MALFORMED_FUNCTION_CALL")])])
    assert converter.error == ("malformed_function_call", "")
    assert converter.usage == {"input": 10, "output": 5, "reasoning": 20}


def test_other_candidates_and_odd_parts_say_nothing() -> None:
    other = {"content": {"parts": [{"text": "b"}]}, "index": 1, "finishReason": "STOP"}
    first = chunk({"text": "a"}, 7, {"functionCall": 1}, {"functionCall": {"args": {}}}, reason="STOP")
    first["candidates"].append(other)
    assert message_of(CHAT, streamed(CHAT, GEMINI, sse([first]))[0])["text"] == "a"
