"""Root certificates are read once in a process of tests, and not for each client that talks to loopback without TLS.

Reading them takes 57 ms of CPU, and the tests make thousands of clients, in polls, too.
"""

import functools
import ssl
from collections.abc import Callable

import httpx
import httpx2


def read_once() -> None:
    """From now on, clients of httpx and httpx2 that are made with the same arguments have one TLS context."""
    for library in (httpx, httpx2):
        library._transports.default.create_ssl_context = _kept(library.create_ssl_context)


def _kept(create: Callable[..., ssl.SSLContext]) -> Callable[..., ssl.SSLContext]:
    kept = functools.cache(create)

    def create_ssl_context(**given: object) -> ssl.SSLContext:
        # Only what asks for the defaults: a context of the caller's own need not be one that can be compared.
        if given.get("verify") is True and given.get("cert") is None:
            return kept(**given)
        return create(**given)

    return create_ssl_context
