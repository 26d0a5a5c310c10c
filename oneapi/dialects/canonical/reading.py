"""Reads one JSON object field by field: what is understood is taken, what isn't stays in `rest`.

A field of another type than expected is not understood, so it stays too. It must not know any format's fields.
"""

from collections.abc import Mapping
from typing import Any

from oneapi.dialects.request import refuse

RAW = "_raw"
"""In a part's `rest`: the whole of what was read, for what its own format only repeats."""


class Fields:
    """One object being read."""

    __slots__ = ("rest",)

    def __init__(self, value: Mapping[str, Any]) -> None:
        self.rest = dict(value)

    def text(self, name: str) -> str | None:
        value = self.rest.get(name)
        if not isinstance(value, str):
            return None
        del self.rest[name]
        return value

    def whole(self, name: str) -> int | None:
        value = self.rest.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        del self.rest[name]
        return value

    def number(self, name: str) -> float | None:
        value = self.rest.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        del self.rest[name]
        return value

    def flag(self, name: str) -> bool | None:
        value = self.rest.get(name)
        if not isinstance(value, bool):
            return None
        del self.rest[name]
        return value

    def items(self, name: str) -> list[Any] | None:
        value = self.rest.get(name)
        if not isinstance(value, list):
            return None
        del self.rest[name]
        return value

    def object(self, name: str) -> dict[str, Any] | None:
        value = self.rest.get(name)
        if not isinstance(value, dict):
            return None
        del self.rest[name]
        return value


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list; none for what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def all_objects(value: object, name: str) -> list[dict[str, Any]]:
    """A list of nothing but objects; empty for what is no list. Raises GatewayError 400."""
    items = value if isinstance(value, list) else []
    for item in items:
        if not isinstance(item, dict):
            raise refuse(f"'{name}' must be a list of objects.", name)
    return items


def member(value: object, name: str) -> Any:
    """A field of what may not be an object."""
    return value.get(name) if isinstance(value, dict) else None


def string(value: object) -> str:
    """A text, or an empty one for anything else."""
    return value if isinstance(value, str) else ""
