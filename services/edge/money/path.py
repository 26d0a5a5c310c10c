"""The door to the money path: admits requests, and carries their bills to the bus.

It decides when this edge may admit: its spool is recovered and has room, the edge is registered, the clocks agree. It
must not know what is served, nor how amounts come about.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from oneapi.bus import publisher, subjects
from oneapi.catalog.types import MAX_AMOUNT_NANO
from oneapi.runtime import metrics, semconv
from oneapi.runtime.tasks import TaskSet, heed_cancellation
from services.edge.money import records, recovery, refusals, resp
from services.edge.money.admission import Admission, NotReserved
from services.edge.money.barrier import Barrier
from services.edge.money.claim import Claim
from services.edge.money.desk import OpenRequests
from services.edge.money.group_sync import Later
from services.edge.money.hold import AttemptRecord, Hold
from services.edge.money.progress import Progress
from services.edge.money.records import Tent
from services.edge.money.recovery import Story
from services.edge.money.redis_clock import RedisClock
from services.edge.money.redis_link import RedisAway, RedisLink, RedisSilent
from services.edge.money.registry import Entry, deregister, register
from services.edge.money.reserve_call import ReserveCalls
from services.edge.money.resp import RedisRefused
from services.edge.money.segments import Record, SpoolCorrupt
from services.edge.money.settlement import VOID, Charge, Ending
from services.edge.money.shipper import Shipper
from services.edge.money.spool import DEFAULT_MAX_BYTES, SEGMENT_BYTES, Spool, SpoolUnavailable

__all__ = ["AttemptRecord", "Charge", "Claim", "Ending", "Hold", "MoneyPath"]

logger = logging.getLogger(__name__)

NOT_RECOVERED = "the spool isn't recovered yet"
NOT_REGISTERED = "the edge isn't registered yet"
GOING_AWAY = "the edge is going away"
DAMAGED = "the spool is damaged"

TEND_S = 1.0
REGISTER_AGAIN_S = 10.0
NUDGE_S = 0.1

_bytes_kept = metrics.gauge(semconv.METRIC_SPOOL_BYTES, "Bytes in the spool, shipped ones included")


class MoneyPath:
    """The money path of one edge process; one spool folder, one connection to Redis, the edge's connection to NATS.

    `on_suspect(why)` is called once when the disk no longer keeps what it is given: the process must end, and the next
    one reads what is there. Until `start` has returned nothing else may be called.
    """

    def __init__(
        self,
        *,
        spool_dir: Path,
        redis_url: str,
        nats: Client,
        edge_id: str = "",
        max_bytes: int = DEFAULT_MAX_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
        on_suspect: Callable[[str], None] | None = None,
    ) -> None:
        self._spool_dir = spool_dir
        self._edge_id = edge_id
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes
        self._nats = nats
        self._js: JetStreamContext = nats.jetstream()
        self._on_suspect = on_suspect
        self._tasks = TaskSet()
        self._link = RedisLink(redis_url, before_write=self._flushed)
        self._clock = RedisClock(lambda: time.monotonic() * 1000, _wall_ms)
        self._closed_for = NOT_RECOVERED
        self._registered = False
        self._started = False
        self._registration: asyncio.Task[None] | None = None
        self._stories: dict[int, Story] = {}
        self._backlog = 0
        self._nudged: dict[str, float] = {}

    # Start and end -----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Recovers the spool, and begins to ship and to register. It may admit as soon as `accepting` is "".

        Raises SpoolLocked, SpoolCorrupt, OSError: then this edge must not run.
        """
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._open_spool, loop.call_later)
        spool = self._spool
        spool.begin()
        edge_id = spool.identity.edge_id
        self._admission = Admission(self._link, ReserveCalls(edge_id, _wall_ms), self._clock, self._not_open)
        self._shipper = Shipper(spool, self._publish, self._floor, self._backlog)
        self._open = OpenRequests(spool, self._progress, self._clock, self._admission.settle, self._shipper.wake)
        self._barrier = Barrier(edge_id, self._append_marker, self._open.held)
        self._started = True
        self._finish_recovered()
        # Before it is on the list: whoever may hold reservations must hear when they are asked for.
        await self._nats.subscribe(subjects.EDGE_SYNC, cb=self._sync_asked)
        self._tasks.spawn_forever(self._ship, "ship the spool")
        self._registration = self._tasks.spawn_forever(self._keep_registered, "register the edge")
        self._tasks.spawn_forever(self._tend, "tend the spool")

    async def drain(self, limit_s: float) -> None:
        """Admits nothing more, ships everything, and takes the edge off the list if nothing is left. Requests should
        have ended before."""
        self._closed_for = GOING_AWAY
        if not self._started:
            return
        self._spool.flush_quietly()
        if await self._shipper.drain(limit_s) and not self._open and not self._stories:
            if self._registration is not None:
                self._registration.cancel()
                await asyncio.wait([self._registration])
            try:
                await deregister(self._js, self._spool.identity.edge_id)
            except (nats.errors.Error, TimeoutError, OSError) as failure:
                logger.warning("the edge stays registered: %r", failure)
        else:
            logger.warning("the spool isn't empty; the edge stays registered")

    async def stop(self) -> None:
        """Ends everything; what isn't shipped stays in the spool."""
        await self._tasks.close()
        await self._link.close()
        if self._started:
            self._started = False
            self._closed_for = GOING_AWAY
            self._spool.close()
            self._progress.close()

    @property
    def edge_id(self) -> str:
        """The name of this edge, as its spool keeps it."""
        return self._spool.identity.edge_id

    @property
    def accepting(self) -> str:
        """Why no request may be admitted now, "" when they may."""
        return self._closed_for or self._spool.trouble or self._clock.problem

    # Requests ----------------------------------------------------------------------------------------------------

    async def begin(self, claim: Claim) -> Hold:
        """Admits a request. It is written down first, then reserved, then written down as granted.

        Raises GatewayError: 402 for a spent budget or credit, 429 for a rate, 503 when it can't be known or recorded.
        """
        if self.accepting:
            raise refusals.quota_unavailable() if self._clock.problem else refusals.usage_log_unavailable()
        try:
            hold = self._open.begin(_tent(claim))
        except SpoolUnavailable:
            raise refusals.usage_log_unavailable() from None
        try:
            granted = await self._admission.reserve(claim)
            limits = claim.key.limits
            hold.grant(granted, hold.tent.reserve_nano, (limits.rpm, limits.tpm))
        except NotReserved as refused:
            if refused.uncertain:
                hold.finish(Ending(VOID))
            else:
                self._open.deny(hold)
            raise refused.error from None
        except SpoolUnavailable:
            hold.finish(Ending(VOID))
            raise refusals.usage_log_unavailable() from None
        except BaseException:
            # The client went away, or the process ends: whether it was granted will never be known here.
            hold.finish(Ending(VOID))
            raise
        return hold

    async def abandon(self, hold: Hold) -> Charge:
        """Ends a request that never reached an upstream: nothing is charged."""
        return hold.finish(Ending(VOID))

    # Inside ------------------------------------------------------------------------------------------------------

    def _open_spool(self, later: Later) -> None:
        spool = Spool(
            self._spool_dir,
            edge_id=self._edge_id,
            max_bytes=self._max_bytes,
            segment_bytes=self._segment_bytes,
            later=later,
        )
        try:
            self._progress = Progress(self._spool_dir / "progress")
            self._stories = recovery.unfinished(self._counted(spool), self._progress.left_behind())
        except BaseException:
            spool.close()
            raise
        self._spool = spool

    def _counted(self, spool: Spool) -> Iterator[Record]:
        for record in spool.recover():
            self._backlog += record.kind in records.SHIPPED and record.offset >= spool.cursor.shipped
            yield record

    def _flushed(self) -> bool:
        """Writes down what was promised, before Redis hears of it."""
        try:
            self._spool.flush()
        except SpoolUnavailable:
            return False
        return True

    def _finish_recovered(self) -> None:
        """Writes the ends of what the last process left open, as far as the disk takes them."""
        left_open = len(self._stories)
        for ticket, story in list(self._stories.items()):
            found = recovery.finish(story, edge_id=self.edge_id, now_ms=_wall_ms())
            kind = records.FINAL_TRACED if found.traced else records.FINAL
            try:
                self._spool.append(kind, records.encode_event(ticket, found.event))
            except SpoolUnavailable as problem:
                logger.error("the spool can't be recovered yet: %s", problem)
                return
            del self._stories[ticket]
            self._shipper.wake(self._spool.end)
        if left_open:
            logger.warning("finished what was left open", extra={"fields": {"requests": left_open}})
        if self._closed_for == NOT_RECOVERED:
            self._progress.reset()
            self._closed_for = "" if self._registered else NOT_REGISTERED

    def _floor(self) -> int:
        """Where the oldest request without an end begins."""
        return min(next(iter(self._stories), self._spool.end), self._open.floor)

    async def _publish(self, payload: bytes, message_id: str) -> None:
        await publisher.publish(self._js, subjects.USAGE, payload, msg_id=message_id)

    async def _ship(self) -> None:
        try:
            await self._shipper.run()
        except SpoolCorrupt as damage:
            logger.critical("%s: %s", DAMAGED, damage)
            self._closed_for = DAMAGED
            self._report(f"{DAMAGED}: {damage}")
            raise

    def _report(self, why: str) -> None:
        if self._on_suspect is not None:
            report, self._on_suspect = self._on_suspect, None
            report(why)

    def _append_marker(self, account_id: str, payload: bytes) -> None:
        self._spool.append(records.SYNC, payload)
        self._admission.rebuilds[account_id] += 1
        self._shipper.wake(self._spool.end)

    async def _sync_asked(self, message: Msg) -> None:
        self._barrier.asked(message.data)

    async def _not_open(self, account_id: str, rebuild_id: str) -> None:
        """Redis doesn't know an account: billing is told, and gets this edge's marker if it is building it anew."""
        self._barrier.mark(account_id, rebuild_id)
        now = time.monotonic()
        if now - self._nudged.get(account_id, 0.0) < NUDGE_S:
            return
        if len(self._nudged) > 10_000:
            self._nudged.clear()
        self._nudged[account_id] = now
        with contextlib.suppress(nats.errors.Error):
            await self._nats.publish(subjects.BILLING_OPEN + account_id, b"")

    async def _keep_registered(self) -> None:
        """Puts this edge on the list, and back on it should the list be lost."""
        entry = Entry(self.edge_id, self._spool.identity.epoch, _wall_ms())
        while True:
            heed_cancellation()
            try:
                await register(self._js, entry)
            except (nats.errors.Error, TimeoutError, OSError) as failure:
                logger.warning("the edge can't be registered: %r", failure)
                await asyncio.sleep(TEND_S)
                continue
            self._registered = True
            if self._closed_for == NOT_REGISTERED:
                self._closed_for = ""
            await asyncio.sleep(REGISTER_AGAIN_S)

    async def _tend(self) -> None:
        """Once a second: room on the disk, records that it didn't take, and Redis' clock."""
        while True:
            self._spool.tidy()
            self._spool.flush_quietly()
            if self._stories:
                self._finish_recovered()
            _bytes_kept.set(self._spool.bytes_kept)
            if self._spool.suspect:
                self._report(self._spool.trouble)
            try:
                seconds, micros = await self._link.call(resp.command("TIME"))
                self._clock.learn(int(seconds) * 1000 + int(micros) // 1000)
            except (RedisAway, RedisSilent, RedisRefused) as failure:
                logger.debug("Redis doesn't tell the time: %s", failure)
            await asyncio.sleep(TEND_S)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _tent(claim: Claim) -> Tent:
    return Tent(
        claim.request_id,
        claim.account.id,
        claim.user_id,
        claim.key.id,
        claim.model,
        claim.endpoint,
        claim.client_request_id,
        claim.traceparent,
        claim.streamed,
        min(claim.reserve_nano, MAX_AMOUNT_NANO),
        claim.rates_ceiling,
        claim.prompt_bytes,
        _wall_ms(),
    )
