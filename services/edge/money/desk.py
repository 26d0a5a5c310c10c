"""The open requests of one edge, and the writing of their ends.

It decides the order at the end of a request: the terminal record into the spool, then Redis, then the bus. It must not
know how a request is admitted or what it is about.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator

from oneapi.runtime.telemetry import sampled
from services.edge.money import records, settlement
from services.edge.money.hold import NO_SLOT, Hold
from services.edge.money.progress import Progress
from services.edge.money.records import Opened, Tent
from services.edge.money.redis_clock import RedisClock
from services.edge.money.settlement import NOT_OPENED, Charge, Ending
from services.edge.money.spool import Spool, SpoolUnavailable

logger = logging.getLogger(__name__)

Settle = Callable[[str, str, str, int, int], None]
"""Settles in Redis: account, key, request, amount in nano-USD, tokens."""


class OpenRequests:
    """Holds by ticket, oldest first. `on_final(end)` is told how far the spool reaches when there is more to ship.

    `settle` must flush the spool before it sends anything.
    """

    def __init__(
        self, spool: Spool, progress: Progress, clock: RedisClock, settle: Settle, on_final: Callable[[int], None]
    ) -> None:
        self._spool = spool
        self._progress = progress
        self._clock = clock
        self._settle = settle
        self._on_final = on_final
        self._edge_id = spool.identity.edge_id
        self._open: dict[int, Hold] = {}
        self._slots: list[int] = []
        self.append = spool.append
        self.flush = spool.flush
        self.take_slot = progress.take
        self.count = progress.put

    def __len__(self) -> int:
        return len(self._open)

    @property
    def floor(self) -> int:
        """Where the oldest open request begins; the end of the spool when there is none."""
        return next(iter(self._open), self._spool.end)

    def held(self, account_id: str) -> Iterator[tuple[Tent, Opened]]:
        """What is reserved for open requests of an account, as far as it was granted."""
        for hold in self._open.values():
            if hold.tent.account_id == account_id and hold.opened is not NOT_OPENED:
                yield hold.tent, hold.opened

    def begin(self, tent: Tent) -> Hold:
        """Writes down a request that is about to be reserved. Raises SpoolUnavailable."""
        ticket = self._spool.append(records.TENT, records.encode_tent(tent))
        hold = self._open[ticket] = Hold(self, tent, ticket)
        return hold

    def deny(self, hold: Hold) -> None:
        """Closes a request that was refused for certain: nothing was taken, and nobody need hear of it."""
        del self._open[hold.ticket]
        with contextlib.suppress(SpoolUnavailable):  # without it a restart voids the request, which says the same
            self._spool.append(records.DENIED, records.encode_event(hold.ticket, b""))

    def close(self, hold: Hold, ending: Ending, charged: Charge) -> None:
        """Writes a terminal record, settles it and has it shipped.

        When the disk is full it waits for the disk, and so does settling. When the spool is suspect nothing happens:
        this process must end, and the next one finishes the request from what the disk kept.
        """
        tent = hold.tent
        event = settlement.event(
            tent,
            hold.opened,
            hold.attempts,
            ending,
            charged,
            edge_id=self._edge_id,
            reserved_at_ms=hold.opened.reserved_at_ms or self._clock.now_ms,
            ended_at_ms=time.time_ns() // 1_000_000,
            duration_ms=int((time.monotonic() - hold.begun) * 1000),
        )
        kind = records.FINAL_TRACED if sampled(tent.traceparent) else records.FINAL
        try:
            self._spool.append(kind, records.encode_event(hold.ticket, event))
        except SpoolUnavailable as problem:
            logger.error("a request's end can't be written down: %s", problem)
            return
        del self._open[hold.ticket]
        if hold.slot != NO_SLOT:
            self._slots.append(hold.slot)
            hold.slot = NO_SLOT
        if ending.outcome != settlement.VOID:
            # The client may see the end as soon as this returns. And the exact count of what was delivered must not go
            # before the record that takes its place is there.
            try:
                self._spool.flush()
            except SpoolUnavailable:
                pass
            else:
                while self._slots:
                    self._progress.give_back(self._slots.pop())
        tokens = settlement.total_tokens(ending.usage)
        self._settle(tent.account_id, tent.key_id, tent.request_id, charged.amount_nano, tokens)
        self._on_final(self._spool.end)
