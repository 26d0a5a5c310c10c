"""The edge's side of the tokenizer: starts its process when it is needed, asks it, and ends it when it is idle.

The vocabulary takes 70 MB and a second of the interpreter's lock to load, and text is given to native code: none of
that belongs into a process that serves streams and holds secrets. It decides how many may wait and for how long. It
must not know what is counted.
"""

import asyncio
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import msgspec

from oneapi.dialects.request import refuse
from services.edge import refusals
from services.edge.tokenizer.wire import LENGTH, Asked, Estimated, frame

logger = logging.getLogger(__name__)

MAX_WAITING = 16
LIMIT_S = 30.0
IDLE_S = 600.0
"""How long the process is kept that nobody asks."""
PROGRAM = "services.edge.tokenizer.process"
_ROOT = Path(__file__).parents[3]
_KEPT = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")
"""Of the environment: what an interpreter may need to start."""
_decoder = msgspec.msgpack.Decoder(Estimated)


class Program:
    """The process, and the connection to it."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(cls) -> "Program":
        """A new one. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            # Not by the loop, which forks: gRPC's handlers of that don't know asyncio.
            process = await asyncio.to_thread(_start, theirs)
            return cls(process, *await asyncio.open_connection(sock=ours))
        except BaseException:
            ours.close()
            raise

    @property
    def gone(self) -> bool:
        """Whether it has ended by itself."""
        return self._process.poll() is not None

    async def ask(self, asked: bytes) -> Estimated:
        """Its answer. Raises OSError, IncompleteReadError and MsgspecError."""
        self._writer.write(asked)
        await self._writer.drain()
        (size,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
        return _decoder.decode(await self._reader.readexactly(size))

    def end(self) -> "asyncio.Future[int]":
        """Ends it, wherever it is; done when it is gone."""
        self._process.kill()
        self._writer.close()
        return asyncio.get_running_loop().run_in_executor(None, self._process.wait)


def _start(connection: socket.socket) -> "subprocess.Popen[bytes]":
    """Closes our copy of its end. Nobody else may: it is needed here although whoever waits may have left."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    with connection:
        return subprocess.Popen(
            [sys.executable, "-m", PROGRAM],
            cwd=_ROOT,
            env=environment,
            stdin=connection.fileno(),
            stdout=connection.fileno(),
            stderr=subprocess.DEVNULL,
        )


class Tokenizer:
    """At most one process, which is asked one thing after another."""

    def __init__(self) -> None:
        self._program: Program | None = None
        self._turn = asyncio.Lock()
        self._asking: set[asyncio.Task[Estimated]] = set()
        self._idle: asyncio.TimerHandle | None = None

    async def estimate(self, dialect: str, model: str, body: bytes) -> int:
        """About how many tokens the request has. Raises GatewayError: 400 for what is none, 503 when it can't be told.

        Who leaves before the answer has come doesn't disturb those who wait behind.
        """
        if len(self._asking) >= MAX_WAITING:
            raise refusals.counting_busy()
        task = asyncio.create_task(self._ask(frame(Asked(dialect, model, body))))
        self._asking.add(task)
        task.add_done_callback(self._asked)
        try:
            answer = await asyncio.shield(task)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, msgspec.MsgspecError) as failure:
            logger.error("the tokenizer gives no answer: %r", failure)
            raise refusals.counting_busy() from None
        if answer.problem is not None:
            raise refuse(answer.problem.message, answer.problem.param, answer.problem.code)
        return answer.tokens

    async def close(self) -> None:
        """Ends the process."""
        for task in tuple(self._asking):
            task.cancel()
        ended = self._end()
        if ended is not None:
            await ended

    async def _ask(self, asked: bytes) -> Estimated:
        async with self._turn:
            try:
                async with asyncio.timeout(LIMIT_S):
                    return await (await self._running()).ask(asked)
            except BaseException:
                # What it would answer next is the answer to this.
                self._end()
                raise

    async def _running(self) -> Program:
        program = self._program
        if program is not None and program.gone:
            self._end()
            program = None
        if program is None:
            program = self._program = await Program.start()
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._end)
        return program

    def _asked(self, task: "asyncio.Task[Estimated]") -> None:
        self._asking.discard(task)
        if not task.cancelled():
            # Whoever asked may have left: then nobody else takes the exception.
            task.exception()

    def _end(self) -> "asyncio.Future[int] | None":
        program, self._program = self._program, None
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        return program.end() if program is not None else None
