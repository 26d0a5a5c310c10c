"""Sums up closed hours, so that reports over months don't read every line.

It decides when an hour is computed and marked clean. An hour is computed from ledger_v into a staging table together
with the clean hours of its day, and the day's partition is replaced in one step. It must not know who reads the sums.
"""

import logging
import time
from collections.abc import Iterable, Sequence

from clickhouse_connect.driver.asyncclient import AsyncClient

from services.billing import meters
from services.billing.books import Books
from services.billing.hours import HOUR_S

logger = logging.getLogger(__name__)

CLOSED_AFTER_S = 120
"""An hour that ended this long ago is computed; requests that began in it and end later make it dirty again."""
_DAY_S = 24 * HOUR_S
_AUDIT_HOURS = 72
_AUDIT_AT_ONCE = 1_000

FAILED = "(outcome IN ('upstream_error', 'upstream_cut', 'recovered') OR (outcome = 'ok' AND status >= 400))"
"""A request that counts as an error: it failed for another reason than the client leaving or the budget ending."""

_IN_HOURS = "toUnixTimestamp(toStartOfHour(reserved_at)) IN {hours:Array(UInt32)}"
_IN_DAY = (
    "reserved_at >= toDateTime64({day:UInt32}, 3, 'UTC') AND reserved_at < toDateTime64({day:UInt32} + 86400, 3, 'UTC')"
)
_KEPT = "toUnixTimestamp(hour) IN {kept:Array(UInt32)} AND toYYYYMMDD(hour) = {partition:UInt32}"

_COMPUTE = {
    "usage_hourly": f"""
INSERT INTO usage_hourly_staging
    (hour, account_id, user_id, key_id, model, channel_id, endpoint, outcome, requests, errors, cost_nano, usage)
SELECT toDateTime(toStartOfHour(reserved_at), 'UTC') AS hour, account_id, user_id, key_id, model, channel_id, endpoint,
    outcome, count() AS requests, countIf({FAILED}) AS errors, sum(amount_nano) AS cost_nano, sumMap(usage) AS usage
FROM ledger_v
WHERE line = 'main' AND outcome != 'void' AND {_IN_DAY} AND {_IN_HOURS}
GROUP BY hour, account_id, user_id, key_id, model, channel_id, endpoint, outcome
""",  # noqa: S608 - the inserted parts are constants
    "charges_hourly": f"""
INSERT INTO charges_hourly_staging (hour, account_id, scope, amount_nano, credits_nano)
SELECT toDateTime(toStartOfHour(reserved_at), 'UTC') AS hour, account_id, scope,
    sumIf(amount_nano, line = 'main'), sumIf(amount_nano, line != 'main')
FROM ledger_v
ARRAY JOIN arrayConcat([''], scopes) AS scope
WHERE {_IN_DAY} AND {_IN_HOURS}
GROUP BY hour, account_id, scope
""",  # noqa: S608 - the inserted parts are constants
}

_HOURS_IN_LEDGER = """
SELECT DISTINCT toUnixTimestamp(toStartOfHour(reserved_at)) FROM ledger
"""
_AUDIT = f"""
SELECT begun FROM (
    SELECT toUnixTimestamp(hour) AS begun, toInt64(requests) AS count, cost_nano AS cost, toInt64(0) AS charged,
        toInt64(0) AS given
    FROM usage_hourly WHERE toUnixTimestamp(hour) IN {{hours:Array(UInt32)}}
    UNION ALL
    SELECT toUnixTimestamp(hour), toInt64(0), toInt64(0), if(scope = '', amount_nano, 0), credits_nano
    FROM charges_hourly WHERE toUnixTimestamp(hour) IN {{hours:Array(UInt32)}}
    UNION ALL
    SELECT toUnixTimestamp(toStartOfHour(reserved_at)),
        if(line = 'main' AND outcome != 'void', toInt64(-1), toInt64(0)),
        if(line = 'main' AND outcome != 'void', -amount_nano, toInt64(0)),
        if(line = 'main', -amount_nano, toInt64(0)),
        if(line = 'main', toInt64(0), -amount_nano)
    FROM ledger_v
    WHERE reserved_at >= toDateTime64({{first:UInt32}}, 3, 'UTC') AND {_IN_HOURS}
)
GROUP BY begun
HAVING sum(count) != 0 OR sum(cost) != 0 OR sum(charged) != 0 OR sum(given) != 0
"""  # noqa: S608 - the inserted parts are constants


