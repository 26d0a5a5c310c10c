"""Server-sent events as a framing: the same data however the bytes were cut, and comments as signs of life."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneapi.dialects.sse import MAX_EVENT_BYTES, MAX_LINE_BYTES
from oneapi.dialects.sse_framing import SseFraming
from oneapi.dialects.upstreams import UPSTREAMS

STREAM = (
    b'\xef\xbb\xbfdata: {"a":1}\n\n'
    b'event: x\ndata: {"b":2}\n\n'
    b'data:{"c":3}\r\n\r\n'
    b'id: 7\ndata: {"d":\ndata: 4}\n\n'
    b"data: \n\n"
    b"data:\n\n"
    b"event: alone\n\n"
    b": ping\n\n"
    b'data:  {"e":5} \n\n'
)
TOLD = [b'{"a":1}', b'{"b":2}', b'{"c":3}', b'{"d":\n4}', b"", b'{"e":5}']


def read(pieces: list[bytes]) -> list[bytes]:
    framing = SseFraming()
    found = [data for piece in pieces for data in framing.feed(piece)] + framing.end()
    assert not framing.broken
    return found


def test_whole_and_byte_by_byte() -> None:
    told = read([STREAM])
    assert told == read([STREAM[place : place + 1] for place in range(len(STREAM))])
    assert told == TOLD


@settings(deadline=None)
@given(st.lists(st.integers(0, len(STREAM)), max_size=8).map(sorted))
def test_however_it_was_cut(cuts: list[int]) -> None:
    pieces = [STREAM[i:j] for i, j in zip([0, *cuts], [*cuts, len(STREAM)], strict=True)]
    assert read(pieces) == read([STREAM])


def test_whole_events_in_a_row_take_the_short_way() -> None:
    framing = SseFraming()
    framing.feed(b"data: 1\n\n")
    assert framing.feed(b"data: 2\n\nevent: x\ndata: 3\n\n: alive\n\ndata:  \n\ndata: 4 \n\n") == [
        b"2",
        b"3",
        b"",
        b"4",
    ]


def test_the_last_event_needs_no_blank_line() -> None:
    framing = SseFraming()
    assert framing.feed(b"data: 1\n\ndata: 2") == [b"1"]
    assert framing.end() == [b"2"]


def test_formats_have_their_own_bound_of_a_line() -> None:
    line = b"data: " + b"1" * (2 * MAX_LINE_BYTES) + b"\n\n"
    for upstream, codec in UPSTREAMS.items():
        if upstream == "bedrock_converse":
            continue
        framing = codec.framing()
        assert bool(framing.feed(line)) == (upstream != "cohere_chat")
        assert framing.broken == (upstream == "cohere_chat")


@pytest.mark.parametrize("ended", [False, True])
def test_too_large_an_event_is_broken(ended: bool) -> None:
    framing = SseFraming(16)
    assert framing.feed(b"data: " + b"x" * (MAX_EVENT_BYTES - 6)) == []
    assert not framing.broken
    assert (framing.end() if ended else framing.feed(b"xx")) == []
    assert framing.broken


def test_empty_lines_before_a_comment_change_nothing() -> None:
    for lines in range(4):
        assert SseFraming().feed(b"data: 1\n\n" + b"\n" * lines + b": here\n\n") == [b"1", b""], lines
