"""Bounds how much of a process's time goes into work that anybody may ask for.

It decides when more of it has to wait. It must not know what the work is.
"""

import contextlib
import time
from collections.abc import Callable, Iterator


class WorkShare:
    """`share` of the time of this thread may go into it, and up to `ahead_s` in advance."""

    def __init__(
        self,
        share: float,
        ahead_s: float,
        clock: Callable[[], float] = time.monotonic,
        worked: Callable[[], float] = time.thread_time,
    ) -> None:
        self._share = share
        self._ahead_s = ahead_s
        self._clock = clock
        self._worked = worked
        self._paid_until_s = 0.0

    def wait_s(self) -> float:
        """Seconds until more may be done; 0 when it may now."""
        return max(self._paid_until_s - self._clock() - self._ahead_s, 0.0)

    @contextlib.contextmanager
    def work(self) -> Iterator[None]:
        """Counts the processor's time of what is done inside, where nothing may be waited for."""
        began_s = self._worked()
        try:
            yield
        finally:
            spent_s = self._worked() - began_s
            self._paid_until_s = max(self._paid_until_s, self._clock()) + spent_s / self._share
