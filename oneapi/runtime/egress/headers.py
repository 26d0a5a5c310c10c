"""How headers are written for an upstream.

It decides which of them a server could read as something else; those are refused before anything is sent. It must not
know what the headers mean.
"""

import re
from collections.abc import Iterable

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_IN_VALUES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def header_lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """The headers' lines. Raises ValueError for a name or value that would be something else on the wire."""
    lines = []
    for name, value in headers:
        if not _NAME.fullmatch(name) or _NOT_IN_VALUES.search(value):
            raise ValueError(f"the header {name!r} can't be sent")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode()
