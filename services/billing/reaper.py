"""Ends reservations that nobody will end: of edges that died and did not come back.

It decides when a reservation has outlived its lease, by the clock of Redis alone, and publishes a hold for it: charged
what was reserved, until a final record of the edge replaces it. It never changes sums itself; booking the hold does.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Any

from nats.js import JetStreamContext
from redis.asyncio import Redis

from oneapi.bus.publisher import publish
from oneapi.bus.subjects import USAGE
from oneapi.runtime.redis_functions import leases_key, reservation_key
from proto.events.v1.events_pb2 import UsageBatch, UsageSettled
from services.billing import meters
from services.billing.books import Books
from services.billing.events import EVIDENCE_HOLD, VERSION_HOLD

logger = logging.getLogger(__name__)

PENDING_GRACE_MS = 60_000
SETTLED_GRACE_MS = 24 * 3_600_000
"""A settled request is on its way in its edge's spool, which is kept for a day at least."""
PUBLISHER = "billing"
_AT_ONCE = 500
_ACCOUNTS_AT_ONCE = 500
_REMEMBERED = 50_000


def hold_for(account_id: str, request_id: str, held: Mapping[str, str], lease_end_ms: int) -> UsageSettled:
    """The hold for a reservation as Redis has it: always the same for the same reservation."""
    amount = int(held["act"] if held.get("st") == "settled" else held["amt"])
    return UsageSettled(
        event_id=f"{request_id}:est",
        request_id=request_id,
        account_id=account_id,
        user_id=held.get("user", ""),
        key_id=held.get("key", ""),
        model=held.get("model", ""),
        evidence=EVIDENCE_HOLD,
        amount_nano=amount,
        reserved_nano=amount,
        scopes=[scope for scope in held.get("scopes", "").split("\n") if scope],
        outcome="recovered",
        reserved_at_ms=int(held.get("at_ms") or lease_end_ms),
        ended_at_ms=lease_end_ms,
        edge_id=held.get("edge", ""),
        version=VERSION_HOLD,
    )


def is_due(state: str, lease_end_ms: int, now_ms: int) -> bool:
    """Whether a reservation in this state has waited long enough for its edge."""
    grace = SETTLED_GRACE_MS if state == "settled" else PENDING_GRACE_MS
    return now_ms >= lease_end_ms + grace


class Reaper:
    """Call `step()` every few seconds. Raises NotTheWriter, and what the stores raise."""

    def __init__(
        self, js: JetStreamContext, redis: Redis, books: Books, accounts: Callable[[], Collection[str]]
    ) -> None:
        self._js = js
        self._redis = redis
        self._books = books
        self._accounts = accounts
        self._published: OrderedDict[str, None] = OrderedDict()

    async def step(self) -> int:
        """Looks at every account; returns how many holds were published."""
        seconds, micros = await self._redis.time()
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        accounts = sorted(self._accounts())
        count = 0
        oldest = now_ms
        for start in range(0, len(accounts), _ACCOUNTS_AT_ONCE):
            part = accounts[start : start + _ACCOUNTS_AT_ONCE]
            pipeline = self._redis.pipeline(transaction=False)
            for account in part:
                pipeline.zrange(leases_key(account), 0, 0, withscores=True)
            for account, first in zip(part, await pipeline.execute(), strict=True):
                if first:
                    oldest = min(oldest, int(first[0][1]))
                    count += await self._account(account, now_ms)
        meters.UNPOSTED_AGE.set((now_ms - oldest) / 1000)
        return count

    async def _account(self, account_id: str, now_ms: int) -> int:
        """Everything of one account whose lease has been over for the grace time, a page at a time."""
        count, place = 0, 0
        until = now_ms - PENDING_GRACE_MS
        while True:
            page: Any = await self._redis.zrangebyscore(
                leases_key(account_id), "-inf", until, start=place, num=_AT_ONCE, withscores=True
            )
            late = {_text(request): int(score) for request, score in page}
            late = {request: end for request, end in late.items() if request not in self._published}
            if late:
                count += await self._end(account_id, late, now_ms)
            if len(page) < _AT_ONCE:
                return count
            place += _AT_ONCE

    async def _end(self, account_id: str, late: Mapping[str, int], now_ms: int) -> int:
        over = await self._books.ledger.booked(account_id, list(late))
        pipeline = self._redis.pipeline(transaction=False)
        for request_id in late:
            pipeline.hgetall(reservation_key(account_id, request_id))
        count = 0
        for (request_id, lease_end_ms), raw in zip(late.items(), await pipeline.execute(), strict=True):
            held = {_text(name): _text(value) for name, value in raw.items()}
            if not held:
                over.add(request_id)
            elif request_id not in over and is_due(held.get("st", ""), lease_end_ms, now_ms):
                await self._publish(hold_for(account_id, request_id, held, lease_end_ms))
                count += 1
        if over:
            await self._close(account_id, over)
        return count

    async def _close(self, account_id: str, over: set[str]) -> None:
        """These are in the ledger and Redis was never told, or nothing is known of them but that they once began."""
        async with self._books.term.lock:
            sums = await self._books.sums.full([account_id])
            if await self._books.post(account_id, sums[account_id], sorted(over)):
                meters.REPAIRS.labels("closed").inc(len(over))

    async def _publish(self, event: UsageSettled) -> None:
        self._books.term.check()
        batch = UsageBatch(edge_id=PUBLISHER, spool_epoch="holds", events=[event])
        await publish(self._js, USAGE, batch.SerializeToString(deterministic=True), msg_id=event.event_id)
        self._published[event.request_id] = None
        if len(self._published) > _REMEMBERED:
            self._published.popitem(last=False)
        meters.REPAIRS.labels("hold").inc()
        fields = {
            "request_id": event.request_id,
            "account_id": event.account_id,
            "edge_id": event.edge_id,
            "amount_nano": event.amount_nano,
            "late_s": int(time.time() - event.ended_at_ms / 1000),
        }
        logger.warning("a reservation was never ended and is charged as a hold", extra={"fields": fields})


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
