"""Redis' clock, as the edge knows it from Redis' answers.

It decides how old a call may be when it reaches Redis, and when the edge's own clock is too wrong to admit requests by.
It must not know what is called. Redis' time is carried on by the monotonic clock, so a step of the edge's own clock
doesn't matter.
"""

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)

CALL_MAY_AGE_MS = 1_000
SKEW_ALARM_MS = 2_000
SKEW_REFUSE_MS = 30_000
_LOG_EVERY_MS = 60_000


class RedisClock:
    """`monotonic_ms` and `wall_ms` are the edge's clocks."""

    def __init__(self, monotonic_ms: Callable[[], float], wall_ms: Callable[[], int]) -> None:
        self._monotonic_ms = monotonic_ms
        self._wall_ms = wall_ms
        self._offset_ms: float | None = None
        self._skew_ms = 0
        self._log_after_ms = 0.0

    def learn(self, redis_ms: int) -> None:
        """Takes note of a time that has just come from Redis."""
        monotonic = self._monotonic_ms()
        self._offset_ms = redis_ms - monotonic
        self._skew_ms = self._wall_ms() - redis_ms
        if abs(self._skew_ms) > SKEW_ALARM_MS and monotonic >= self._log_after_ms:
            self._log_after_ms = monotonic + _LOG_EVERY_MS
            logger.warning("the clocks of this edge and of Redis differ", extra={"fields": {"ms": self._skew_ms}})

    @property
    def not_after_ms(self) -> int:
        """When a call that is sent now is too old to be done, in Redis' time; 0 while that isn't known."""
        offset = self._offset_ms
        return 0 if offset is None else int(self._monotonic_ms() + offset) + CALL_MAY_AGE_MS

    @property
    def now_ms(self) -> int:
        """Redis' time, as far as it is known; else the edge's."""
        offset = self._offset_ms
        return self._wall_ms() if offset is None else int(self._monotonic_ms() + offset)

    @property
    def problem(self) -> str:
        """Why the edge's clock is too wrong to admit requests by, or ""."""
        if abs(self._skew_ms) <= SKEW_REFUSE_MS:
            return ""
        return f"the clocks of this edge and of Redis differ by {self._skew_ms} ms"
