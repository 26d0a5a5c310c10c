"""How often a login may fail before it must wait.

Decides the bound, in this process's memory: a few wrong passwords a minute for one login name. It must not know
whether the name exists, and a success clears it. The memory is bounded; the oldest names are forgotten first.
"""

from collections import OrderedDict

FAILURES = 10
WINDOW_S = 300.0
NAMES = 10_000


class Throttle:
    """Counts failures per name. Times are seconds of a monotonic clock, given by the caller."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def wait_s(self, name: str, now: float) -> float:
        """Seconds until another attempt is allowed; 0 when it is now."""
        recent = [at for at in self._failures.get(name, []) if at > now - WINDOW_S]
        return 0.0 if len(recent) < FAILURES else recent[-FAILURES] + WINDOW_S - now

    def failed(self, name: str, now: float) -> None:
        """Counts a wrong password."""
        recent = [at for at in self._failures.pop(name, []) if at > now - WINDOW_S]
        self._failures[name] = [*recent[-FAILURES + 1 :], now]
        while len(self._failures) > NAMES:
            self._failures.popitem(last=False)

    def succeeded(self, name: str) -> None:
        """Forgets the failures of a name."""
        self._failures.pop(name, None)
