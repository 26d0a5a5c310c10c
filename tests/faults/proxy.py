"""A TCP proxy that can misbehave: `python -m tests.faults.proxy NAME=LISTEN:TARGET …`.

One listener for each hop. Commands are JSON lines on standard input: {"hop": name, "toxic": kind, "seconds": s,
"needle": text, "count": n}; each is answered with the number of replies that the hop still has to drop. Kinds:

| kind | what happens to the hop |
|---|---|
| cut | every connection is reset at once; new ones work |
| blackhole | for `seconds`, nothing is forwarded in either direction and new connections get no answer |
| slow | for `seconds`, every read waits 50 ms before it is forwarded |
| drop_reply | the next `count` requests with `needle` in them go through, their replies are swallowed, and the
  connection is reset at the client's side: the server did what was asked, and the client can't know |
| heal | no reply is dropped any more |
| look | nothing |
"""

import asyncio
import json
import socket
import struct
import sys

SWALLOW_S = 0.05
"""How long the server has to do what was asked before the connection ends."""
SLOW_S = 0.05


class Reset(Exception):
    """The pair of connections ends here."""


class Pair:
    """One client's connection and the one that was made to the server for it."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.near = near
        self.far = far
        self.dropping = asyncio.Event()


class Hop:
    """One listener and its connections."""

    def __init__(self, listen: int, target: int) -> None:
        self.listen = listen
        self.target = target
        self.open = asyncio.Event()
        self.open.set()
        self.delay_s = 0.0
        self.drops = 0
        self.needle = b""
        self._pairs: set[Pair] = set()

    async def serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.listen, backlog=1024)
        async with server:
            await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.open.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            reset(writer)
            return
        pair = Pair(writer, far_writer)
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._to_server(reader, pair))
                group.create_task(self._to_client(far_reader, pair))
                group.create_task(self._end_soon(pair))
        except* (OSError, Reset):
            pass
        finally:
            self._pairs.discard(pair)
            reset(writer)
            if pair.dropping.is_set():
                far_writer.close()  # in order, so that the server reads all that it was sent
            else:
                reset(far_writer)

    async def _to_server(self, reader: asyncio.StreamReader, pair: Pair) -> None:
        before = b""
        while data := await reader.read(65536):
            await self._pass()
            if self.drops and self.needle in before + data:
                self.drops -= 1
                pair.dropping.set()
            before = data[-len(self.needle) :] if self.needle else b""
            pair.far.write(data)
            await pair.far.drain()
        pair.far.write_eof()

    async def _to_client(self, reader: asyncio.StreamReader, pair: Pair) -> None:
        while data := await reader.read(65536):
            await self._pass()
            if not pair.dropping.is_set():
                pair.near.write(data)
                await pair.near.drain()
        raise Reset

    async def _end_soon(self, pair: Pair) -> None:
        await pair.dropping.wait()
        await asyncio.sleep(SWALLOW_S)
        raise Reset

    async def _pass(self) -> None:
        await self.open.wait()
        if self.delay_s:
            await asyncio.sleep(self.delay_s)

    def cut(self) -> None:
        for pair in list(self._pairs):
            reset(pair.near)
            reset(pair.far)

    async def apply(self, toxic: str, seconds: float = 0.0, needle: bytes = b"", count: int = 1) -> None:
        if toxic == "cut":
            self.cut()
        elif toxic == "blackhole":
            self.open.clear()
            await asyncio.sleep(seconds)
            self.open.set()
        elif toxic == "slow":
            self.delay_s = SLOW_S
            await asyncio.sleep(seconds)
            self.delay_s = 0.0
        elif toxic == "drop_reply":
            self.needle = needle
            self.drops += count
        elif toxic == "heal":
            self.drops = 0
        elif toxic != "look":
            raise ValueError(toxic)


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection with RST, as a machine that vanishes would."""
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def main() -> None:
    hops: dict[str, Hop] = {}
    tasks: set[asyncio.Task[None]] = set()
    for argument in sys.argv[1:]:
        name, _, ports = argument.partition("=")
        listen, _, target = ports.partition(":")
        hops[name] = Hop(int(listen), int(target))
    for hop in hops.values():
        tasks.add(asyncio.create_task(hop.serve()))
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print("ready", flush=True)
    while line := await commands.readline():
        command = json.loads(line)
        hop = hops[command["hop"]]
        needle = command.get("needle", "").encode()
        toxic = hop.apply(command["toxic"], command.get("seconds", 0), needle, command.get("count", 1))
        task = asyncio.create_task(toxic)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await asyncio.sleep(0)
        print(hop.drops, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
