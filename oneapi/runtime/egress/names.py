"""Resolves names to addresses, each one checked.

It decides that a name with any bad address is refused, and for how long a name's addresses are remembered. It must not
know what a connection is for.
"""

import asyncio
import socket

from oneapi.runtime.egress.addresses import Place, check_ip

RESOLVE_LIMIT_S = 5.0
REMEMBERED_S = 10.0

Found = asyncio.Task[list[str]]


async def resolve_checked(host: str, port: int, allow_private: bool) -> list[str]:
    """Every address of the host, each one allowed. Raises EgressRefused when one is not, OSError when there is none.

    A name with one good and one bad address is refused: which one a client takes is chance.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(RESOLVE_LIMIT_S):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    for ip in addresses:
        check_ip(ip, allow_private)
    if not addresses:
        raise OSError("the host has no address")
    return addresses


class Names:
    """The addresses of places, each of them allowed."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._found: dict[Place, tuple[float, Found]] = {}

    async def addresses(self, place: Place) -> list[str]:
        """At least one address. Raises EgressRefused when one is not allowed, OSError, TimeoutError."""
        if place.is_literal:
            check_ip(place.host, self._allow_private)
            return [place.host]
        loop = asyncio.get_running_loop()
        until_s, found = self._found.get(place, (0.0, None))
        if found is None or until_s <= loop.time() or (found.done() and _failed(found)):
            # Many calls that begin at once ask once; when they are all gone, nobody needs to hear how it ended.
            found = loop.create_task(resolve_checked(place.host, place.port, self._allow_private))
            found.add_done_callback(_failed)
            self._found[place] = (loop.time() + REMEMBERED_S, found)
        return list(await asyncio.shield(found))


def _failed(found: Found) -> bool:
    return found.cancelled() or found.exception() is not None
