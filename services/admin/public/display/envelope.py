"""What stands around such a list, and how money is written in it: as exact decimal numbers without an exponent."""

from typing import Any

import msgspec


def number(usd: str) -> msgspec.Raw:
    """Decimal text as a JSON number."""
    return msgspec.Raw(usd.encode())


def envelope(data: Any) -> str:
    """The answer's text."""
    return msgspec.json.encode({"success": True, "message": "", "data": data}).decode()
