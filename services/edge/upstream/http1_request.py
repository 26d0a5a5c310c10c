"""The head of a request as HTTP/1.1 has it on the wire, and the place that it goes to.

It decides what all calls to one URL have in common. It must not know what the headers mean.
"""

from collections.abc import Iterable

import msgspec

from oneapi.runtime.egress.addresses import Place, UpstreamAddress
from oneapi.runtime.egress.headers import header_lines

_DEFAULT_PORTS = {"https": 443, "http": 80}


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
    return Prepared(address.place, line, line + header_lines(headers))
