"""Writes the ledger, and only what is not in it yet.

It decides how lines are appended so that any repetition changes nothing: what is there in the same or a newer version
is left out, what is new goes in synchronously with a token made from its content, one partition at a time. The caller
holds the writer's lease. It must not know how lines are made or who reads them.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from clickhouse_connect.driver.asyncclient import AsyncClient

from services.billing.events import LINE_MAIN, LineKey
from services.billing.rows import COLUMNS, LedgerRow, at, by_partition, ms_of

ASK_AT_ONCE = 1_000
"""Keys in one look-up; they travel in the request's address."""
_INSERT_AT_ONCE = 20_000

_PRESENT = """
SELECT account_id, request_id, line, version, payload_sha, toUnixTimestamp64Milli(reserved_at), scopes
FROM ledger
WHERE account_id IN {accounts:Array(String)} AND request_id IN {requests:Array(String)}
"""
_BOOKED = """
SELECT DISTINCT account_id, request_id FROM ledger
WHERE account_id IN {accounts:Array(String)} AND request_id IN {requests:Array(String)} AND line = {line:String}
"""


@dataclass(frozen=True, slots=True)
class Present:
    """What the ledger has under a key: the newest version, and what the line was when it came first."""

    version: int
    shas: dict[int, bytes]
    reserved_at_ms: int
    scopes: frozenset[str]


@dataclass(slots=True)
class Plan:
    """What of a batch must be written. `conflicts` are events whose id is known with other bytes: the first is kept."""

    rows: list[LedgerRow] = field(default_factory=list)
    conflicts: list[LedgerRow] = field(default_factory=list)
    touched: dict[str, set[str]] = field(default_factory=dict)
    """Every account of the batch with the budget scopes whose sums may have changed, also by earlier deliveries."""


def plan(rows: Iterable[LedgerRow], present: dict[LineKey, Present]) -> Plan:
    """Decides row by row, in the order of the stream, what is new. Pure."""
    made = Plan()
    known = dict(present)
    for row in rows:
        touched = made.touched.setdefault(row.account_id, set())
        touched.update(row.scopes)
        found = known.get(row.key)
        if found is None:
            made.rows.append(row)
            known[row.key] = Present(
                row.version, {row.version: row.payload_sha}, ms_of(row.reserved_at), frozenset(row.scopes)
            )
            continue
        touched.update(found.scopes)
        sha = found.shas.get(row.version)
        if sha is not None and sha != row.payload_sha:
            made.conflicts.append(row)
        if sha is not None or row.version < found.version:
            continue
        made.rows.append(row.moved_to(at(found.reserved_at_ms)))
        known[row.key] = Present(
            row.version,
            found.shas | {row.version: row.payload_sha},
            found.reserved_at_ms,
            found.scopes | frozenset(row.scopes),
        )
    return made


def token(rows: Iterable[LedgerRow]) -> str:
    """The insert's deduplication token. Equal tokens mean equal events, in whatever order they came."""
    parts = sorted(row.event_id.encode() + b"\0" + row.payload_sha for row in rows)
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


class Ledger:
    """The table `ledger`. Every method raises what the driver raises, and may then be called again."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def present(self, keys: Collection[LineKey]) -> dict[LineKey, Present]:
        """What the ledger already has of these keys."""
        found: dict[LineKey, Present] = {}
        ordered = sorted(keys)
        for start in range(0, len(ordered), ASK_AT_ONCE):
            part = ordered[start : start + ASK_AT_ONCE]
            parameters = {
                "accounts": sorted({key.account_id for key in part}),
                "requests": sorted({key.request_id for key in part}),
            }
            result = await self._client.query(_PRESENT, parameters=parameters)
            for account, request, line, version, sha, reserved_at_ms, scopes in result.result_rows:
                key = LineKey(str(account), str(request), str(line))
                found[key] = _newest(found.get(key), int(version), bytes(sha), int(reserved_at_ms), scopes)
        return found

    async def booked(self, account_id: str, request_ids: Sequence[str]) -> set[str]:
        """Those of an account's requests that the ledger knows, in whatever version."""
        found: set[str] = set()
        for start in range(0, len(request_ids), ASK_AT_ONCE):
            part = list(request_ids[start : start + ASK_AT_ONCE])
            parameters = {"accounts": [account_id], "requests": part, "line": LINE_MAIN}
            result = await self._client.query(_BOOKED, parameters=parameters)
            found.update(str(request) for _, request in result.result_rows)
        return found

    async def insert(self, rows: Sequence[LedgerRow]) -> int:
        """Appends rows that are known to be new; returns the number of inserts. Returns when they are on disk."""
        inserts = 0
        for part in by_partition(rows).values():
            for start in range(0, len(part), _INSERT_AT_ONCE):
                block = part[start : start + _INSERT_AT_ONCE]
                await self._client.insert(
                    "ledger",
                    [row.values() for row in block],
                    column_names=list(COLUMNS),
                    column_type_names=list(COLUMNS.values()),
                    settings={"async_insert": 0, "insert_deduplication_token": token(block)},
                )
                inserts += 1
        return inserts


def _newest(before: Present | None, version: int, sha: bytes, reserved_at_ms: int, scopes: Sequence[str]) -> Present:
    """Adds one stored row to what is known of its key."""
    if before is None:
        return Present(version, {version: sha}, reserved_at_ms, frozenset(scopes))
    return Present(
        max(before.version, version),
        before.shas | {version: sha},
        before.reserved_at_ms,
        before.scopes | frozenset(scopes),
    )
