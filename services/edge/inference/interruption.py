"""Stops a request from outside: its client left, its time is up, the process ends.

It decides where a request may be stopped (inside `guarded`, nowhere else) and that the reason is never mistaken for
somebody else's cancellation. It must not know what is done about it.
"""

import asyncio
import enum
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class Reason(enum.Enum):
    """Why a request is stopped."""

    CLIENT_GONE = enum.auto()
    DEADLINE = enum.auto()
    SHUTDOWN = enum.auto()


class Interrupted(Exception):
    """The guarded work was stopped."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name)
        self.reason = reason


class Interruption:
    """The stop of one request; made in the task that serves it. The first reason holds."""

    __slots__ = ("_armed", "_task", "reason")

    def __init__(self) -> None:
        self._task = asyncio.current_task()
        self._armed = False
        self.reason: Reason | None = None

    def stop(self, reason: Reason) -> None:
        """Stops the guarded work now, or as soon as it begins."""
        if self.reason is None:
            self.reason = reason
            if self._armed and self._task is not None:
                self._task.cancel()

    def expire(self) -> None:
        """The request's time is up."""
        self.stop(Reason.DEADLINE)

    async def guarded(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Does the work. Raises Interrupted when it is stopped, wherever it waits at that moment."""
        try:
            self._check()
        except Interrupted:
            work.close()
            raise
        self._armed = True
        try:
            return await work
        except asyncio.CancelledError:
            self._check()
            raise
        finally:
            self._armed = False

    def _check(self) -> None:
        """Raises Interrupted when there is a reason to; what was cancelled for it is cancelled no longer."""
        if self.reason is not None:
            if self._armed and self._task is not None:
                self._task.uncancel()
            raise Interrupted(self.reason) from None
