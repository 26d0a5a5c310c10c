"""Slows down sources that keep presenting bad credentials. Only failures count, so a good key is never slowed.

It decides how many failures are borne (GCRA: a rate and a burst), and must not know what failed.
"""

from collections import OrderedDict

RATE_PER_S = 20.0
BURST = 100
MAX_SOURCES = 10_000


class FailureLimiter:
    """Failures per source. Bounded: the source that failed longest ago is forgotten first."""

    def __init__(self, rate_per_s: float = RATE_PER_S, burst: int = BURST, max_sources: int = MAX_SOURCES) -> None:
        self._interval_s = 1.0 / rate_per_s
        self._tolerance_s = burst / rate_per_s
        self._max_sources = max_sources
        self._arrivals: OrderedDict[str, float] = OrderedDict()

    def strike(self, source: str, now_s: float) -> float:
        """Counts a failure. Seconds until the source may fail again; 0.0 while it is within its bounds."""
        due = max(self._arrivals.pop(source, 0.0), now_s) + self._interval_s
        over_s = due - now_s - self._tolerance_s
        if over_s > 0:
            # Refused failures don't count, or a source that keeps trying would never be heard again.
            self._arrivals[source] = due - self._interval_s
            return over_s
        self._arrivals[source] = due
        if len(self._arrivals) > self._max_sources:
            self._arrivals.popitem(last=False)
        return 0.0
