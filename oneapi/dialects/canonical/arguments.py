"""A tool call's arguments, which are JSON text in some formats and an object in others.

It decides what an object is made of when the text is none: never a bare text, which no format takes. Numbers keep
their digits as long as they are whole.
"""

from typing import Any

import msgspec

RAW_FIELD = "_raw"

_NOTHING = ("", "null")


def as_object(text: str) -> dict[str, Any]:
    """The arguments as an object: empty for none, and what can't be read under one name."""
    if text.strip() in _NOTHING:
        return {}
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {RAW_FIELD: text}
    return value if isinstance(value, dict) else {RAW_FIELD: text}


def as_text(value: Any) -> str:
    """The arguments as compact JSON, in the order of their keys."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def complete(text: str) -> bool:
    """Whether the text is a whole JSON value."""
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return True
