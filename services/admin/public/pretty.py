"""JSON that people read too. It decides how it is laid out; it must not know any document."""

from typing import Any

import msgspec


def pretty_json(value: Any) -> str:
    """The value as JSON in lines."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
