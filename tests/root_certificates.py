"""Root certificates are read once in a process of tests, and not for each client that talks to loopback without TLS.

Reading them takes 57 ms of CPU, and the tests make thousands of clients, in polls, too.
"""

import functools

import httpx
import httpx2


def read_once() -> None:
    """From now on, clients of httpx and httpx2 that are made with the same arguments have one TLS context."""
    for library in (httpx, httpx2):
        library._transports.default.create_ssl_context = functools.cache(library.create_ssl_context)
