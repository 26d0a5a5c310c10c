"""Finds the relay key in a request's headers.

It decides where a key may be and what ambiguity means: two different keys are no key. It must not know which are good.
"""

from collections.abc import Iterable

_BARE = frozenset({b"x-api-key", b"api-key", b"x-goog-api-key"})


def presented_key(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The key, or "" when there is none, it is malformed, or several differ. Header names are in lower case."""
    found: set[bytes] = set()
    authorizations = 0
    for name, value in headers:
        if name == b"authorization":
            authorizations += 1
            scheme, _, rest = value.strip().partition(b" ")
            found.add(rest.strip() if scheme.lower() == b"bearer" else b"")
        elif name in _BARE:
            found.add(value.strip())
    if len(found) != 1 or authorizations > 1:
        return ""
    return found.pop().decode("latin-1")
