import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.dialects.sse import Event, Splitter, SseTooLarge

STREAM = (
    b'data: {"a":1}\n\n'
    b": a comment\n\n"
    b"event: named\r\ndata: first\r\ndata: second\r\n\r\n"
    b"data:no space\n\n"
    b"id: 7\nretry: 3\ndata: \xc3\xa9\xe2\x82\xac\n\n"
    b"data: last without its end"
)
EXPECTED = [
    (b"", b'{"a":1}'),
    (b"", b""),
    (b"named", b"first\nsecond"),
    (b"", b"no space"),
    (b"", "é€".encode()),
    (b"", b"last without its end"),
]


def split(pieces: list[bytes]) -> list[Event]:
    splitter = Splitter()
    events = [event for piece in pieces for event in splitter.feed(piece)]
    return events + splitter.end()


def facts(events: list[Event]) -> list[tuple[bytes, bytes]]:
    return [(event.event, event.data) for event in events]


def test_whole() -> None:
    events = split([STREAM])
    assert facts(events) == EXPECTED
    assert b"".join(event.raw for event in events) == STREAM


def test_byte_by_byte() -> None:
    events = split([STREAM[i : i + 1] for i in range(len(STREAM))])
    assert facts(events) == EXPECTED
    assert b"".join(event.raw for event in events) == STREAM


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_split_anywhere(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    events = split([STREAM[a:b] for a, b in itertools.pairwise(places)])
    assert facts(events) == EXPECTED


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_nothing_is_lost_of_any_bytes(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    kept = b"".join(event.raw for event in split(pieces))
    assert whole.startswith(kept)
    assert not whole[len(kept) :].strip()


def test_limits() -> None:
    with pytest.raises(SseTooLarge):
        Splitter(max_line=10).feed(b"data: 0123456789\n\n")
    with pytest.raises(SseTooLarge):
        Splitter(max_event=100).feed(b"x" * 101)
    with pytest.raises(SseTooLarge):
        Splitter(max_event=100).feed(b"x" * 101 + b"\n\n")


def test_a_byte_order_mark_counts_before_the_first_event_alone() -> None:
    mark = b"\xef\xbb\xbf"
    for size in (1, 2, 100):
        whole = mark + b"data: a\n\n" + mark + b"data: b\n\n"
        events = split([whole[at : at + size] for at in range(0, len(whole), size)])
        assert [(event.data, event.has_data) for event in events] == [(b"a", True), (b"", False)]
