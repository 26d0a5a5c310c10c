"""The built-in model behind the interface of every other provider: no network, the same path.

It decides how its answer is dealt out as a stream. It must not know what the model says.
"""

import asyncio
import time
from collections.abc import Iterator

import msgspec

from oneapi.providers.sandbox import answer as sandbox
from services.edge.upstream.answer import MAX_WHOLE_BYTES, Answer
from services.edge.upstream.caller import Call
from services.edge.upstream.target import Target


class SandboxAnswer:
    """An answer that is there already, read piece by piece."""

    __slots__ = ("_pieces", "content_type", "retry_after_s", "status")

    def __init__(self, pieces: Iterator[bytes], content_type: str) -> None:
        self._pieces = pieces
        self.status = 200
        self.content_type = content_type
        self.retry_after_s = 0.0

    async def read(self) -> bytes:
        """See `Answer`. Others get their turn between two pieces, as with a network."""
        await asyncio.sleep(0)
        return next(self._pieces, b"")

    async def read_whole(self, limit: int = MAX_WHOLE_BYTES) -> bytes:
        """See `Answer`. What the sandbox says is short."""
        del limit
        return b"".join(self._pieces)

    async def finish(self) -> None:
        """There is nothing to give back."""

    def interrupt(self) -> None:
        """It is never waited for."""

    def close(self) -> None:
        """See `Answer`."""
        self._pieces = iter(())


class SandboxCaller:
    """Calls the built-in model."""

    async def call(self, target: Target, call: Call) -> Answer:
        """See `Caller`."""
        del target
        request = msgspec.json.decode(call.body)
        answer_id = call.request_id.replace("-", "")
        created = int(time.time())
        if call.stream:
            events = sandbox.stream(call.dialect, request, answer_id, created)
            return SandboxAnswer(iter(events), "text/event-stream")
        body = sandbox.whole(call.dialect, request, answer_id, created)
        return SandboxAnswer(iter((body,)), "application/json")
