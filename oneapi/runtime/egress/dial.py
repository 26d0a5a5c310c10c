"""Connects to a server: to an address that was checked, and with TLS to nobody but the server that was meant.

It decides which addresses are tried, and in which order. It must not know what is said on a connection.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import TypeVar

from oneapi.runtime.egress import tls
from oneapi.runtime.egress.addresses import Place
from oneapi.runtime.egress.names import Names

STAGGER_S = 0.25
"""How long an address may take before the next one is tried beside it."""

Speaker = TypeVar("Speaker", bound=asyncio.Protocol)


class Dialer:
    """Makes all connections of this process to configured upstreams.

    `trusted` is for tests; without it, servers show a certificate that the system trusts.
    """

    def __init__(self, *, allow_private: bool, trusted: ssl.SSLContext | None = None) -> None:
        self.allow_private = allow_private
        self._names = Names(allow_private=allow_private)
        self._tls = trusted

    async def connect(self, place: Place, make: Callable[[], Speaker], limit_s: float) -> Speaker:
        """A new connection, with TLS where the place has it, and what speaks on it.

        Raises EgressRefused for an address that must not be called, ssl.SSLError when the server isn't the one that was
        meant or can't do TLS, another OSError, or TimeoutError.
        """
        async with asyncio.timeout(limit_s):
            addresses = await self._names.addresses(place)
            if place.tls and self._tls is None:
                self._tls = await tls.context()
            sock = await dial(addresses, place.port)
            # The name and not the address: it is sent in the handshake, and the certificate must be for it.
            _, speaker = await asyncio.get_running_loop().create_connection(
                make,
                sock=sock,
                ssl=self._tls if place.tls else None,
                server_hostname=place.host if place.tls else None,
            )
        return speaker


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
