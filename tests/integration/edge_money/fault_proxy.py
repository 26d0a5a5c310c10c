"""A TCP proxy that loses things on purpose, between an edge and Redis."""

import asyncio
import contextlib
from urllib.parse import urlsplit, urlunsplit


class FaultProxy:
    """Forwards to the server of a URL. While `drop_replies` is set, requests go through and replies are swallowed;
    while `refuse` is set, connections end at once."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.drop_replies = False
        self.refuse = False
        self.url = ""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        user = self._target.netloc.rpartition("@")[0]
        self.url = urlunsplit(self._target._replace(netloc=f"{user}@127.0.0.1:{port}"))

    def cut(self) -> None:
        """Ends every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def close(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            writer.transport.abort()
            return
        target = self._target
        far_reader, far_writer = await asyncio.open_connection(target.hostname, target.port)
        self._writers |= {writer, far_writer}
        for task in (
            asyncio.create_task(self._pump(reader, far_writer, replies=False)),
            asyncio.create_task(self._pump(far_reader, writer, replies=True)),
        ):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, replies: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if not (replies and self.drop_replies):
                    writer.write(data)
                    await writer.drain()
        self._writers.discard(writer)
        writer.close()
