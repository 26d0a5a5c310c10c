from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.edge.money import resp
from services.edge.money.resp import Incomplete, RedisRefused

REPLIES: list[tuple[bytes, Any]] = [
    (b"+OK\r\n", b"OK"),
    (b":-12\r\n", -12),
    (b"$5\r\na\r\nbc\r\n", b"a\r\nbc"),
    (b"$0\r\n\r\n", b""),
    (b"$-1\r\n", None),
    (b"*0\r\n", []),
    (b"*3\r\n:1\r\n$1\r\nx\r\n*1\r\n+y\r\n", [1, b"x", [b"y"]]),
]


def test_commands_are_packed_by_bytes() -> None:
    assert resp.command("SET", "ключ", b"\0") == b"*3\r\n$3\r\nSET\r\n$8\r\n" + "ключ".encode() + b"\r\n$1\r\n\0\r\n"


def test_an_error_is_a_value() -> None:
    value, end = resp.parse(b"-OOM command not allowed\r\n", 0)
    assert isinstance(value, RedisRefused)
    assert str(value) == "OOM command not allowed"
    assert end == 26


@given(st.lists(st.sampled_from(REPLIES), min_size=1), st.data())
def test_replies_are_found_wherever_the_bytes_are_cut(rows: list[tuple[bytes, Any]], data: st.DataObject) -> None:
    whole = b"".join(wire for wire, _ in rows)
    cut = data.draw(st.integers(0, len(whole)))
    found, rest = [], b""
    for piece in (whole[:cut], whole[cut:]):
        rest += piece
        position = 0
        try:
            while position < len(rest):
                value, position = resp.parse(rest, position)
                found.append(value)
        except Incomplete:
            pass
        rest = rest[position:]
    assert found == [value for _, value in rows]
    assert rest == b""


@pytest.mark.parametrize("wire", [b"HTTP/1.1 200 OK\r\n", b"$x\r\n", b"\r\n\r\n", b"*1\r\n" * 1_000 + b":1\r\n"])
def test_what_is_no_reply_is_refused(wire: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        resp.parse(wire, 0)
