"""Opens accounts in Redis: new ones at once, and those that Redis has lost behind a barrier.

It decides when everything that was granted is known again: every registered edge has sent its marker, and everything up
to the last marker is booked. Only then are open reservations put back and the account opened with the ledger's sums, in
one step that fails if Redis was lost meanwhile. It must not know how edges hold reservations.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec
import nats.js.errors
from nats.aio.client import Client as NatsClient
from nats.js import JetStreamContext
from nats.js.kv import KeyValue
from redis.asyncio import Redis

from oneapi.bus import leader_reading
from oneapi.bus.subjects import CONSUMER_BILLING, EDGE_SYNC, STREAM_LEDGER
from oneapi.catalog.view import CatalogView
from oneapi.runtime.ids import uuid7
from oneapi.runtime.redis_functions import HeldReservation, balance_key
from proto.events.v1.events_pb2 import OpenReservation, SpoolSync
from services.billing import meters
from services.billing.books import Books
from services.billing.redis_tail import RedisTail
from services.billing.scopes import counts
from services.billing.state_bucket import OPENED, registered_edges
from services.billing.sums import AccountSums

logger = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_TICK_S = 0.1
_ASK_EVERY_S = 0.5
_LIST_EVERY_S = 0.3
_TOGETHER = 50
"""Accounts that are opened under one hold of the writer's lock."""
_ASK_AT_ONCE = 1_000


@dataclass(slots=True)
class Rebuild:
    """One account on its way to being open. `markers`: by edge, what it holds open."""

    account_id: str
    rebuild_id: str
    new: bool
    began: float
    asked: float = 0.0
    booked_up_to: int | None = None
    """Everything up to here in the stream must be booked first; None while it is not known how far that is."""
    markers: dict[str, Sequence[OpenReservation]] = field(default_factory=dict)

    def missing(self, edges: Collection[str]) -> set[str]:
        """Registered edges that have not sent their marker."""
        return set(edges) - self.markers.keys()


class SyncRequest(msgspec.Struct, frozen=True):
    """What is asked on EDGE_SYNC."""

    account_id: str
    rebuild_id: str


