"""What an output item of a response says, in bytes.

It decides which fields of an item are the model's own words. Items of tools that ran at the provider say nothing.
"""

from typing import Any

import msgspec

from oneapi.dialects.usage import UNREADABLE


class _Item(msgspec.Struct):
    content: Any = None
    summary: Any = None
    arguments: Any = None
    input: Any = None


_decoder = msgspec.json.Decoder(_Item)


def content_bytes(item: bytes) -> int:
    """UTF-8 bytes of an item's text, reasoning, refusals and tool arguments; 0 when it can't be read."""
    try:
        found = _decoder.decode(item)
    except UNREADABLE:
        return 0
    total = _size(found.arguments) + _size(found.input)
    for parts in (found.content, found.summary):
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                total += _size(part.get("text")) + _size(part.get("refusal"))
    return total


def _size(text: Any) -> int:
    return len(text.encode("utf-8", "surrogatepass")) if isinstance(text, str) else 0
