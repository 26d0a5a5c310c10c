"""The head of a request as HTTP/1.1 has it on the wire, and the place that it goes to.

It decides how headers are written, and refuses those that a server could read as something else. It must not know what
the headers mean.
"""

import re
from collections.abc import Iterable

import msgspec

from oneapi.runtime.egress_addresses import UpstreamAddress

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_IN_VALUES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_DEFAULT_PORTS = {"https": 443, "http": 80}


class Place(msgspec.Struct, frozen=True):
    """A server, as far as connections to it can stand for each other. `host` has no brackets."""

    host: str
    port: int
    tls: bool
    is_literal: bool


class Prepared(msgspec.Struct, frozen=True):
    """What all calls to one URL have in common: the place, the line and `Host`, and these with a channel's headers."""

    place: Place
    line: bytes
    head: bytes


def prepare(address: UpstreamAddress, headers: Iterable[tuple[str, str]]) -> Prepared:
    """A POST to a checked URL. Raises ValueError when a header can't be sent."""
    url = address.url
    host = f"[{address.host}]" if ":" in address.host else address.host
    if address.port != _DEFAULT_PORTS[address.scheme]:
        host = f"{host}:{address.port}"
    line = f"POST {url.raw_path_qs} HTTP/1.1\r\nHost: {host}\r\n".encode("ascii")
    place = Place(address.host, address.port, address.scheme == "https", address.is_literal)
    return Prepared(place, line, line + header_lines(headers))


def header_lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """The headers' lines. Raises ValueError for a name or value that would be something else on the wire."""
    lines = []
    for name, value in headers:
        if not _NAME.fullmatch(name) or _NOT_IN_VALUES.search(value):
            raise ValueError(f"the header {name!r} can't be sent")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode()
