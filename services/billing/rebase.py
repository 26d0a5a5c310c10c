"""Compares every account's sums in Redis with the whole ledger, and puts right what differs.

It decides what a difference is: sums are set after each batch, so there must be none, unless something died between
appending and setting. It also closes reservations that are booked, and forgets budgets whose period is over.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from redis.asyncio import Redis

from oneapi.runtime.redis_functions import balance_key, leases_key
from services.billing import meters
from services.billing.books import FENCED, Books
from services.billing.scopes import counts
from services.billing.sums import AccountSums

logger = logging.getLogger(__name__)

_TOGETHER = 100
"""Accounts that are compared under one hold of the writer's lock."""
_POSTED = "posted:"
_OPEN = frozenset({"unposted", "reserved"})


@dataclass(frozen=True, slots=True)
class Held:
    """What Redis holds of an account that is open."""

    posted: int
    credits: int
    scopes: Mapping[str, int]
    open: Mapping[str, int] = field(default_factory=dict)
    """Every counter of what is unposted or reserved and not 0, by its name in Redis."""
    requests: tuple[str, ...] = ()


@dataclass(slots=True)
class Correction:
    """What must be changed in Redis. `delta_nano` is how far it was from the ledger, all sums together."""

    delta_nano: int = 0
    scopes: dict[str, int | None] = field(default_factory=dict)

    @property
    def needed(self) -> bool:
        """Whether anything differs."""
        return bool(self.delta_nano or self.scopes)


def compare(held: Held, ledger: AccountSums, now_ms: int) -> Correction:
    """What differs. A scope that doesn't count any more is to be forgotten (None), which is no difference. Pure."""
    made = Correction(abs(held.posted - ledger.charged) + abs(held.credits - ledger.credits))
    for scope, charged in ledger.scopes.items():
        if counts(scope, now_ms) and held.scopes.get(scope, 0) != charged:
            made.scopes[scope] = charged
            made.delta_nano += abs(held.scopes.get(scope, 0) - charged)
    for scope, posted in held.scopes.items():
        if not counts(scope, now_ms):
            made.scopes[scope] = None
        elif scope not in ledger.scopes and posted:
            made.scopes[scope] = 0
            made.delta_nano += abs(posted)
    return made


def to_set(ledger: AccountSums, correction: Correction, booked: Collection[str], now_ms: int) -> AccountSums:
    """The sums that Redis must be told: those that differ, and all when requests are closed with it. Pure.

    Closing many takes several calls, and all but the last move the posted sums of scopes that are right so far.
    """
    scopes = {scope: charged for scope, charged in correction.scopes.items() if charged is not None}
    if booked:
        scopes |= {scope: charged for scope, charged in ledger.scopes.items() if counts(scope, now_ms)}
    return AccountSums(ledger.charged, ledger.credits, scopes)


class Rebase:
    """Call `run()` about once a minute. Raises NotTheWriter, and what the stores raise."""

    def __init__(self, redis: Redis, books: Books) -> None:
        self._redis = redis
        self._books = books

    async def run(self, accounts: Collection[str], *, first: bool) -> int:
        """Compares all of them; returns the difference in nano-USD. The first of a term may well find one."""
        ordered = sorted(accounts)
        delta = 0
        for start in range(0, len(ordered), _TOGETHER):
            async with self._books.term.lock:
                delta += await self._group(ordered[start : start + _TOGETHER], first=first)
        return delta

    async def _group(self, accounts: Collection[str], *, first: bool) -> int:
        self._books.term.check()
        sums = await self._books.sums.full(accounts)
        seconds, _ = await self._redis.time()
        now_ms = int(seconds) * 1000
        delta = 0
        for account in accounts:
            held = await read_held(self._redis, account)
            if held is None:
                continue
            correction = compare(held, sums[account], now_ms)
            booked = sorted(await self._books.ledger.booked(account, held.requests)) if held.requests else []
            if not correction.needed and not booked:
                continue
            expected = first or account in self._books.behind
            await self._correct(account, to_set(sums[account], correction, booked, now_ms), correction, booked)
            if correction.delta_nano and not expected:
                delta += correction.delta_nano
                meters.REBASE_DELTA.inc(correction.delta_nano)
                fields = {"account_id": account, "delta_nano": correction.delta_nano}
                logger.error("sums in Redis differed from the ledger", extra={"fields": fields})
            if correction.delta_nano:
                meters.REPAIRS.labels("sums").inc()
            if booked:
                meters.REPAIRS.labels("closed").inc(len(booked))
        return delta

    async def _correct(
        self, account_id: str, sums: AccountSums, correction: Correction, booked: Collection[str]
    ) -> None:
        await self._books.post(account_id, sums, list(booked))
        self._books.term.check()
        forgotten = {scope: None for scope, charged in correction.scopes.items() if charged is None}
        if forgotten:
            answer = await self._books.money.post(
                account_id, self._books.term.fence, sums.charged, scopes=forgotten, request_ids=()
            )
            if answer == FENCED:
                raise self._books.term.refuse()


async def read_held(redis: Redis, account_id: str) -> Held | None:
    """What Redis holds at one instant; None when the account isn't open. Raises what redis-py raises."""
    pipeline = redis.pipeline(transaction=True)
    pipeline.hgetall(balance_key(account_id))
    pipeline.zrange(leases_key(account_id), 0, -1)
    raw, requests = await pipeline.execute()
    fields = {_text(name): _text(value) for name, value in raw.items()}
    if "epoch" not in fields:
        return None
    return Held(
        posted=int(fields.get("posted", 0)),
        credits=int(fields.get("credits", 0)),
        scopes={name.removeprefix(_POSTED): int(value) for name, value in fields.items() if name.startswith(_POSTED)},
        open={name: int(value) for name, value in fields.items() if name.split(":")[0] in _OPEN and value != "0"},
        requests=tuple(_text(request) for request in requests),
    )


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
