"""Reads a request's body up to a bound.

It decides when a body is too large, by its declared and by its real size. Deadlines are the protocol's. It must not
know what the body holds.
"""

from oneapi.runtime.asgi import Receive
from oneapi.runtime.door import refusals


class ClientGone(Exception):
    """The client left before the request was complete. There is nobody to answer."""


async def read_body(receive: Receive, declared: int, limit: int) -> bytes:
    """The whole body. `declared` is its length by the head, -1 when unknown. Raises GatewayError 413 and ClientGone."""
    if declared > limit:
        raise refusals.body_too_large(limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    first: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return _checked(first, limit)
    parts, size = [first], len(first)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > limit:
            raise refusals.body_too_large(limit)
        if not message.get("more_body", False):
            return b"".join(parts)


def _checked(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise refusals.body_too_large(limit)
    return body