class Opening:
    """Keeps every account of the catalog open, for the length of one term. `await run()` until cancelled.

    It may be run again after a failure and goes on where it was. `max_wait_s` is how long an edge is waited for;
    `opened` are the accounts that were ever opened, and everything up to `booked_up_to` in the stream is booked.
    """

    def __init__(
        self,
        nats: NatsClient,
        js: JetStreamContext,
        bucket: KeyValue,
        redis: Redis,
        books: Books,
        catalog: Callable[[], CatalogView],
        *,
        max_wait_s: float,
        opened: set[str],
        booked_up_to: int = 0,
    ) -> None:
        self._nats = nats
        self._js = js
        self._bucket = bucket
        self._redis = redis
        self._books = books
        self._catalog = catalog
        self._max_wait_s = max_wait_s
        self._tail = RedisTail(redis, js, bucket)
        self._rebuilds: dict[str, Rebuild] = {}
        self._opened = opened
        self._booked_up_to = booked_up_to
        self._asked: set[str] = set()
        self._looked = 0.0
        self._edges: set[str] = set()
        self._listed = 0.0
        self._wake = asyncio.Event()
        self.looked = False
        """Whether every account was looked at once, and those that were new are open."""

    @property
    def accounts(self) -> set[str]:
        """Every account that Redis may know: also those that are no longer in the catalog."""
        return self._opened | self._catalog().accounts.keys()

    def ask(self, account_id: str) -> None:
        """Somebody wants this account to be open: look at once."""
        self._asked.add(account_id)
        self._wake.set()

    def marker(self, marker: SpoolSync) -> None:
        """An edge's marker, after everything before it was booked. One of an earlier rebuild is ignored."""
        rebuild = self._rebuilds.get(marker.account_id)
        if rebuild is not None and rebuild.rebuild_id == marker.rebuild_id:
            rebuild.markers[marker.edge_id] = tuple(marker.open)
            self._wake.set()

    def booked(self, sequences: Iterable[int]) -> None:
        """These messages are booked, in the order of the stream.

        The bus knows it too, but only when nothing is left that was given to a writer who died: after a minute.
        """
        for sequence in sequences:
            if sequence == self._booked_up_to + 1:
                self._booked_up_to = sequence

    async def run(self) -> None:
        """Looks for accounts that are not open, and opens them. Raises NotTheWriter, and what the stores raise."""
        while True:
            self._wake.clear()
            await self.step()
            try:
                async with asyncio.timeout(_TICK_S if self._rebuilds else _LOOK_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def step(self) -> None:
        """One look, and one step of every account that is on its way."""
        self._books.term.check()
        accounts = self._catalog().accounts
        wanted = {account for account in self._asked if account in accounts}
        self._asked -= wanted
        now = time.monotonic()
        if now - self._looked >= _LOOK_EVERY_S:
            # An edge's question about an account that never came to the catalog is forgotten here.
            self._asked.clear()
            self._looked = now
            wanted = set(accounts)
            if await self._tail.lost():
                logger.error("Redis has lost the newest part of its state: every account is built anew")
                await self._begin([account for account in wanted if account not in self._rebuilds])
                await self._tail.accepted()
        closed = await self._closed(wanted - self._rebuilds.keys())
        if closed:
            await self._begin(closed)
        if self._rebuilds:
            await self._advance(now)
        self.looked = True

    async def _closed(self, accounts: Collection[str]) -> list[str]:
        """Those that Redis has no epoch of."""
        ordered = sorted(accounts)
        found: list[str] = []
        for start in range(0, len(ordered), _ASK_AT_ONCE):
            part = ordered[start : start + _ASK_AT_ONCE]
            pipeline = self._redis.pipeline(transaction=False)
            for account in part:
                pipeline.hexists(balance_key(account), "epoch")
            found += [account for account, there in zip(part, await pipeline.execute(), strict=True) if not there]
        return found

    async def _begin(self, accounts: Sequence[str]) -> None:
        if not accounts:
            return
        opened = self._opened
        charged = await self._books.sums.charged_before([account for account in accounts if account not in opened])
        for account in accounts:
            new = account not in opened and account not in charged
            if account not in opened:
                # Before it is opened: whatever happens next, it is never again taken for new.
                try:
                    await self._bucket.create(OPENED + account, b"")
                except nats.js.errors.KeyWrongLastSequenceError:
                    new = False
                opened.add(account)
            term = self._books.term
            term.check()
            rebuild_id = uuid7()
            if not await self._books.money.rebuild(account, rebuild_id, term.fence):
                raise term.refuse()
            self._rebuilds[account] = Rebuild(account, rebuild_id, new, time.monotonic())

    async def _advance(self, now: float) -> None:
        waiting = [rebuild for rebuild in self._rebuilds.values() if not rebuild.new]
        ready = [rebuild for rebuild in self._rebuilds.values() if rebuild.new]
        if waiting:
            edges = await self._registered(max(rebuild.began for rebuild in waiting))
            for rebuild in waiting:
                await self._ask_for_markers(rebuild, rebuild.missing(edges), now)
            ready += await self._behind_the_barrier(waiting)
        for start in range(0, len(ready), _TOGETHER):
            await self._open(ready[start : start + _TOGETHER])

    async def _ask_for_markers(self, rebuild: Rebuild, missing: Collection[str], now: float) -> None:
        """Asks again for what is missing. Once nothing is, everything that counts is in the stream."""
        late = now - rebuild.began > self._max_wait_s
        if missing and not late:
            if now - rebuild.asked >= _ASK_EVERY_S:
                rebuild.asked = now
                request = SyncRequest(rebuild.account_id, rebuild.rebuild_id)
                await self._nats.publish(EDGE_SYNC, msgspec.json.encode(request))
            return
        if rebuild.booked_up_to is None:
            if missing:
                self._say_late(rebuild, missing)
            # Not only the markers: an edge that left the list has shipped all it had before.
            rebuild.booked_up_to = (await leader_reading.state(self._js, STREAM_LEDGER)).last_seq

    async def _behind_the_barrier(self, waiting: Sequence[Rebuild]) -> list[Rebuild]:
        """Those for which everything in the stream up to their barrier is booked."""
        barriers = [rebuild for rebuild in waiting if rebuild.booked_up_to is not None]
        if not barriers:
            return []
        info = await self._js.consumer_info(STREAM_LEDGER, CONSUMER_BILLING)
        floor = max(self._booked_up_to, info.ack_floor.stream_seq if info.ack_floor is not None else 0)
        if not info.num_pending and not info.num_ack_pending:
            # Up to the last delivery, not further: the bus acknowledges a message before it counts it for the consumer.
            # What its age has removed is never delivered.
            delivered = info.delivered.stream_seq if info.delivered is not None else 0
            removed = (await leader_reading.state(self._js, STREAM_LEDGER)).first_seq - 1
            floor = max(floor, delivered, removed)
        return [rebuild for rebuild in barriers if (rebuild.booked_up_to or 0) <= floor]

    async def _registered(self, since: float) -> set[str]:
        """The edges on the list, read after `since`: who comes to it later holds nothing of a closed account."""
        now = time.monotonic()
        if self._listed < since or now - self._listed >= _LIST_EVERY_S:
            self._edges = await registered_edges(self._js)
            self._listed = now
        return self._edges

    async def _open(self, rebuilds: Sequence[Rebuild]) -> None:
        # Under the lock nothing is booked, so the sums are still right when they are set.
        async with self._books.term.lock:
            sums = await self._books.sums.full([rebuild.account_id for rebuild in rebuilds])
            for rebuild in rebuilds:
                self._books.term.check()
                opened = await self._put_back(rebuild, sums[rebuild.account_id])
                # Otherwise Redis was lost again: the account is found closed at the next look.
                del self._rebuilds[rebuild.account_id]
                if opened:
                    meters.REBUILDS.labels("new" if rebuild.new else "lost").inc()
                    fields = {"account_id": rebuild.account_id, "new": rebuild.new, "markers": len(rebuild.markers)}
                    logger.info("an account is open", extra={"fields": fields})

    async def _put_back(self, rebuild: Rebuild, sums: AccountSums) -> bool:
        account = rebuild.account_id
        held = {one.request_id: (edge, one) for edge, open_ in rebuild.markers.items() for one in open_}
        ended = await self._books.ledger.booked(account, list(held)) if held else set()
        for request_id, (edge, one) in held.items():
            if request_id in ended:
                continue
            if not await self._books.money.force(account, rebuild.rebuild_id, self._held(account, edge, one)):
                return False
        return await self._books.money.open(
            account,
            rebuild.rebuild_id,
            epoch=f"{self._books.term.fence}-{rebuild.rebuild_id}",
            pver=self._books.term.fence,
            credits=sums.credits,
            posted=sums.charged,
            scopes={scope: charged for scope, charged in sums.scopes.items() if counts(scope, _now_ms())},
        )

    def _held(self, account_id: str, edge_id: str, one: OpenReservation) -> HeldReservation:
        account = self._catalog().accounts.get(account_id)
        return HeldReservation(
            request_id=one.request_id,
            amount_nano=one.amount_nano,
            lease_end_ms=one.lease_end_ms,
            reserved_at_ms=one.reserved_at_ms,
            hard=bool(one.scopes) or account is None or not account.unlimited,
            scopes=tuple(one.scopes),
            edge_id=edge_id,
            key_id=one.key_id,
            user_id=one.user_id,
            model=one.model,
        )

    def _say_late(self, rebuild: Rebuild, missing: Collection[str]) -> None:
        fields = {"account_id": rebuild.account_id, "edges": sorted(missing), "waited_s": self._max_wait_s}
        logger.error(
            "an account is opened without the markers of some edges: what they hold may be spent twice",
            extra={"fields": fields},
        )
        meters.REBUILDS.labels("without all edges").inc()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
