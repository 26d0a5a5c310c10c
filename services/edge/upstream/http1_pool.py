"""Keeps connections to providers between requests, and makes new ones.

It decides which connection a request goes out on. It must not know what is asked.
"""

import asyncio
import ssl

from oneapi.runtime.egress.addresses import Place
from oneapi.runtime.egress.dial import Dialer
from services.edge import refusals
from services.edge.upstream.failures import Kind, UpstreamFailure
from services.edge.upstream.http1_connection import Connection

MAX_FREE = 1024
"""Free connections to one place; more are closed."""


class Pool:
    """The connections of this process to providers. Channels have their own bounds: here nothing waits unseen."""

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer
        self._free: dict[Place, dict[Connection, None]] = {}
        self._open: set[Connection] = set()
        self._closed = False

    def take(self, place: Place) -> Connection | None:
        """A free connection, the one that was used last; None when there is none."""
        free = self._free.get(place)
        while free:
            connection, _ = free.popitem()
            if connection.usable:
                connection.reused = True
                return connection
        return None

    async def connect(self, place: Place, limit_s: float) -> Connection:
        """A new connection, ready for a request. Raises UpstreamFailure."""
        loop = asyncio.get_running_loop()
        try:
            connection = await self._dialer.connect(place, lambda: Connection(loop, self, place), limit_s)
        except ssl.SSLError as failure:
            # The code alone: the library's words hold names and addresses.
            why = f"{type(failure).__name__} {failure.reason}"
            raise UpstreamFailure(Kind.CONNECT_FAILED, refusals.upstream_tls(), why) from failure
        except (OSError, TimeoutError) as failure:
            why = type(failure).__name__
            raise UpstreamFailure(Kind.CONNECT_FAILED, refusals.upstream_unreachable(), why) from failure
        if self._closed:
            connection.abort()
            raise UpstreamFailure(Kind.CONNECT_FAILED, refusals.upstream_unreachable(), "the pool is closed")
        self._open.add(connection)
        return connection

    def distrust(self, place: Place) -> None:
        """A connection that was kept turned out to be dead: the others are not used either."""
        for connection in self._free.pop(place, ()):
            connection.close()

    def close(self) -> None:
        """Ends every connection."""
        self._closed = True
        for connection in tuple(self._open):
            connection.abort()

    def free(self, connection: Connection) -> bool:
        """See `Keeper`."""
        free = self._free.setdefault(connection.place, {})
        if self._closed or len(free) >= MAX_FREE:
            return False
        free[connection] = None
        return True

    def lost(self, connection: Connection) -> None:
        """See `Keeper`."""
        self._open.discard(connection)
        free = self._free.get(connection.place)
        if free is not None:
            free.pop(connection, None)
            if not free:
                del self._free[connection.place]
