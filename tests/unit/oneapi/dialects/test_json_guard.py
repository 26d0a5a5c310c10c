import contextlib
import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.dialects import json_guard

values = st.recursive(
    st.none() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=30,
)
GUARDS = [json_guard.check, json_guard.decode]


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((depth(item) for item in value.values()), default=0)
    return 1 + max((depth(item) for item in value), default=0) if isinstance(value, list) else 0


@given(values, st.integers(0, 6))
def test_both_agree_with_a_parser_on_depth(value: object, limit: int) -> None:
    body = json.dumps(value).encode()
    for guard in GUARDS:
        if depth(value) > limit:
            with pytest.raises(json_guard.JsonTooComplex):
                guard(body, limit, 10**6)
        else:
            assert guard(body, limit, 10**6) in (None, value)


@given(st.binary(max_size=200) | st.text('[]{}",:\\1', max_size=60).map(str.encode))
def test_any_bytes_are_answered(body: bytes) -> None:
    with contextlib.suppress(json_guard.JsonTooComplex):
        json_guard.check(body, 2, 5)
    with contextlib.suppress(json_guard.JsonTooComplex, msgspec.DecodeError, UnicodeDecodeError):
        json_guard.decode(body, 2, 5)


@pytest.mark.parametrize("guard", GUARDS)
def test_many_values_are_refused_but_not_long_texts(guard: Callable[[bytes], object]) -> None:
    with pytest.raises(json_guard.JsonTooComplex, match="values"):
        guard(b"[" + b"1," * 200_001 + b"1]")
    guard(json.dumps({"text": '[{,]"\\' * 100_000}).encode())


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("bomb", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000])
def test_a_bomb_is_refused(guard: Callable[[bytes], object], bomb: bytes) -> None:
    with pytest.raises((json_guard.JsonTooComplex, msgspec.DecodeError)):
        guard(bomb)


def test_the_limit_itself_is_allowed() -> None:
    for guard in GUARDS:
        guard(b"[" * 64 + b"]" * 64)
        with pytest.raises(json_guard.JsonTooComplex, match="64 levels"):
            guard(b"[" * 65 + b"]" * 65)


@pytest.mark.parametrize(
    "body",
    [b"NaN", b"[Infinity]", b'"\\ud800"', b"\xff", b'"\xc3"', "{}".encode("utf-16"), b"\xef\xbb\xbf{}", b"", b"{} 1"],
)
def test_what_lenient_parsers_take_is_refused(body: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        json_guard.decode(body)


def test_the_last_of_equal_keys_holds() -> None:
    assert json_guard.decode(b'{"a":1,"a":2}') == {"a": 2}


def test_brackets_in_a_text_alone_are_no_depth() -> None:
    assert json_guard.decode(b'"[{"', max_depth=0) == "[{"
    assert json_guard.decode(b'"[{["', max_depth=1) == "[{["
