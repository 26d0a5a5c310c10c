"""Proves that the ledger holds, or finds the first break.

It decides what is checked, from the stores themselves and never from billing's own counters, so it also runs when
billing doesn't. Whatever is under way while it looks is looked at again; what is still different then is a break.

    I1'  no prepaid account is charged above its credit, no budget above its limit
    I2   what Redis counts as posted is the ledger's sum, and nothing is held when no request is open
    I3   every event that was taken off the stream is in the ledger, or was put aside
    I4   every line is there once
    I5   every amount is what its usage costs at its price
    I6   credits less charges is the balance, for every account
    I7   the hourly sums that reports use are the ledger's
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass

from clickhouse_connect.driver.asyncclient import AsyncClient
from nats.js import JetStreamContext
from redis.asyncio import Redis

from services.billing.charges import recomputed_nano
from services.billing.hours import read_marks
from services.billing.limits_check import Overspent, overspent_accounts, overspent_budgets
from services.billing.rebase import Held, compare, read_held
from services.billing.rollup import differing
from services.billing.rows import KIND_HOLD
from services.billing.stream_check import StreamFindings, compare_stream
from services.billing.sums import AccountSums, Sums

_AGAIN = 12
_AGAIN_S = 0.25
_TOGETHER = 200

_UNIQUE = """
SELECT count(), uniqExact(account_id, request_id, line), sum(amount_nano) FROM ledger_v
"""
_NEWEST = """
SELECT count(), sum(amount) FROM (
    SELECT argMax(amount_nano, version) AS amount FROM ledger GROUP BY account_id, request_id, line
)
"""
_TORN = """
SELECT request_id, uniqExact(toYYYYMM(reserved_at)) AS partitions FROM ledger
GROUP BY account_id, request_id, line HAVING partitions > 1 LIMIT 1
"""
_AMOUNTS = """
SELECT usage, price, kind, amount_nano, house_nano, reserved_nano, arraySum(line -> line.4, lines) AS billed,
    any(request_id), count()
FROM ledger_v
WHERE line = 'main'
GROUP BY usage, price, kind, amount_nano, house_nano, reserved_nano, billed
"""
_ACCOUNTS = "SELECT DISTINCT account_id FROM ledger"


@dataclass(frozen=True, slots=True)
class Result:
    """One invariant, whether it holds, and what was looked at or found."""

    invariant: str
    holds: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One account in Redis and in the ledger."""

    account_id: str
    held: Held | None
    ledger: AccountSums
    delta_nano: int

    @property
    def leaks(self) -> bool:
        """Whether something is held although no request is open."""
        return self.held is not None and not self.held.requests and bool(self.held.open)

    @property
    def balanced(self) -> bool:
        """Whether credits less charges is the same on both sides."""
        return self.held is None or (self.held.credits - self.held.posted == self.ledger.credits - self.ledger.charged)


class Verification:
    """Checks the stores. `run` raises what their drivers raise."""

    def __init__(self, client: AsyncClient, redis: Redis, js: JetStreamContext) -> None:
        self._client = client
        self._redis = redis
        self._js = js

    async def run(self) -> AsyncIterator[Result]:
        """Every invariant in turn."""
        yield await self._limits()
        comparisons = await self._comparisons()
        yield _conservation(comparisons)
        yield await self._no_loss()
        yield await self._no_double()
        yield await self._amounts()
        yield _double_entry(comparisons)
        yield await self._hours()

    async def _limits(self) -> Result:
        accounts = await overspent_accounts(self._client)
        budgets, lowered = await overspent_budgets(self._client, self._js)
        found = [*accounts, *budgets]
        if found:
            return Result("I1' limits", False, _overspent(found[0]))
        detail = "no account and no budget is charged above its limit"
        return Result(
            "I1' limits", True, f"{detail}; {lowered} are above a limit that was lowered" if lowered else detail
        )

    async def _comparisons(self) -> list[Comparison]:
        accounts = {str(account) for (account,) in (await self._client.query(_ACCOUNTS)).result_rows}
        accounts |= await self._accounts_in_redis()
        found = {one.account_id: one for one in await self._compare(sorted(accounts))}
        for _ in range(_AGAIN):
            odd = [one.account_id for one in found.values() if one.delta_nano or one.leaks or not one.balanced]
            if not odd:
                break
            # A line is in the ledger a moment before Redis is told.
            await asyncio.sleep(_AGAIN_S)
            found |= {one.account_id: one for one in await self._compare(odd)}
        return list(found.values())

    async def _accounts_in_redis(self) -> set[str]:
        found = set()
        async for key in self._redis.scan_iter(match="b:{*}", count=1_000):
            name = key.decode() if isinstance(key, bytes) else key
            found.add(name[3:-1])
        return found

    async def _compare(self, accounts: Collection[str]) -> list[Comparison]:
        made: list[Comparison] = []
        ordered = sorted(accounts)
        for start in range(0, len(ordered), _TOGETHER):
            part = ordered[start : start + _TOGETHER]
            sums = await Sums(self._client).full(part)
            seconds, _ = await self._redis.time()
            for account in part:
                held = await read_held(self._redis, account)
                delta = compare(held, sums[account], int(seconds) * 1000).delta_nano if held else 0
                made.append(Comparison(account, held, sums[account], delta))
        return made

    async def _no_loss(self) -> Result:
        found = await _until(lambda: compare_stream(self._client, self._js), lambda found: not found.missing)
        return _loss(found)

    async def _no_double(self) -> Result:
        name = "I4 uniqueness"
        seen: tuple[int, ...] = ()
        for _ in range(_AGAIN):
            ((lines, keys, total),) = (await self._client.query(_UNIQUE)).result_rows
            ((newest, newest_total),) = (await self._client.query(_NEWEST)).result_rows
            if lines != keys:
                return Result(name, False, f"{lines} lines have {keys} keys")
            if (lines, total) == (newest, newest_total):
                torn = (await self._client.query(_TORN)).result_rows
                if torn:
                    return Result(name, False, f"the request {torn[0][0]} is in {torn[0][1]} partitions")
                return Result(name, True, f"{lines} lines, each once")
            seen = (int(total), int(newest_total))
            await asyncio.sleep(_AGAIN_S)
        return Result(name, False, f"the newest versions add up to {seen[1]} nano-USD, and ledger_v to {seen[0]}")

    async def _amounts(self) -> Result:
        name = "I5 amounts"
        count = 0
        stream = await self._client.query_row_block_stream(_AMOUNTS)
        async with stream:
            async for block in stream:
                for usage, price, kind, amount, house, reserved, billed, request_id, rows in block:
                    count += rows
                    wrong = amount_fault(usage, price, kind, amount, house, reserved, billed)
                    if wrong:
                        return Result(name, False, f"the request {request_id}: {wrong}")
        return Result(name, True, f"{count} charges are what their usage costs")

    async def _hours(self) -> Result:
        name = "I7 hourly sums"
        wrong: list[int] = []
        clean: set[int] = set()
        for _ in range(_AGAIN):
            clean = (await read_marks(self._client)).clean
            candidates = [hour for hour in wrong if hour in clean] if wrong else sorted(clean)
            wrong = await differing(self._client, candidates)
            if not wrong:
                return Result(name, True, f"{len(clean)} closed hours are as in the ledger")
            await asyncio.sleep(_AGAIN_S)
        return Result(name, False, f"the hour that began at {wrong[0]} (Unix time) differs from the ledger")


