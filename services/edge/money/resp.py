"""The wire format between the edge and Redis (RESP2): packs commands, and takes replies apart as their bytes arrive.

It must not know what the commands do, nor anything about connections.
"""

from typing import Any

_MAX_DEPTH = 16


class RedisRefused(Exception):
    """Redis answered a command with an error. `str()` is its text, which begins with a code such as OOM."""


class Incomplete(Exception):
    """The reply isn't all there yet."""


def bulk(value: bytes | str) -> bytes:
    """One argument of a command."""
    data = value.encode() if isinstance(value, str) else value
    return b"$%d\r\n%b\r\n" % (len(data), data)


def command(*parts: bytes | str) -> bytes:
    """A whole command."""
    return b"*%d\r\n" % len(parts) + b"".join([bulk(part) for part in parts])


def parse(data: bytes, position: int, depth: int = 0) -> tuple[Any, int]:
    """One reply, and the position after it: bytes, int, list, None, or RedisRefused as a value (it isn't raised).

    Raises Incomplete, and ValueError for what is no reply.
    """
    end = data.find(b"\r\n", position)
    if end < 0:
        raise Incomplete
    kind, head, position = data[position], data[position + 1 : end], end + 2
    if kind == 36:  # $
        length = int(head)
        if length < 0:
            return None, position
        end = position + length
        if end + 2 > len(data):
            raise Incomplete
        return data[position:end], end + 2
    if kind == 58:  # :
        return int(head), position
    if kind == 43:  # +
        return head, position
    if kind == 45:  # -
        return RedisRefused(head.decode(errors="replace")), position
    if kind == 42:  # *
        if depth == _MAX_DEPTH:
            raise ValueError("Redis sent a reply that nests too deep")
        items = []
        for _ in range(int(head)):
            item, position = parse(data, position, depth + 1)
            items.append(item)
        return items, position
    raise ValueError(f"Redis sent what is no reply: {data[end - len(head) - 1 : end]!r}")
