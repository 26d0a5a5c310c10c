"""Bounds on what is made anew for anybody who asks, beside the documents that are kept.

It decides a rate for each source of requests, and how much of the process's time goes into all of it. It must not know
what is asked.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from oneapi.runtime.door.failures import FailureLimiter
from oneapi.runtime.door.work_share import WorkShare

RATE_PER_S = 10.0
BURST = 100
WORK_SHARE, WORK_AHEAD_S = 0.5, 4.0


class Bounds:
    """Of one process."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, worked: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock = clock
        # What it counts as a failure is any request here.
        self._rate = FailureLimiter(RATE_PER_S, BURST)
        self._share = WorkShare(WORK_SHARE, WORK_AHEAD_S, clock, worked)

    def wait_s(self, source: str) -> float:
        """Counts one request of a source. Seconds that it has to wait; 0 when it may be served."""
        return self._share.wait_s() or self._rate.strike(source, self._clock())

    def work(self) -> AbstractContextManager[None]:
        """Counts the processor's time of what is done inside, where nothing may be waited for."""
        return self._share.work()
