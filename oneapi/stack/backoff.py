"""How long to wait before a program that ended is started again. Pure: time comes as an argument."""

FIRST_S = 0.2
FACTOR = 2.0
LONGEST_S = 10.0
# Who has lived for this long begins anew with short waits.
STEADY_S = 60.0


class Backoff:
    """The waits of one program: 0.2 s, 0.4 s, … 10 s, and from the start again after a minute of life."""

    def __init__(self) -> None:
        self._failures = 0

    def next_wait(self, lived_s: float) -> float:
        """Seconds to wait now that the program has ended after `lived_s` seconds."""
        if lived_s >= STEADY_S:
            self._failures = 0
        wait = min(LONGEST_S, FIRST_S * FACTOR**self._failures)
        # Bounded, so that a program which fails for weeks doesn't make a number too big to raise to.
        self._failures = min(self._failures + 1, 10)
        return wait
