"""One term of this replica as the writer: what it may do, and until when.

It decides the number that fences its writes to Redis, and stops it when the lease is over. It must not know what is
written.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from redis.asyncio import Redis

from oneapi.runtime.redis_functions import balance_key
from services.billing.hours import Marks

_ASK_AT_ONCE = 1_000


class WriterLease(Protocol):
    """As much of `oneapi.bus.lease.Lease` as a term needs."""

    @property
    def held(self) -> bool: ...
    @property
    def generation(self) -> int: ...


class NotTheWriter(Exception):
    """The lease is over, or a newer writer has been seen: nothing more may be written in this term."""


@dataclass(slots=True)
class Term:
    """`fence` is higher than that of every writer before. `lock` is held by whoever appends to the ledger or sets sums.

    So between reading sums and setting them nothing is appended, and nothing is summed up in the middle of an append.
    """

    lease: WriterLease
    fence: int
    marks: Marks
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def check(self) -> None:
        """Call before every write. Raises NotTheWriter."""
        if self.ended.is_set() or not self.lease.held:
            raise NotTheWriter

    def refuse(self) -> NotTheWriter:
        """Redis has seen a newer writer: raise what this returns."""
        self.ended.set()
        return NotTheWriter("a newer writer has been seen")


async def fence_for(lease: WriterLease, redis: Redis, accounts: Collection[str]) -> int:
    """A fence above everything that Redis has seen for these accounts. Raises NotTheWriter, and what redis-py raises.

    The lease's generation grows by itself, unless the bus was lost and began anew; then Redis would refuse every
    writer for ever.
    """
    seen = 0
    ordered = sorted(accounts)
    for start in range(0, len(ordered), _ASK_AT_ONCE):
        pipeline = redis.pipeline(transaction=False)
        for account in ordered[start : start + _ASK_AT_ONCE]:
            pipeline.hget(balance_key(account), "pver")
        seen = max(seen, *(int(value or 0) for value in await pipeline.execute()))
    generation = lease.generation
    if generation == 0:
        raise NotTheWriter
    return max(generation, seen + 1)