class Rollup:
    """The writer's roll-up. Every method raises NotTheWriter and what the driver raises, and may be repeated."""

    def __init__(self, client: AsyncClient, books: Books) -> None:
        self._client = client
        self._books = books

    async def find_hours(self) -> None:
        """Notes every hour of the ledger that is not clean: an earlier term may not have come to it."""
        marks = self._books.term.marks
        for (hour,) in (await self._client.query(_HOURS_IN_LEDGER)).result_rows:
            if int(hour) not in marks.clean:
                marks.touched([int(hour)])

    async def step(self, now_s: float) -> int:
        """Computes what is due, a day at a time from the oldest; returns how many hours became clean."""
        done = 0
        due = self._books.term.marks.due(int(now_s) - CLOSED_AFTER_S)
        for day, hours in _by_day(due).items():
            done += await self._day(day, hours)
        return done

    async def audit(self) -> int:
        """Compares the newest clean hours with the ledger; those that differ become dirty, and are counted."""
        hours = sorted(self._books.term.marks.clean)[-_AUDIT_HOURS:]
        if not hours:
            return 0
        if not await differing(self._client, hours):
            return 0
        async with self._books.term.lock:
            # Something may have been appended in between: only what differs while nothing is appended is wrong.
            wrong = [hour for hour in await differing(self._client, hours) if hour in self._books.term.marks.clean]
            await self._books.mark((), wrong)
        if wrong:
            meters.REPAIRS.labels("hours").inc(len(wrong))
            logger.error("hourly sums differed from the ledger", extra={"fields": {"hours": wrong}})
        return len(wrong)

    async def _day(self, day: int, hours: Sequence[int]) -> int:
        term = self._books.term
        async with term.lock:
            # Under the lock no append is under way: what comes after this is counted.
            before = {hour: term.marks.touches.get(hour, 0) for hour in hours}
            kept = sorted(hour for hour in term.marks.clean if day <= hour < day + _DAY_S and hour not in before)
        partition = int(time.strftime("%Y%m%d", time.gmtime(day)))
        parameters = {"day": day, "hours": sorted(before), "kept": kept, "partition": partition}
        for table, compute in _COMPUTE.items():
            await self._replace(table, compute, partition, parameters)
        async with term.lock:
            term.check()
            clean, dirty = term.marks.computed(before)
            await self._books.mark(clean, dirty)
        meters.ROLLED_HOURS.inc(len(clean))
        return len(clean)

    async def _replace(self, table: str, compute: str, partition: int, parameters: dict[str, object]) -> None:
        staging = f"{table}_staging"
        self._books.term.check()
        await self._client.command(f"ALTER TABLE {staging} DROP PARTITION {partition}")
        if parameters["kept"]:
            keep = f"INSERT INTO {staging} SELECT * FROM {table} WHERE {_KEPT}"  # noqa: S608 - the inserted parts are constants
            await self._client.command(keep, parameters=parameters)
        await self._client.command(compute, parameters=parameters)
        self._books.term.check()
        await self._client.command(f"ALTER TABLE {table} REPLACE PARTITION {partition} FROM {staging}")


async def differing(client: AsyncClient, hours: Sequence[int]) -> list[int]:
    """Those of these hours whose hourly sums aren't the ledger's. Raises what the driver raises."""
    found: list[int] = []
    for start in range(0, len(hours), _AUDIT_AT_ONCE):
        part = sorted(hours)[start : start + _AUDIT_AT_ONCE]
        result = await client.query(_AUDIT, parameters={"hours": part, "first": part[0]})
        found += [int(hour) for (hour,) in result.result_rows]
    return sorted(found)


def _by_day(hours: Iterable[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for hour in hours:
        found.setdefault(hour - hour % _DAY_S, []).append(hour)
    return found
