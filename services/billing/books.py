"""Books lines: appends what is new to the ledger, then sets Redis to the ledger's sums.

It decides the order in which a batch becomes durable, and that sums are set, never added to. It must not know events,
the bus, or how an account is opened.
"""

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from clickhouse_connect.driver.asyncclient import AsyncClient

from oneapi.runtime.redis_functions import MoneyFunctions
from services.billing import meters
from services.billing.events import LINE_MAIN
from services.billing.ledger import Ledger, Plan, plan
from services.billing.rows import LedgerRow, at
from services.billing.sums import AccountSums, Sums
from services.billing.term import Term

FENCED = -1
NOT_OPEN = -2
_CLOSE_AT_ONCE = 1_000
"""Reservations that one call closes; Redis does nothing else meanwhile."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """Lines that were appended just now, and when (ns since 1970)."""

    rows: Sequence[LedgerRow]
    began_ns: int
    ended_ns: int


class Books:
    """The writer's books. Every method raises what ClickHouse's and Redis' drivers raise, and may then be repeated."""

    def __init__(self, client: AsyncClient, ledger: Ledger, sums: Sums, money: MoneyFunctions, term: Term) -> None:
        self.term = term
        self.sums = sums
        self.ledger = ledger
        self.money = money
        self.behind: set[str] = set()
        """Accounts with lines in the ledger that Redis could not be told of yet."""
        self._client = client

    async def book(self, rows: Sequence[LedgerRow], on_insert: Callable[[Inserted], None]) -> Plan:
        """Books rows in the order of the stream. Returns when they are on disk and Redis knows. Raises NotTheWriter.

        Rows that are there already are not appended again, but their reservations are closed all the same.
        `on_insert` is called as soon as something is on disk.
        """
        async with self.term.lock:
            made = plan(rows, await self.ledger.present({row.key for row in rows}))
            if made.rows:
                await self._append(made.rows, on_insert)
            # The consumer repeats a failed batch before anything else, so nothing else can have been in doubt.
            self.term.marks.unsure.clear()
            self.behind.update(made.touched)
            sums = await self.sums.quick(made.touched, self.term.marks.hours)
            closing = _requests(rows)
            for account, found in sums.items():
                await self.post(account, found, closing.get(account, ()))
        return made

    async def post(self, account_id: str, sums: AccountSums, request_ids: Sequence[str]) -> bool:
        """Sets Redis to these sums and closes reservations; False when the account isn't open. Call under the lock.

        Raises NotTheWriter.
        """
        for start in range(0, max(len(request_ids), 1), _CLOSE_AT_ONCE):
            self.term.check()
            closing = request_ids[start : start + _CLOSE_AT_ONCE]
            # The sums have all of them in, so they come with the last: otherwise the rest would be counted twice.
            last = start + len(closing) >= len(request_ids)
            answer = await self.money.post(
                account_id,
                self.term.fence,
                sums.charged if last else None,
                scopes=sums.scopes if last else {},
                request_ids=closing,
                credits=sums.credits if last else None,
            )
            if answer == FENCED:
                raise self.term.refuse()
            if answer == NOT_OPEN:
                # It will be opened with the ledger's sums, and these lines are among them.
                self.behind.discard(account_id)
                return False
        self.behind.discard(account_id)
        return True

    async def mark(self, clean: Collection[int], dirty: Collection[int]) -> None:
        """Stores which hours of the hourly tables hold the ledger's sums and which don't. Call under the lock."""
        if not clean and not dirty:
            return
        marks = self.term.marks
        marks.version += 1
        rows = [
            [at(hour * 1000), is_clean, marks.version]
            for hours, is_clean in ((clean, True), (dirty, False))
            for hour in hours
        ]
        await self._client.insert(
            "rollup_hours",
            rows,
            column_names=["hour", "clean", "version"],
            column_type_names=["DateTime('UTC')", "Bool", "UInt64"],
            settings={"async_insert": 0},
        )
        marks.settle(clean, dirty)

    async def _append(self, rows: Sequence[LedgerRow], on_insert: Callable[[Inserted], None]) -> None:
        marks = self.term.marks
        hours = {_seconds(row.hour) for row in rows}
        self.term.check()
        await self.mark((), marks.to_mark(hours))
        marks.touched(hours)
        marks.unsure.update(hours)
        self.term.check()
        began = time.time_ns()
        await self.ledger.insert(rows)
        ended = time.time_ns()
        meters.INSERT_SECONDS.observe((ended - began) / 1e9)
        on_insert(Inserted(rows, began, ended))


def _requests(rows: Iterable[LedgerRow]) -> Mapping[str, Sequence[str]]:
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.line == LINE_MAIN:
            found.setdefault(row.account_id, {})[row.request_id] = None
    return {account: list(requests) for account, requests in found.items()}


def _seconds(hour: dt.datetime) -> int:
    return int(hour.timestamp())
