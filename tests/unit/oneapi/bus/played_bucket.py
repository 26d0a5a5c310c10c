"""JetStream, a bucket and its watcher at once, played by the test."""

import asyncio
from types import SimpleNamespace
from typing import Any


def entry(value: Any, delta: int = 0, operation: str | None = None) -> Any:
    """One entry; `delta` is how many more there were when it was sent."""
    return SimpleNamespace(key=str(value), value=value, delta=delta, operation=operation)


class PlayedBucket:
    """What the server has sent already when a reader asks is `sent`, what it knows of beside it `pending`."""

    def __init__(self) -> None:
        self.to_come: asyncio.Queue[Any] = asyncio.Queue()
        self.stats = {"reconnects": 0}
        self.made = 1
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.stopped = 0
        self.failures = 0
        self.sent = 0
        self.pending = 0
        self.comes_while_asked: list[Any] = []
        """Each is sent with one of the answers."""
        self.asked: tuple[str, bool] | None = None
        self._nc = self
        self._sub = self
        self._updates = self.to_come

    async def key_value(self, _bucket: str) -> "PlayedBucket":
        if self.failures:
            self.failures -= 1
            raise TimeoutError
        return self

    async def stream_info(self, _stream: str) -> Any:
        return SimpleNamespace(created=self.made)

    async def consumer_info(self) -> Any:
        self.send(*self.comes_while_asked[:1])
        del self.comes_while_asked[:1]
        return SimpleNamespace(num_pending=self.pending, delivered=SimpleNamespace(consumer_seq=self.sent))

    async def watch(self, keys: str, *, meta_only: bool, inactive_threshold: float) -> "PlayedBucket":
        del inactive_threshold
        self.asked = (keys, meta_only)
        self.begun.put_nowait(keys)
        return self

    async def updates(self, timeout: float) -> Any:
        del timeout
        if self.to_come.empty():
            await asyncio.sleep(0)
            raise TimeoutError
        return self.to_come.get_nowait()

    async def stop(self) -> None:
        self.stopped += 1

    def holds(self, *values: Any) -> None:
        """These are there when the watch begins, none of them sent yet."""
        self.pending = len(values)
        for left, value in enumerate(values, 1 - len(values)):
            self.send(entry(value, delta=-left))

    def send(self, *updates: Any) -> None:
        for update in updates:
            self.to_come.put_nowait(update)
