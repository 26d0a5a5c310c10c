"""Google's older schemas as JSON Schema."""

from typing import Any

import pytest

from oneapi.dialects.gemini_generate.schemas import json_schema


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "STRING", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        (
            {"type": "OBJECT", "properties": {"any_of": {"type": "INTEGER"}}, "property_ordering": ["any_of"]},
            {"type": "object", "properties": {"any_of": {"type": "integer"}}},
        ),
        (
            {"type": "ARRAY", "items": {"type": "NUMBER"}, "minItems": "1", "max_items": 3},
            {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 3},
        ),
        (
            {"anyOf": [{"type": "STRING"}, {"ref": "#/defs/x"}], "nullable": True},
            {"anyOf": [{"type": "string"}, {"$ref": "#/defs/x"}, {"type": "null"}]},
        ),
        ({"type": "TYPE_UNSPECIFIED", "example": 1}, {"examples": [1]}),
    ],
)
def test_json_schema(older: dict[str, Any], newer: dict[str, Any]) -> None:
    assert json_schema(older) == newer
