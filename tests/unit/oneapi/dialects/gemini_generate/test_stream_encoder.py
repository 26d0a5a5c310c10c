"""Streams of other formats as Google's clients see them."""

import json

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.gemini_generate.json_array import JsonArray
from tests.unit.oneapi.dialects import grammars
from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    GEMINI,
    MESSAGES,
    chat_chunk,
    convert,
    fed,
    message_of,
    sse,
    streamed,
)

STREAM = sse(
    [
        chat_chunk({"role": "assistant", "content": ""}),
        chat_chunk({"reasoning_content": "hm"}),
        chat_chunk({"content": "é"}),
        chat_chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x":'}}]}),
        chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}),
        chat_chunk(finish="tool_calls", usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}),
    ],
    done=True,
)


def test_calls_are_whole_and_the_last_answer_tells_usage() -> None:
    events, _ = streamed(GEMINI, CHAT, STREAM)
    found = message_of(GEMINI, events)
    assert (found["thought"], found["text"]) == ("hm", "é")
    assert found["calls"] == [["a", "f", '{"x": 1}']]
    assert found["stop"] == "STOP"
    assert found["usage"]["totalTokenCount"] == 7
    assert [("usageMetadata" in answer) for _, answer in events] == [False] * (len(events) - 1) + [True]


def test_a_call_that_was_cut_off_has_no_arguments() -> None:
    cut = sse(
        [
            chat_chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x":'}}]}),
            chat_chunk(finish="length"),
        ],
        done=True,
    )
    found = message_of(GEMINI, streamed(GEMINI, CHAT, cut)[0])
    assert (found["calls"], found["stop"]) == ([["a", "f", "{}"]], "MAX_TOKENS")


def test_googles_clients_get_no_comments() -> None:
    ping = b'event: ping\ndata: {"type":"ping"}\n\n: still there\n\n'
    out, _ = fed(convert(GEMINI, MESSAGES), [ping])
    assert out == b"\n\n" * 2
    out, _ = fed(convert(CHAT, MESSAGES), [ping])
    assert out == b": keepalive\n\n" * 2


def test_a_failure_ends_the_stream() -> None:
    out, converter = fed(convert(GEMINI, CHAT), [STREAM[: len(STREAM) // 2]])
    broken = GatewayError(502, "upstream", "upstream_cut", "It broke off.")
    whole = out + converter.finish_bytes(broken, "req_1")
    assert grammars.gemini(whole) == "failed"
    error = grammars.events(whole)[-1][1]["error"]
    assert (error["code"], error["status"], error["message"]) == (502, "UNAVAILABLE", "It broke off.")


def test_a_stream_as_a_list() -> None:
    out, _ = fed(convert(GEMINI, CHAT), [STREAM])
    for size in (len(out), 1):
        array = JsonArray()
        events = [event + b"\n\n" for event in out.split(b"\n\n")[:-1]]
        pieces = [b"".join(events[place : place + size]) for place in range(0, len(events), size)]
        text = b"".join([array.feed(piece) for piece in pieces]) + array.end()
        assert json.loads(text) == [event for _, event in grammars.events(out)]
    assert JsonArray().end() == b"[]"
    array = JsonArray()
    assert array.feed(b": keepalive\n\n") == b""
    assert array.feed(b"\n\n") == b"\r\n"
