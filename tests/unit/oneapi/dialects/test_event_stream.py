"""Amazon's event stream: messages of its published tests, cut and broken anywhere, and headers of every type."""

import json
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneapi.dialects.event_stream import (
    MAX_HEADER_BYTES,
    MAX_MESSAGE_BYTES,
    EventStreamFraming,
    Unreadable,
    read_headers,
)
from tests.upstream.frames import failure, frame, message, text_header

STREAM = (
    frame("messageStart", {"role": "assistant"})
    + frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "é😀"}})
    + frame("throttlingException", {"message": "slow"}, "exception")
    + failure("InternalFailure", 'so "sorry"')
    + message(text_header(":event-type", "ping"), b"")
)
TOLD = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "é😀"}}},
    {"throttlingException": {"message": "slow"}},
    {"error": {"code": "InternalFailure", "message": 'so "sorry"'}},
    {"ping": {}},
]


def read(pieces: list[bytes]) -> tuple[list[bytes], bool]:
    framing = EventStreamFraming()
    return [data for piece in pieces for data in framing.feed(piece)] + framing.end(), framing.broken


def test_the_messages_that_aws_publishes() -> None:
    empty = bytes.fromhex("00000010 00000000 05c248eb 7d98c8ff")
    payload = bytes.fromhex("0000001d 00000000 fd528c5a") + b"{'foo':'bar'}" + bytes.fromhex("c3653936")
    assert message(b"", b"") == empty
    assert message(b"", b"{'foo':'bar'}") == payload
    named = bytes.fromhex("0000003d 00000020 07fd8396 0c") + b"content-type" + bytes.fromhex("070010")
    named += b"application/json{'foo':'bar'}" + bytes.fromhex("8d9c08b1")
    assert message(text_header("content-type", "application/json"), b"{'foo':'bar'}") == named
    assert read_headers(named[12 : 12 + 32]) == {"content-type": "application/json"}


def test_whole_and_byte_by_byte() -> None:
    told, broken = read([STREAM])
    assert [json.loads(data) for data in told] == TOLD
    assert not broken
    assert read([STREAM[place : place + 1] for place in range(len(STREAM))]) == (told, False)


@settings(deadline=None)
@given(st.lists(st.integers(0, len(STREAM)), max_size=8).map(sorted))
def test_however_it_was_cut(cuts: list[int]) -> None:
    pieces = [STREAM[i:j] for i, j in zip([0, *cuts], [*cuts, len(STREAM)], strict=True)]
    assert read(pieces) == read([STREAM])


@settings(deadline=None)
@given(st.integers(0, len(STREAM) - 1), st.integers(1, 255), st.lists(st.integers(0, len(STREAM)), max_size=4))
def test_a_byte_that_changed_breaks_the_stream_where_it_is(place: int, flip: int, cuts: list[int]) -> None:
    changed = bytearray(STREAM)
    changed[place] ^= flip
    told, broken = read([bytes(changed)])
    places = sorted(cuts)
    pieces = [bytes(changed[i:j]) for i, j in zip([0, *places], [*places, len(STREAM)], strict=True)]
    assert read(pieces) == (told, broken)
    assert broken
    assert told == read([STREAM])[0][: len(told)]
    assert len(told) < len(TOLD)


@settings(deadline=None)
@given(st.integers(0, len(STREAM) - 1))
def test_a_stream_that_ends_too_early_is_not_broken(length: int) -> None:
    told, broken = read([STREAM[:length]])
    assert not broken
    assert told == read([STREAM])[0][: len(told)]


def prelude(total: int, headers: int) -> bytes:
    lengths = struct.pack(">II", total, headers)
    return lengths + struct.pack(">I", zlib.crc32(lengths))


@pytest.mark.parametrize(
    ("total", "headers"),
    [(0, 0), (15, 0), (16, 1), (MAX_MESSAGE_BYTES + 1, 0), (2**32 - 1, 0), (1 << 20, MAX_HEADER_BYTES + 1)],
)
def test_lengths_are_bounded_before_anything_is_waited_for(total: int, headers: int) -> None:
    assert read([prelude(total, headers)]) == ([], True)


def test_the_longest_message_is_read() -> None:
    head = text_header(":event-type", "x")
    payload = b'{"a":"' + b"x" * (MAX_MESSAGE_BYTES - 16 - len(head) - 8) + b'"}'
    told, broken = read([message(head, payload)])
    assert (len(told), broken) == (1, False)
    assert read([prelude(MAX_MESSAGE_BYTES, len(head))]) == ([], False)


@pytest.mark.parametrize(
    "broken",
    [
        message(b"", b"{}"),
        message(text_header(":event-type", 'x":1,"y'), b"{}"),
        message(text_header(":event-type", ""), b"{}"),
        message(text_header(":event-type", "x"), b"[1]"),
        message(text_header(":event-type", "x"), b'"x"'),
        message(text_header(":message-type", "exception") + text_header(":event-type", "x"), b"{}"),
        message(text_header(":message-type", "new"), b"{}"),
        message(b"\x01", b"{}"),
        message(b"\x01a", b"{}"),
        message(b"\x01a\x0b", b"{}"),
        message(b"\x01a\x07\x00", b"{}"),
        message(b"\x01a\x07\x00\x05ab", b"{}"),
        message(b"\x01\xff\x07\x00\x00", b"{}"),
        message(b"\x01a\x09" + bytes(15), b"{}"),
    ],
)
def test_what_is_no_message_of_a_service_breaks_the_stream(broken: bytes) -> None:
    first = frame("messageStart", {})
    assert read([first + broken + first]) == ([b'{"messageStart":{}}'], True)
    framing = EventStreamFraming()
    framing.feed(broken)
    assert framing.broken
    assert framing.feed(first) == []


def test_headers_of_every_type_are_passed_over() -> None:
    values = {
        0: b"",
        1: b"",
        2: b"\x01",
        3: bytes(2),
        4: bytes(4),
        5: bytes(8),
        6: b"\x00\x03abc",
        8: bytes(8),
        9: bytes(16),
    }
    headers = b"".join(b"\x01x" + bytes([kind]) + value for kind, value in values.items())
    assert read_headers(headers + text_header("name", "é") + headers) == {"name": "é"}
    with pytest.raises(Unreadable):
        read_headers(headers + b"\x01")
