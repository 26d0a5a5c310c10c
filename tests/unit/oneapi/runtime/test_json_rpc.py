import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.runtime.json_rpc import BadMessage, read_message

PING: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"id": "a text"},
        {"id": -7},
        {"params": {}},
        {"params": {"name": "t", "arguments": {"deep": [[[1]]]}}},
        {"method": "notifications/initialized"},
        {"more": "unknown members are passed on"},
    ],
)
def test_messages_pass(change: dict[str, Any]) -> None:
    read_message(msgspec.json.encode(PING | change))
    without_id = {name: value for name, value in (PING | change).items() if name != "id"}
    read_message(msgspec.json.encode(without_id))


@pytest.mark.parametrize(
    "change",
    [
        {"jsonrpc": "1.0"},
        {"jsonrpc": 2},
        {"id": None},
        {"id": True},
        {"id": 1.5},
        {"id": [1]},
        {"id": {}},
        {"id": "x" * 257},
        {"id": 2**63},
        {"method": ""},
        {"method": None},
        {"method": "x" * 129},
        {"params": []},
        {"params": None},
        {"params": {"deep": msgspec.json.decode(b"[" * 70 + b"]" * 70)}},
    ],
)
def test_other_shapes_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadMessage) as refused:
        read_message(msgspec.json.encode(PING | change))
    assert refused.value.code == -32600


@pytest.mark.parametrize(
    "body", [b"[]", b"[{}]", b'"text"', b"7", b"null", b"{}", b'{"jsonrpc":"2.0","result":{},"id":1}']
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(BadMessage) as refused:
        read_message(body)
    assert refused.value.code == -32600


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"{} {}", b"NaN", b'{"a": "\xed\xa0\x80"}'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadMessage) as refused:
        read_message(body)
    assert refused.value.code == -32700


@given(st.binary(max_size=200))
def test_nothing_else_is_ever_raised(body: bytes) -> None:
    with contextlib.suppress(BadMessage):
        read_message(body)
