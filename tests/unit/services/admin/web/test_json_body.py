import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.admin.web.json_body import parse
from services.admin.web.problems import Problem

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=20,
)


@given(VALUES)
def test_json_is_read_as_it_is(value: object) -> None:
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=60))
def test_anything_else_is_a_problem(body: bytes) -> None:
    try:
        json.loads(body.decode("utf-8"))
    except ValueError:
        with pytest.raises(Problem) as refused:
            parse(body)
        assert refused.value.status_code == 400


@pytest.mark.parametrize("body", [b'{"a":1,"a":1}', b'[{"a":{"b":1,"b":2}}]', b'{"a":1,"\\u0061":2}'])
def test_a_key_is_there_once(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        parse(body)
    assert refused.value.code == "duplicate_key"
