"""A server that writes to the socket whatever bytes a test wants, and remembers what it was sent."""

import asyncio
import contextlib
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)

Play = Callable[["Asked"], Awaitable[None]]


@dataclass
class Asked:
    """One request. `turn` counts the requests of its connection from 0, `connection` the server's connections."""

    head: bytes
    body: bytes
    turn: int
    connection: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, *pieces: bytes) -> None:
        """Writes pieces, each in a packet of its own as far as the network goes along."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def gone(self) -> None:
        """Returns when the other side has closed."""
        with contextlib.suppress(OSError):
            while await self.reader.read(65_536):
                pass

    def cut(self) -> None:
        """Closes at once."""
        self.writer.transport.abort()


@dataclass
class RawServer:
    """`async with RawServer(play)`: one listener on the loopback address."""

    play: Play
    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    reads_bodies: bool = True
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    async def __aenter__(self) -> "RawServer":
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._accept, self.host, 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, host: str = "") -> str:
        """Where it listens."""
        return f"{'https' if self.tls else 'http'}://{host or self.host}:{self.port}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        number, turn = self.connections, 0
        self.connections += 1
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                declared = LENGTH.search(head)
                body = await reader.readexactly(int(declared[1])) if declared and self.reads_bodies else b""
                asked = Asked(head, body, turn, number, reader, writer)
                self.asked.append(asked)
                await self.play(asked)
                turn += 1
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()
