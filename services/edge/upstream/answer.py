"""A provider's answer as the edge reads it, whatever it comes through.

It decides how much of an answer may be held at once and when its connection may serve again. It must not know what the
bytes mean.
"""

import asyncio
from typing import Protocol

from services.edge.upstream.failures import UpstreamFailure, broken_answer

MAX_WHOLE_BYTES = 64 * 1024 * 1024
TAIL_LIMIT_S = 1.0
"""How long the end of a finished stream is waited for, so that its connection can serve again."""


class Silent(Exception):
    """Nothing has come so far; nothing is lost, and it may be read on."""


class Answer(Protocol):
    """The head of an answer has arrived; its body is read once, in one of the two ways."""

    status: int
    content_type: str
    retry_after_s: float

    async def read(self) -> bytes:
        """What has arrived since the last read, or what arrives next; b"" at the end. Raises UpstreamFailure, and
        Silent when it is interrupted."""

    def interrupt(self) -> None:
        """Has a `read` that waits raise Silent."""

    async def read_whole(self, limit: int = MAX_WHOLE_BYTES) -> bytes:
        """The whole body. Raises UpstreamFailure, also when it is larger than the limit."""

    async def finish(self) -> None:
        """Nothing more is wanted of an answer whose end has been seen."""

    def close(self) -> None:
        """Ends the answer at once, wherever it is. Safe to call at any time."""


class Wire(Protocol):
    """The connection that an answer comes through. `parts` is what has arrived of the body and wasn't taken yet."""

    parts: list[bytes]

    def taken(self) -> None:
        """All parts have been taken: more may come."""

    def abort(self) -> None:
        """Ends the connection at once."""


class HttpAnswer:
    """An answer over HTTP. Its connection fills it in and lets it go at its end; then `parts` is what is left of it.

    `status` is 0 until the head is there. `length` is the declared one, -1 without.
    """

    __slots__ = ("_failure", "_waiter", "_wire", "content_type", "length", "parts", "retry_after_s", "status")

    def __init__(self, wire: Wire) -> None:
        self._wire: Wire | None = wire
        self._waiter: asyncio.Future[None] | None = None
        self._failure: UpstreamFailure | None = None
        self.parts = wire.parts
        self.status = 0
        self.content_type = ""
        self.retry_after_s = 0.0
        self.length = -1

    # The connection's side

    def wake(self) -> None:
        """Something has come."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def let_go(self, failure: UpstreamFailure | None) -> None:
        """Nothing more will come: the answer is whole, or this is what happened to it."""
        if self._wire is not None:
            self.parts = self._wire.parts[:]
            self._wire = None
        self._failure = failure
        self.wake()

    # The reader's side

    async def head(self) -> None:
        """Waits for the head. Raises UpstreamFailure when there is none."""
        while not self.status:
            if self._failure is not None:
                raise self._failure
            await self._wait()

    async def read(self) -> bytes:
        """See `Answer`."""
        while not self.parts:
            if self._wire is None:
                if self._failure is not None:
                    raise self._failure
                return b""
            await self._wait()
        parts = self.parts
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        if self._wire is not None:
            self._wire.taken()
        return data

    async def read_whole(self, limit: int = MAX_WHOLE_BYTES) -> bytes:
        """See `Answer`."""
        if self.length > limit:
            raise broken_answer("an answer too large", self.status)
        parts, size = [], 0
        try:
            while data := await self.read():
                parts.append(data)
                size += len(data)
                if size > limit:
                    raise broken_answer("an answer too large", self.status)
            return parts[0] if len(parts) == 1 else b"".join(parts)
        finally:
            # A failure's traceback holds this frame, and the failure of `read` is held by this answer: without this
            # the bytes would stay until the garbage collector comes.
            parts.clear()

    async def finish(self) -> None:
        """See `Answer`. A connection whose answer does not end soon is not used again."""
        if self._wire is None:
            return
        try:
            async with asyncio.timeout(TAIL_LIMIT_S):
                while await self.read():
                    pass
        except (TimeoutError, UpstreamFailure):
            self.close()

    def interrupt(self) -> None:
        """See `Answer`."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_exception(Silent())

    def close(self) -> None:
        """See `Answer`."""
        wire, self._wire = self._wire, None
        if wire is not None:
            self.parts = []
            wire.abort()

    async def _wait(self) -> None:
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        try:
            await waiter
        finally:
            self._waiter = None
