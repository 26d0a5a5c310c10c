import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.admin.store.listing import BadCursor, decode_cursor, encode_cursor

TEXT = st.text(st.characters(exclude_characters="\n\0", exclude_categories=["Cs"]))


@given(TEXT, TEXT)
def test_a_cursor_holds_what_it_was_given(one: str, other: str) -> None:
    assert decode_cursor(encode_cursor(one, other), 2) == (one, other)


@pytest.mark.parametrize("cursor", ["%", "a", "é", encode_cursor("a", "b"), encode_cursor("a\0"), "_____", "=="])
def test_what_no_list_gave_out_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        decode_cursor(cursor, 1)
