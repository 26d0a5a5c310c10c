"""Runs an ASGI application inside a service's own event loop.

It decides how uvicorn is embedded: we own the signals, the socket, the logs and the protocol, which is strict. It must
not know the application.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import Literal

import uvicorn
import uvloop

from oneapi.runtime import descriptors
from oneapi.runtime.asgi import AsgiApp
from oneapi.runtime.door.answers import Render
from oneapi.runtime.door.gate import Gate, OpenGate
from oneapi.runtime.door.limits import DoorLimits
from oneapi.runtime.door.lobby import Lobby
from oneapi.runtime.door.protocol import StrictProtocol

logger = logging.getLogger(__name__)

BACKLOG = 4096
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
    """One listener behind the strict door. `render` writes the door's refusals in the service's own format, `limits`
    bound what a client may send, and `gate` says who comes in while there is much to do.
    """

    def __init__(
        self,
        app: AsgiApp,
        host: str,
        port: int,
        *,
        render: Render,
        limits: DoorLimits | None = None,
        gate: Gate | None = None,
        lifespan: Literal["on", "off"] = "off",
    ) -> None:
        self._host = host
        self._port = port
        self._limits = limits or DoorLimits()
        self._render = render
        self._gate = gate or OpenGate()
        self._config = uvicorn.Config(
            app,
            lifespan=lifespan,
            interface="asgi3",
            ws="none",
            loop="none",
            access_log=False,
            log_config=None,
            server_header=False,
            # Whose X-Forwarded-For is believed is a setting of the services that look at addresses.
            proxy_headers=False,
            timeout_keep_alive=self._limits.keep_alive_s,
        )
        self._server = _Embedded(self._config)
        self._socket: socket.socket | None = None
        self._lobby: Lobby | None = None
        self._task: asyncio.Task[None] | None = None
        self._opening: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port that it listens on, also when 0 was asked for. Raises RuntimeError before `start`."""
        if self._socket is None:
            raise RuntimeError("the server has not been started")
        return int(self._socket.getsockname()[1])

    async def start(self) -> None:
        """Returns when it accepts connections. Raises OSError when the address can't be had, RuntimeError on another
        loop than uvloop: the door's bounds on unsent bytes are measured on that one alone."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, uvloop.Loop):
            raise RuntimeError("an HTTP listener must run on uvloop")  # noqa: TRY004 - nobody passed a wrong argument
        descriptors.tell_few()
        self._socket = listening_socket(self._host, self._port)
        # Without sockets of its own: connections come from the lobby.
        self._task = loop.create_task(self._server.serve(sockets=[]), name=f"http {self._host}:{self.port}")
        while not self._server.started:
            if self._task.done():
                await self._task
                raise RuntimeError("the HTTP server ended while starting")
            await asyncio.sleep(_TICK_S)
        self._socket.listen(BACKLOG)
        most = min(self._limits.unfinished_heads, descriptors.limit() // 2)
        self._lobby = Lobby(self._socket, self._enter, self._limits, most, self._render)
        self._lobby.open()

    async def stop(self, limit_s: float = 5.0) -> None:
        """Stops accepting, lets running requests end for `limit_s` seconds, then cuts them. Safe to call twice."""
        if self._lobby is not None:
            self._lobby.close()
        if self._socket is not None:
            self._socket.close()
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

    def _enter(self, connection: socket.socket) -> None:
        """A connection has a request for us."""
        opening = asyncio.get_running_loop().create_task(self._open(connection))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket) -> None:
        """Makes an accepted socket a connection of the loop."""
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)
        except OSError as failure:
            logger.debug("a client left at once: %r", failure)
            connection.close()

    def _protocol(self) -> StrictProtocol:
        return StrictProtocol(
            limits=self._limits,
            render=self._render,
            gate=self._gate,
            config=self._config,
            server_state=self._server.server_state,
            app_state=self._server.lifespan.state,
        )
