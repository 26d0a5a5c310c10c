"""Elects one holder among processes: a leader lease in a KV bucket, taken and kept by compare-and-set.

It decides who holds and until when, by each process's own monotonic clock, and must not know what the holder does.

Why two never hold at once: a holder counts its time from *before* it wrote, and stops `margin` (a quarter of the
lease) early. A candidate counts from when it *saw* that write, later than it was made, and waits for the whole lease
without seeing another one. So the holder's time ends at least `margin` before the candidate's wait does, as long as
the two clocks drift by less than a quarter. A holder that was suspended finds out at its next look at `held`; what it
had sent before that is fenced by `generation`, which only grows.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

import msgspec
import nats.errors
import nats.js.errors
from nats.js.kv import KeyValue

from oneapi.runtime.ids import uuid7
from oneapi.runtime.tasks import heed_cancellation

logger = logging.getLogger(__name__)

MARGIN = 0.25
"""Part of the lease that the holder leaves unused."""


class LeaseRecord(msgspec.Struct, frozen=True):
    """What stands in the bucket. `beat` makes every renewal differ."""

    holder: str
    process: str
    ttl_s: float
    beat: int


class Lease:
    """One process's part in the election of `name`. `await run()` takes part until cancelled.

    `on_change(held)` is called on the event loop at each change, and must return at once.
    """

    def __init__(
        self,
        kv: KeyValue,
        name: str,
        holder: str,
        ttl_s: float,
        *,
        on_change: Callable[[bool], None] | None = None,
    ) -> None:
        if ttl_s <= 0:
            raise ValueError("a lease needs a time")
        self.on_change = on_change
        self._kv = kv
        self._key = f"lease.{name}"
        self._holder = holder
        self._process = uuid7()
        self._ttl_s = ttl_s
        self._usable_s = ttl_s * (1 - MARGIN)
        self._poll_s = min(ttl_s / 6, 1.0)
        self._beat = 0
        self._revision = 0
        self._generation = 0
        self._until = 0.0
        self._told = False
        self._seen: tuple[int, float, float] = (0, 0.0, 0.0)

    @property
    def held(self) -> bool:
        """Whether this process holds it at this instant. Ask before each step; the answer ends by itself."""
        return self._generation > 0 and time.monotonic() < self._until

    @property
    def generation(self) -> int:
        """The fencing token: the bucket's revision when it was taken; 0 when it is not held. It only grows."""
        return self._generation if self.held else 0

    async def run(self) -> None:
        """Takes the lease when it is free and keeps it, until cancelled; then it is given back."""
        try:
            while True:
                heed_cancellation()
                began = time.monotonic()
                try:
                    async with asyncio.timeout(self._limit_s(began)):
                        await (self._renew(began) if self.held else self._try_to_take(began))
                except (OSError, TimeoutError, nats.errors.Error, msgspec.MsgspecError, UnicodeDecodeError) as failure:
                    fields = {"lease": self._key, "held": self.held, "why": repr(failure)}
                    logger.warning("the lease can't be asked for", extra={"fields": fields})
                self._tell()
                await asyncio.sleep(self._pause_s())
                self._tell()
        finally:
            await self._give_back()

    def _limit_s(self, now: float) -> float:
        """No request outlives the lease, so that the loop notices its end in time."""
        return max(0.05, min(self._ttl_s / 3, self._until - now)) if self.held else max(0.05, self._ttl_s / 3)

    def _pause_s(self) -> float:
        left = self._until - time.monotonic()
        return max(0.0, min(self._poll_s, left)) if self._generation and left > 0 else self._poll_s

    def _record(self) -> bytes:
        self._beat += 1
        return msgspec.json.encode(LeaseRecord(self._holder, self._process, self._ttl_s, self._beat))

    async def _renew(self, began: float) -> None:
        try:
            self._revision = await self._kv.update(self._key, self._record(), last=self._revision)
        except nats.js.errors.KeyWrongLastSequenceError:
            await self._after_lost_answer()
        else:
            self._until = began + self._usable_s

    async def _after_lost_answer(self) -> None:
        """Either an own renewal was written and its answer lost, or another process has the lease."""
        try:
            entry = await self._kv.get(self._key)
        except nats.js.errors.KeyNotFoundError:
            # Somebody deleted it by hand, and the next one may take it at once.
            self._lose()
            return
        record = msgspec.json.decode(entry.value or b"", type=LeaseRecord)
        if record.process == self._process:
            # When that write happened is not known, so the time is not extended: the next renewal does that.
            self._revision = int(entry.revision or 0)
        else:
            self._lose()

    async def _try_to_take(self, began: float) -> None:
        self._lose()
        try:
            entry = await self._kv.get(self._key)
        except nats.js.errors.KeyNotFoundError:
            with contextlib.suppress(nats.js.errors.KeyWrongLastSequenceError):
                self._hold(began, await self._kv.create(self._key, self._record()))
            return
        revision = int(entry.revision or 0)
        if revision != self._seen[0]:
            record = msgspec.json.decode(entry.value or b"", type=LeaseRecord)
            # The answer came later than the write; counting from now only makes the wait longer.
            self._seen = (revision, time.monotonic(), max(record.ttl_s, self._ttl_s))
            return
        _, since, wait_s = self._seen
        if began - since >= wait_s:
            with contextlib.suppress(nats.js.errors.KeyWrongLastSequenceError):
                self._hold(began, await self._kv.update(self._key, self._record(), last=revision))

    def _hold(self, began: float, revision: int) -> None:
        self._revision = self._generation = revision
        self._until = began + self._usable_s

    def _lose(self) -> None:
        self._generation = 0
        self._until = 0.0

    def _tell(self) -> None:
        held = self.held
        if held == self._told:
            return
        self._told = held
        fields = {"lease": self._key, "generation": self._generation}
        logger.info("the lease is held" if held else "the lease is not held any more", extra={"fields": fields})
        if self.on_change is not None:
            self.on_change(held)

    async def _give_back(self) -> None:
        revision, held = self._revision, self.held
        self._lose()
        self._tell()
        if held:
            with contextlib.suppress(OSError, TimeoutError, nats.errors.Error):
                async with asyncio.timeout(1.0):
                    await self._kv.delete(self._key, last=revision)
