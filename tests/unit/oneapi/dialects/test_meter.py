"""The meters of every dialect, on streams of our own. Recorded ones are in `test_registry.py`."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.meter import StreamMeter
from oneapi.dialects.registry import DIALECTS

ERROR = GatewayError(502, "upstream", "upstream_cut", "The upstream broke off.")


def data(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def event(kind: str, **value: Any) -> bytes:
    return f"event: {kind}\n".encode() + data({"type": kind, **value})


CHAT = [
    data({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}),
    data({"choices": [{"index": 0, "delta": {"content": "héllo"}}]}),
    data({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}}]}),
    data({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    data({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}),
    b"data: [DONE]\n\n",
]
MESSAGES = [
    event("message_start", message={"usage": {"input_tokens": 7, "output_tokens": 1, "cache_read_input_tokens": 2}}),
    event("ping"),
    event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    event("content_block_delta", index=0, delta={"type": "text_delta", "text": "hi"}),
    event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"}),
    event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": "{}"}),
    event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 9}),
    event("message_stop"),
]
RESPONSES = [
    event("response.created", sequence_number=0, response={"usage": None}),
    event("response.output_text.delta", sequence_number=1, delta="hi"),
    event("response.completed", sequence_number=2, response={"usage": {"input_tokens": 4, "output_tokens": 1}}),
]
FORMS = [
    (b"data: ", b"data: "),
    (b"data: ", b"data:"),
    (b"\n", b"\r\n"),
    (b"data: ", b"id: 7\ndata: "),
    (b'{"', b'{\ndata: "'),
]
"""Ways to write the same events: the usual one, without the space, with CRLF, with more fields, on several lines."""
STREAMS = {"openai_chat": CHAT, "anthropic_messages": MESSAGES, "openai_responses": RESPONSES}


def meter(name: str, **how: bool) -> StreamMeter:
    make = DIALECTS[name].meter
    assert make is not None
    return make(**how)


def facts(found: StreamMeter) -> tuple[object, ...]:
    return found.usage, found.text_bytes, found.started, found.finished, found.error


def sent(found: StreamMeter, pieces: list[bytes]) -> bytes:
    """What went on of a stream in pieces."""
    return b"".join([found.feed(piece) for piece in pieces]) + found.end()


@pytest.mark.parametrize("name", STREAMS)
def test_bytes_go_on_as_they_came(name: str) -> None:
    whole = b"".join(STREAMS[name])
    at_once, bytewise = meter(name), meter(name)
    assert at_once.feed(whole) is whole
    assert b"".join(bytewise.feed(whole[i : i + 1]) for i in range(len(whole))) + bytewise.end() == whole
    assert facts(at_once) == facts(bytewise)
    assert at_once.finished
    assert at_once.started


def test_what_each_counts() -> None:
    expected = {
        "openai_chat": ({"input": 3, "output": 2}, len("héllo{}".encode())),
        "anthropic_messages": ({"input": 7, "cached_input": 2, "output": 9}, 6),
        "openai_responses": ({"input": 4, "output": 1}, 2),
    }
    for name, (usage, text_bytes) in expected.items():
        found = meter(name)
        found.feed(b"".join(STREAMS[name]))
        assert (found.usage, found.text_bytes) == (usage, text_bytes)


def test_a_usage_chunk_that_nobody_asked_for_is_dropped() -> None:
    found = meter("openai_chat", forward_usage=False)
    assert found.feed(b"".join(CHAT)) == b"".join([*CHAT[:4], CHAT[5]])
    assert found.usage == {"input": 3, "output": 2}


def test_roles_and_empty_blocks_are_not_content() -> None:
    for name, count in (("openai_chat", 1), ("anthropic_messages", 3), ("openai_responses", 1)):
        found = meter(name)
        found.feed(b"".join(STREAMS[name][:count]))
        assert not found.started
        found.feed(STREAMS[name][count])
        assert found.started


@pytest.mark.parametrize("name", STREAMS)
def test_an_error_event_is_kept_back(name: str) -> None:
    told = {
        "openai_chat": data({"error": {"message": "secret", "type": "server_error", "code": None}}),
        "anthropic_messages": event("error", error={"type": "overloaded_error", "message": "secret"}),
        "openai_responses": event("error", code="server_error", message="secret"),
    }[name]
    found = meter(name)
    first = STREAMS[name][1]
    assert found.feed(first + told + first) == first
    assert found.error is not None
    assert found.error[0] in {"server_error", "overloaded_error"}
    assert found.feed(first) == b""
    assert found.end() == b""
    end = found.finish_bytes(ERROR)
    assert end.endswith(b"\n\n")
    assert b"The upstream broke off." in end


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("broken", [b"{not json", b"[1,2", b'{"choices": 7, "delta": 7, "type": 7}', b"\xff\xfe"])
def test_what_can_not_be_read_is_kept_back(name: str, broken: bytes) -> None:
    found = meter(name)
    assert found.feed(b"data: " + broken + b"\n\n") == b""
    assert found.error == ("malformed_event", "The upstream sent an event that can't be read.")


@given(st.sampled_from(sorted(STREAMS)), st.lists(st.binary(max_size=60), max_size=10))
def test_any_bytes_are_survived(name: str, pieces: list[bytes]) -> None:
    found = meter(name)
    for piece in pieces:
        found.feed(b"data: " + piece)
    found.end()


@given(st.sampled_from(sorted(STREAMS)), st.booleans(), st.sampled_from(FORMS), st.data())
def test_any_split_and_form_gives_the_same(
    name: str, forward: bool, form: tuple[bytes, bytes], draw: st.DataObject
) -> None:
    whole = b"".join(STREAMS[name])
    expected = meter(name, forward_usage=forward)
    kept = sent(expected, [whole])
    before, after = form
    other = whole.replace(before, after)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(other)), max_size=8)))
    found = meter(name, forward_usage=forward)
    pieces = [other[i:j] for i, j in itertools.pairwise([0, *cuts, len(other)])]
    assert sent(found, pieces) == kept.replace(before, after)
    assert facts(found) == facts(expected)


def test_a_stream_without_its_last_blank_line_is_whole() -> None:
    for name, events in STREAMS.items():
        found = meter(name)
        whole = b"".join(events)[:-2]
        assert sent(found, [whole]) == whole
        assert found.finished


def test_comments_go_on_and_empty_data_do_not() -> None:
    found = meter("openai_chat")
    comment = b": OPENROUTER PROCESSING\n\n"
    assert found.feed(comment) is comment
    for empty in (b"data: \n\n", b"data:\n\n", b"data:  \n\n", b"event: ping\ndata:\n\n"):
        assert found.feed(empty + CHAT[1]) == CHAT[1]
    assert found.feed(b"event: ping\n\n") == b"event: ping\n\n"
    assert found.error is None


def test_a_line_too_long_ends_the_metering() -> None:
    for piece in (1, 2):
        found = meter("openai_chat")
        whole = b"data: " + b" " * (32 * 1024 * 1024 + 1) + b"{}\n\n"
        assert (
            b"".join(found.feed(part) for part in (whole[: len(whole) // piece], whole[len(whole) // piece :])) == b""
        )
        assert found.error is not None


def test_many_dropped_events_at_once() -> None:
    usage = data({"choices": [], "usage": {"prompt_tokens": 1}})
    found = meter("openai_chat", forward_usage=False)
    assert found.feed((usage + CHAT[1]) * 2_000) == CHAT[1] * 2_000


@pytest.mark.parametrize("kind", [[], {}, None, 1])
def test_a_block_of_a_kind_that_is_no_text_is_counted_as_one_of_an_unknown_kind(kind: Any) -> None:
    one = meter("anthropic_messages")
    one.feed(event("content_block_start", index=0, content_block={"type": kind, "name": "f"}))
    assert (one.started, one.text_bytes, one.error) == (True, 1, None)


@pytest.mark.parametrize("client", ["gemini_generate", "openai_chat"])
@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
def test_a_picture_is_one_line(client: str, end: bytes) -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": "A" * (9 * 1024 * 1024)}}
    part = picture if client == "gemini_generate" else {"text": "x"}
    answer = {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}], "choices": [{"x": picture}]}
    whole = data(answer).removesuffix(b"\n\n") + end
    found = meter(client)
    size = 256 * 1024
    out = b"".join(found.feed(whole[at : at + size]) for at in range(0, len(whole), size))
    assert (found.error, len(out), out == whole) == (None, len(whole), True)
    endless = meter(client)
    for _ in range(33 * 4 + 1):
        endless.feed(b"data: " + b"x" * size)
    assert endless.error == ("malformed_event", "The upstream sent an event that can't be read.")
