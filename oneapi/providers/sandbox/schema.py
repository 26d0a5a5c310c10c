"""A small value that a JSON schema accepts, for the schemas that tools and structured answers usually have.

It decides nothing at random: the first choice, the lower bound, the required properties. What it doesn't know
(patterns, conditions) it passes over, so that its value may then be refused.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

WORD = "sandbox"
MAX_NESTING = 16
MAX_ITEMS = 100
MAX_LENGTH = 1_000
MAX_VALUES = 1_000
MAX_BYTES = 16_384
"""Of names, and of what a schema gives word for word: it may be asked for again and again."""

_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "sandbox@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/",
}


def instance(schema: Any) -> Any:
    """The value. None, there or inside of it, for what is no schema, and where it would become too large."""
    return _Builder(schema).build(schema, 0)


class _Builder:
    """Builds one value. A few lines of schema can ask for a value without end, so its parts are counted."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._left = MAX_VALUES
        self._left_bytes = MAX_BYTES

    def build(self, schema: Any, depth: int) -> Any:
        self._left -= 1
        if not isinstance(schema, Mapping) or depth > MAX_NESTING or self._left < 0:
            return None
        if "const" in schema:
            return self._given(schema["const"])
        if _choices(schema, "enum"):
            return self._given(schema["enum"][0])
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self.build(_resolve(reference, self._root), depth + 1)
        for name in ("anyOf", "oneOf", "allOf"):
            if _choices(schema, name):
                return self.build(schema[name][0], depth + 1)
        return self._typed(schema, depth)

    def _given(self, value: Any) -> Any:
        """A value of the schema's own; None when there is no room for it."""
        if self._left_bytes > 0:
            self._left_bytes -= len(msgspec.json.encode(value))
        return value if self._left_bytes >= 0 else None

    def _typed(self, schema: Mapping[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = kind[0] if kind else None
        if kind == "object" or (kind is None and "properties" in schema):
            return self._object(schema, depth)
        if kind == "array":
            count = min(_whole(schema.get("minItems"), 1), _whole(schema.get("maxItems"), MAX_ITEMS), MAX_ITEMS)
            return [self.build(schema.get("items"), depth + 1) for _ in range(count)]
        if kind == "string":
            return self._given(_string(schema))
        if kind in ("integer", "number"):
            return _number(schema)
        return True if kind == "boolean" else None

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        found = schema.get("properties")
        properties = found if isinstance(found, Mapping) else {}
        required = schema.get("required")
        names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else properties
        value: dict[str, Any] = {}
        for name in names:
            self._left_bytes -= len(name)
            if self._left_bytes < 0:
                break
            value[name] = self.build(properties.get(name), depth + 1)
        return value


def _string(schema: Mapping[str, Any]) -> str:
    wanted = schema.get("format")
    if isinstance(wanted, str) and wanted in _FORMATS:
        return _FORMATS[wanted]
    least, most = _whole(schema.get("minLength"), 0), _whole(schema.get("maxLength"), MAX_LENGTH)
    return WORD.ljust(min(least, MAX_LENGTH), ".")[:most]


def _number(schema: Mapping[str, Any]) -> int | float:
    least, above, most = (_real(schema.get(name)) for name in ("minimum", "exclusiveMinimum", "maximum"))
    value = least if least is not None else above + 1 if above is not None else 1
    if schema.get("type") != "number":
        value = math.ceil(value) if above is None else math.floor(value)
    step = _real(schema.get("multipleOf"))
    if step is not None and step > 0:
        value = -(-value // step) * step
    return value if most is None else min(value, most)


def _resolve(reference: str, root: Any) -> Any:
    """What `#/$defs/Name` names in the same document; None for anything elsewhere."""
    found = root if reference.startswith("#") else None
    for name in reference.removeprefix("#").split("/")[1:]:
        found = found.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found


def _choices(schema: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = schema.get(name)
    return value if isinstance(value, list) else ()


def _whole(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise


def _real(value: Any) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53 else None
