"""The head of a request as HTTP/1.1 has it on the wire, and the place that it goes to.

It decides what all calls to one URL have in common. It must not know what the headers mean.
"""

from collections.abc import Iterable
from urllib.parse import unquote

import msgspec

from oneapi.runtime.egress.addresses import Place, UpstreamAddress
from oneapi.runtime.egress.headers import header_lines

_DEFAULT_PORTS = {"https": 443, "http": 80}


class Prepared(msgspec.Struct, frozen=True):
    """What all calls to one URL have in common: the place, the line and `Host`, and these with a channel's headers.

    `host` and `target` are what stands in them, for those who sign it.
    """

    place: Place
    line: bytes
    head: bytes
    host: str
    target: str


def prepare(address: UpstreamAddress, spelled: str, headers: Iterable[tuple[str, str]]) -> Prepared:
    """A POST to a checked URL, which was `spelled` so. Raises ValueError when a header can't be sent."""
    target = _target(address.url.raw_path_qs, spelled)
    host = f"[{address.host}]" if ":" in address.host else address.host
    if address.port != _DEFAULT_PORTS[address.scheme]:
        host = f"{host}:{address.port}"
    line = f"POST {target} HTTP/1.1\r\nHost: {host}\r\n".encode("ascii")
    return Prepared(address.place, line, line + header_lines(headers), host, target)


def _target(parsed: str, spelled: str) -> str:
    """Path and query, percent signs as they were spelled: the parser takes some away that a vendor's signature has.

    Where it changed more than that, as it does with dots, its own word counts.
    """
    _, _, rest = spelled.partition("://")
    slash = rest.find("/")
    target = rest[slash:] if slash >= 0 else parsed
    return target if target.isascii() and unquote(target) == unquote(parsed) else parsed