def amount_fault(
    usage: dict[str, int], price: dict[str, int], kind: str, amount: int, house: int, reserved: int, billed: int
) -> str:
    """Why these amounts can't be right; "" when they are. `billed` is the stored lines' sum in pico-USD. Pure."""
    if kind == KIND_HOLD:
        return "" if amount == reserved and house == 0 else f"a hold of {reserved} nano-USD is charged {amount}"
    expected = recomputed_nano(usage, price)
    if amount + house != expected:
        return f"its usage costs {expected} nano-USD, and {amount} + {house} are booked"
    if -(-billed // 1_000) != expected:
        return f"its usage costs {expected} nano-USD, and its lines add up to {billed} pico-USD"
    if house and amount != reserved:
        return f"the house bears {house} nano-USD, though only {amount} of {reserved} were charged"
    return ""


def _conservation(comparisons: Collection[Comparison]) -> Result:
    name = "I2 conservation"
    opened = [one for one in comparisons if one.held is not None]
    for one in opened:
        if one.delta_nano:
            return Result(
                name, False, f"the account {one.account_id} differs from the ledger by {one.delta_nano} nano-USD"
            )
        if one.leaks and one.held is not None:
            return Result(name, False, f"the account {one.account_id} holds {dict(one.held.open)} for no request")
    busy = sum(len(one.held.requests) for one in opened if one.held is not None)
    detail = f"{len(opened)} accounts are posted as in the ledger"
    if busy:
        detail += f"; {busy} requests are in flight"
    if len(opened) < len(comparisons):
        detail += f"; {len(comparisons) - len(opened)} accounts are not open"
    return Result(name, True, detail)


def _double_entry(comparisons: Collection[Comparison]) -> Result:
    name = "I6 double entry"
    for one in comparisons:
        if not one.balanced:
            return Result(name, False, f"the account {one.account_id} has another balance than credits less charges")
    credit = sum(one.ledger.credits for one in comparisons)
    charged = sum(one.ledger.charged for one in comparisons)
    return Result(name, True, f"{credit} - {charged} = {credit - charged} nano-USD over {len(comparisons)} accounts")


def _loss(found: StreamFindings) -> Result:
    name = "I3 no loss"
    if found.missing:
        return Result(name, False, f"{found.missing[0]} was acknowledged and is not in the ledger")
    detail = f"{found.events} events of the stream are in the ledger"
    if found.put_aside:
        detail += f"; {found.put_aside} were put aside"
    if found.conflicts:
        detail += f"; {len(found.conflicts)} ids came with other contents, such as {found.conflicts[0]}"
    if found.waiting:
        detail += f"; {found.waiting} messages wait"
    return Result(name, True, detail)


def _overspent(one: Overspent) -> str:
    return f"{one.what} is charged {one.charged_nano} of {one.limit_nano} nano-USD"


async def _until(
    look: Callable[[], Awaitable[StreamFindings]], good: Callable[[StreamFindings], bool]
) -> StreamFindings:
    found = await look()
    for _ in range(_AGAIN):
        if good(found):
            break
        await asyncio.sleep(_AGAIN_S)
        found = await look()
    return found
