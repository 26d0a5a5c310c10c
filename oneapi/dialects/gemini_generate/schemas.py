"""Google's older schemas (a subset of OpenAPI 3.0, types in capitals) as JSON Schema.

Towards Google no schema is rewritten: `parametersJsonSchema` and `responseJsonSchema` take JSON Schema.
"""

from typing import Any

from oneapi.dialects.gemini_generate.spelling import camel

_WHOLE = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_MAX_DEPTH = 32


def json_schema(schema: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """The same schema as JSON Schema: `nullable` becomes a type, `example` a list; an order of properties goes."""
    given = camel(schema)
    nullable = given.pop("nullable", None) is True
    given.pop("propertyOrdering", None)
    out: dict[str, Any] = {}
    for name, value in given.items():
        if name == "type" and isinstance(value, str):
            if value.upper() != "TYPE_UNSPECIFIED":
                out["type"] = value.lower()
        elif name in {"properties", "defs"} and isinstance(value, dict):
            inner = {key: _inside(one, depth) for key, one in value.items()}
            out["$defs" if name == "defs" else name] = inner
        elif name in {"items", "additionalProperties"}:
            out[name] = _inside(value, depth)
        elif name == "anyOf" and isinstance(value, list):
            out[name] = [_inside(one, depth) for one in value]
        elif name in _WHOLE and isinstance(value, str) and value.isdigit():
            out[name] = int(value)
        elif name == "ref":
            out["$ref"] = value
        elif name == "example":
            out["examples"] = [value]
        else:
            out[name] = value
    if nullable:
        _allow_null(out)
    return out


def _inside(value: Any, depth: int) -> Any:
    return json_schema(value, depth + 1) if isinstance(value, dict) and depth < _MAX_DEPTH else value


def _allow_null(schema: dict[str, Any]) -> None:
    kind = schema.get("type")
    if isinstance(kind, str) and kind != "null":
        schema["type"] = [kind, "null"]
        if isinstance(schema.get("enum"), list):
            schema["enum"] = [*schema["enum"], None]
    elif isinstance(schema.get("anyOf"), list):
        schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
