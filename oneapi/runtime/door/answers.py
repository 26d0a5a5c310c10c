"""Whole HTTP answers, as bytes, for requests that no handler will see.

It decides their framing, and the plainest format of an error, for listeners that have none of their own. It must not
know why a request is refused.
"""

import http
from collections.abc import Callable, Iterable
from email.utils import formatdate

import msgspec

from oneapi.dialects.errors import GatewayError

Render = Callable[[bytes, GatewayError], bytes]
"""Makes the whole answer to a request's raw target of an error. The connection ends after it."""


def whole_answer(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, *, keep: bool = False) -> bytes:
    """Head and body in HTTP/1.1. The connection ends after it, unless `keep`."""
    lines = [b"HTTP/1.1 %d %s\r\n" % (status, phrase(status).encode())]
    framing = (
        (b"date", formatdate(usegmt=True).encode()),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"keep-alive" if keep else b"close"),
    )
    lines += [b"%s: %s\r\n" % header for header in (*headers, *framing)]
    return b"".join([*lines, b"\r\n", body])


def retry_after(error: GatewayError) -> tuple[tuple[bytes, bytes], ...]:
    """The header that says when to come again, if the error knows."""
    return () if error.retry_after_s is None else ((b"retry-after", b"%d" % max(1, round(error.retry_after_s))),)


def small_json(target: bytes, error: GatewayError) -> bytes:
    """An error as a small JSON object, whatever was asked for."""
    del target
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *retry_after(error)]
    body = msgspec.json.encode({"status": error.message, "code": error.code})
    return whole_answer(error.status, headers, body)


def phrase(status: int) -> str:
    """The words that HTTP has for a status."""
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Error"
