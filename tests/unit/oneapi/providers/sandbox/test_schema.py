import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.providers.sandbox import schema

NODE = {"type": "object", "properties": {str(i): {"$ref": "#/$defs/node"} for i in range(10)}}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"type": "string"}, "sandbox"),
        ({"type": "string", "minLength": 9}, "sandbox.."),
        ({"type": "string", "maxLength": 3}, "san"),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "minimum": 0.5}, 1),
        ({"type": "integer", "exclusiveMinimum": 5.5}, 6),
        ({"type": "number", "minimum": 0.5}, 0.5),
        ({"type": "integer", "maximum": -5}, -5),
        ({"type": "number", "minimum": 5, "multipleOf": 4}, 8),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["string", "null"]}, "sandbox"),
        ({"enum": ["b", "a"]}, "b"),
        ({"const": 7}, 7),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 0}, []),
        ({"type": "object"}, {}),
        ({"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a"]}, {"a": 1}),
        ({"properties": {"a": {"type": "integer"}}}, {"a": 1}),
        (
            {
                "type": "object",
                "properties": {"city": {"$ref": "#/$defs/city"}},
                "$defs": {"city": {"type": "object", "properties": {"name": {"type": "string"}}}},
            },
            {"city": {"name": "sandbox"}},
        ),
        ({"$ref": "https://example.com/schema"}, None),
        ({"$ref": "#/nowhere"}, None),
        ({"$ref": "#"}, None),
        (True, None),
    ],
)
def test_values(wanted: Any, expected: Any) -> None:
    assert schema.instance(wanted) == expected


@pytest.mark.parametrize(
    "endless",
    [
        {"$ref": "#/$defs/node", "$defs": {"node": NODE}},
        {"type": "array", "minItems": 100, "items": {"$ref": "#"}},
    ],
)
def test_what_has_no_end_is_cut(endless: dict[str, Any]) -> None:
    assert len(json.dumps(schema.instance(endless))) < 100_000


keywords = st.sampled_from(
    ["type", "properties", "required", "items", "enum", "anyOf", "$ref", "minItems", "minimum", "multipleOf", "format"]
)
things = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["object", "array", "string", "number", "#", "#/a/b", "uuid"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keywords, inner, max_size=4),
    max_leaves=20,
)


@given(things)
def test_any_schema_has_some_value(wanted: Any) -> None:
    json.dumps(schema.instance(wanted))


@pytest.mark.parametrize("fixed", [{"const": "x" * 1_000_000}, {"enum": ["x" * 1_000_000]}])
def test_what_a_schema_gives_is_not_repeated_without_end(fixed: dict[str, Any]) -> None:
    row = {"type": "array", "minItems": 100, "items": fixed}
    value = schema.instance({"type": "array", "minItems": 9, "items": row})
    assert len(json.dumps(value)) < 10_000
    small = schema.instance({"type": "array", "minItems": 3, "items": {"const": "kept"}})
    assert small == ["kept"] * 3


def test_names_of_a_schema_have_a_bound_together() -> None:
    names = [f"{number}" + "x" * 10_000 for number in range(90)]
    value = schema.instance({"type": "object", "required": names})
    assert len(json.dumps(value)) < 40_000
