"""One text out of a JSON object, however its bytes are cut."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneapi.dialects.canonical.unwrapping import Unwrapper


def unwrapped(pieces: list[str]) -> str:
    unwrapper = Unwrapper()
    return "".join([unwrapper.feed(piece) for piece in pieces]) + unwrapper.end()


@given(st.text(max_size=20), st.booleans(), st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_any_text_in_any_pieces(text: str, ascii_only: bool, size: int) -> None:
    whole = json.dumps({"input": text}, ensure_ascii=ascii_only)
    assert unwrapped([whole[place : place + size] for place in range(0, len(whole), size)]) == text


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ('{"other": 1, "input": "x"}', "x"),
        ('{"input": 1}', '{"input": 1}'),
        ('{"input": "cut', "cut"),
        ('{"input": "\\ud83d\\u0041"}', "\ufffdA"),
        ('{"input": "\\ud83dx"}', "\ufffdx"),
    ],
)
def test_what_models_really_write(given_text: str, expected: str) -> None:
    assert unwrapped([given_text]) == expected
    assert unwrapped(list(given_text)) == expected
