"""Runs an ASGI application inside a service's own event loop.

It decides how uvicorn is embedded: we own the signals, the socket and the logs. It must not know the application.
"""

import asyncio
import contextlib
import functools
import logging
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

logger = logging.getLogger(__name__)

BACKLOG = 4096
MORE_AT_ONCE = 255
_TICK_S = 0.01


class _Embedded(uvicorn.Server):
    """uvicorn without its signal handlers: `oneapi.runtime.lifecycle` has them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound TCP socket, not yet accepting. Port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or asyncio does not know that it may turn Nagle's algorithm off.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.setblocking(False)
    except OSError as failure:
        bound.close()
        raise OSError(failure.errno, f"cannot listen on {host}:{port}: {failure.strerror}") from failure
    return bound


class HttpServer:
    """One listener. `options` go to `uvicorn.Config` as they are."""

    def __init__(self, app: Any, host: str, port: int, **options: Any) -> None:
        self._host = host
        self._port = port
        settings: dict[str, Any] = {
            "lifespan": "off",
            "interface": "asgi3",
            "http": functools.partial(self._connected, options.pop("http", HttpToolsProtocol)),
            "ws": "none",
            "loop": "none",
            "access_log": False,
            "log_config": None,
            "server_header": False,
            # Whose X-Forwarded-For is believed is a setting of the services that look at addresses.
            "proxy_headers": False,
            "backlog": BACKLOG,
        }
        self._server = _Embedded(uvicorn.Config(app, **(settings | options)))
        self._socket: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None
        self._opening: set[asyncio.Task[Any]] = set()

    @property
    def port(self) -> int:
        """The port that it listens on, also when 0 was asked for. Raises RuntimeError before `start`."""
        if self._socket is None:
            raise RuntimeError("the server has not been started")
        return int(self._socket.getsockname()[1])

    async def start(self) -> None:
        """Returns when it accepts connections. Raises OSError when the address can't be had."""
        self._socket = listening_socket(self._host, self._port)
        self._task = asyncio.get_running_loop().create_task(
            self._server.serve(sockets=[self._socket]), name=f"http {self._host}:{self.port}"
        )
        while not self._server.started:
            if self._task.done():
                await self._task
                raise RuntimeError("the HTTP server ended while starting")
            await asyncio.sleep(_TICK_S)

    async def stop(self, limit_s: float = 5.0) -> None:
        """Stops accepting, lets running requests end for `limit_s` seconds, then cuts them. Safe to call twice."""
        task, self._task = self._task, None
        if task is None:
            return
        self._server.should_exit = True
        done, _ = await asyncio.wait({task}, timeout=limit_s)
        if not done:
            for request in tuple(self._server.server_state.tasks):
                request.cancel()
            self._server.force_exit = True
            _, pending = await asyncio.wait({task}, timeout=1.0)
            if pending:
                task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()

    def _connected(self, protocol: Any, **given: Any) -> asyncio.Protocol:
        """The protocol of a new connection. When others wait behind it they are taken, too.

        By itself the loop takes one connection each time round. When much is to do, going round takes long, and
        clients would wait in the kernel's queue until they have left.
        """
        made: asyncio.Protocol = protocol(**given)
        if self._socket is not None:
            loop = asyncio.get_running_loop()
            for _ in range(MORE_AT_ONCE):
                try:
                    connection, _ = self._socket.accept()
                except OSError:  # nobody waits, or no descriptor is left
                    break
                connection.setblocking(False)
                opening = loop.create_task(_open(functools.partial(protocol, **given), connection))
                self._opening.add(opening)
                opening.add_done_callback(self._opening.discard)
        return made


async def _open(protocol: Any, connection: socket.socket) -> None:
    """Makes an accepted socket a connection of the loop."""
    try:
        await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)
    except OSError as failure:
        logger.debug("a client left at once: %r", failure)
        connection.close()
