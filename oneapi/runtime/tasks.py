"""Keeps the background tasks of a process: none is lost, none fails silently, all end together.

It decides how a failed task is reported and started again, and must not know what the tasks do.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)

_STEADY_S = 30.0
"""A task that ran this long is taken to have been well: its next failure starts at the first delay again."""

_INSIST_S = 2.0
"""Long enough for what a task does at its end, which a second cancellation would cut."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that double from `first_s` to `cap_s`, with full jitter, so that many processes don't return together."""

    first_s: float = 0.05
    cap_s: float = 5.0

    def delay(self, attempt: int) -> float:
        """Seconds to wait before attempt `attempt` + 1; `attempt` counts failures from 1."""
        ceiling = min(self.cap_s, self.first_s * 2.0 ** min(attempt - 1, 30))
        # Half of the ceiling at least: a restart that fails at once must not spin.
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret


DEFAULT_BACKOFF = Backoff()


class TaskSet:
    """The tasks of one owner. After `close` no more can be spawned."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, coro: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Runs it in the background; a failure is logged. Raises RuntimeError after `close`."""
        if self._closed:
            coro.close()
            raise RuntimeError(f"the task {name!r} came after the end")
        task = asyncio.get_running_loop().create_task(coro, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def spawn_forever(
        self, factory: Callable[[], Awaitable[object]], name: str, backoff: Backoff = DEFAULT_BACKOFF
    ) -> asyncio.Task[Any]:
        """Runs `factory()` again and again until `close`: a failure is logged, and waited after."""
        return self.spawn(_forever(factory, name, backoff), name)

    async def close(self) -> None:
        """Cancels what still runs and waits for its end. Safe to call twice."""
        self._closed = True
        current = asyncio.current_task()
        await cancel([task for task in self._tasks if task is not current])

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            logger.error("a background task failed", exc_info=failure, extra={"fields": {"task": task.get_name()}})


async def cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancels these tasks and returns when all have ended; their failures are not raised.

    A library may swallow a cancellation (`asyncio.wait_for` of Python 3.11 and nats-py both can), so it is repeated.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_INSIST_S)


def heed_cancellation() -> None:
    """Raises CancelledError when this task was cancelled and something swallowed it. For loops around libraries."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _forever(factory: Callable[[], Awaitable[object]], name: str, backoff: Backoff) -> None:
    loop = asyncio.get_running_loop()
    failures = 0
    while True:
        heed_cancellation()
        started = loop.time()
        try:
            await factory()
        except Exception:  # whatever ended it, the task must live on, and the log has the trace
            failures = 1 if loop.time() - started > _STEADY_S else failures + 1
            fields = {"task": name, "failures": failures}
            logger.exception("a background task failed and starts again", extra={"fields": fields})
        else:
            failures = 1
        await asyncio.sleep(backoff.delay(failures))
