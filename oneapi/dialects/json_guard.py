"""Bounds on a JSON document, so that what comes after it can't be made slow or overflow by its shape alone.

It decides what is too deep or too large: `check` by a scan over bytes, before any parser; `decode` for those who parse
at once, and cheaper, as a document's brackets and commas bound its values, and the parser's own stack is bounded.
Neither decides more: a document that passes `check` may still be invalid.
"""

import re
from typing import Any

import msgspec

MAX_DEPTH = 64
MAX_NODES = 200_000

# A string that doesn't end takes the rest of the document.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_OPEN = ord("[")
_SQUARE = bytes.maketrans(b"{}", b"[]")


class JsonTooComplex(ValueError):
    """The document nests deeper, or has more values, than is allowed; the message says which."""


def check(body: bytes, max_depth: int = MAX_DEPTH, max_nodes: int = MAX_NODES) -> None:
    """Raises JsonTooComplex. Nodes are counted as opening brackets and commas outside strings."""
    if _opened(body) <= max_depth and _nodes(body) <= max_nodes:
        return
    structure = _STRING.sub(b"", body)
    if _nodes(structure) > max_nodes:
        raise _too_many(max_nodes)
    if _nests_deeper(structure.translate(_SQUARE, _NOT_BRACKETS), max_depth):
        raise _too_deep(max_depth)


def decode(body: bytes, max_depth: int = MAX_DEPTH, max_nodes: int = MAX_NODES) -> Any:
    """The document's value. Raises JsonTooComplex, and msgspec.DecodeError or UnicodeDecodeError for what isn't JSON.

    Stricter than Python's parser: no NaN or Infinity, no lone surrogates, only UTF-8. The last of equal keys holds.
    """
    if _nodes(body) > max_nodes and _nodes(_STRING.sub(b"", body)) > max_nodes:
        raise _too_many(max_nodes)
    try:
        value = msgspec.json.decode(body)
    except RecursionError:
        raise _too_deep(max_depth) from None
    if _opened(body) > max_depth and _value_is_deeper(value, max_depth):
        raise _too_deep(max_depth)
    return value


def _too_many(limit: int) -> JsonTooComplex:
    return JsonTooComplex(f"JSON has more than {limit} values")


def _too_deep(limit: int) -> JsonTooComplex:
    return JsonTooComplex(f"JSON nests deeper than {limit} levels")


def _opened(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{")


def _nodes(text: bytes) -> int:
    return _opened(text) + text.count(b",")


def _nests_deeper(brackets: bytes, max_depth: int) -> bool:
    """Innermost pairs are taken away, level by level; what is left then nests deeper, or isn't balanced."""
    left = brackets
    for _ in range(max_depth):
        left = left.replace(b"[]", b"")
        if not left:
            return False
    if 2 * left.count(b"[") < len(left):
        return False  # More is closed than was opened: no parser takes it.
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket == _OPEN else -1
        if depth > max_depth:
            return True
    return False


def _value_is_deeper(value: Any, max_depth: int) -> bool:
    if type(value) is not dict and type(value) is not list:
        return False  # a text with brackets in it
    level = [value]
    for _ in range(max_depth):
        level = [
            item
            for container in level
            for item in (container.values() if type(container) is dict else container)
            if type(item) is dict or type(item) is list
        ]
        if not level:
            return False
    return True
