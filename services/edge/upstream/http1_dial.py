"""Connects to a server by name: to an address that was checked, the first that answers.

It decides which addresses are tried, in which order, and for how long a name's addresses are remembered. It must not
know what is said on a connection.
"""

import asyncio
import socket
from collections.abc import Sequence

from oneapi.runtime.egress_addresses import EgressRefused, refuse_reason, resolve_checked
from services.edge.upstream.http1_request import Place

REMEMBERED_S = 10.0
STAGGER_S = 0.25
"""How long an address may take before the next one is tried beside it."""

Found = asyncio.Task[list[str]]


class Names:
    """The addresses of places, each of them allowed."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._found: dict[Place, tuple[float, Found]] = {}

    async def addresses(self, place: Place) -> list[str]:
        """At least one address. Raises EgressRefused when one is not allowed, OSError, TimeoutError."""
        if place.is_literal:
            why = refuse_reason(place.host, self._allow_private)
            if why is not None:
                raise EgressRefused(why)
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


async def dial(addresses: Sequence[str], port: int) -> socket.socket:
    """A connected socket. Raises the OSError of the last address that failed when none answers."""
    if len(addresses) == 1:
        return await _connect(addresses[0], port)
    waiting = list(addresses)
    running: set[asyncio.Task[socket.socket]] = set()
    failure: BaseException = OSError("the host has no address")
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.create_task(_connect(waiting.pop(0), port)))
            done, _ = await asyncio.wait(
                running, timeout=STAGGER_S if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                running.discard(task)
                if (wrong := task.exception()) is None:
                    running.update(done - {task})
                    return task.result()
                failure = wrong
        raise failure
    finally:
        for task in running:
            task.add_done_callback(_drop)
            task.cancel()


def _drop(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def _connect(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock
