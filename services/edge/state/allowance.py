"""Bounds how much an account may store without asking a model: that costs it nothing, and the room is everyone's.

It decides a rate and a burst in bytes (GCRA) for each account and process. It must not know what is stored.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

RATE_BYTES_PER_S = 32 * 1024
BURST_BYTES = 32 * 1024 * 1024
WRITE_BYTES = 1024
"""What a record costs beside its content."""
MAX_ACCOUNTS = 10_000


class Allowance:
    """The accounts of this process. Bounded: the one that stored longest ago is forgotten first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._free_at: OrderedDict[str, float] = OrderedDict()

    def take(self, account_id: str, size: int) -> float:
        """Counts so many bytes, and gives 0.0; or counts nothing, and gives the seconds until there is room."""
        now_s = self._clock()
        due = max(self._free_at.pop(account_id, 0.0), now_s)
        after = due + (size + WRITE_BYTES) / RATE_BYTES_PER_S
        over_s = after - now_s - BURST_BYTES / RATE_BYTES_PER_S
        self._free_at[account_id] = due if over_s > 0 else after
        if len(self._free_at) > MAX_ACCOUNTS:
            self._free_at.popitem(last=False)
        return max(over_s, 0.0)
