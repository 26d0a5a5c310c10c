"""Brings the ClickHouse schema to what this code needs, forwards only, and refuses to run on another one.

It decides how the numbered files of `migrations/` are applied, recorded and checked. One process at a time may apply
(the holder of a lease); everyone may check. The previous version of the code may still write meanwhile, so a migration
only adds. It must not know what the tables are for.

ClickHouse has no transactions over DDL, so every statement of a file must be harmless when it runs a second time: a
file is recorded after its last statement, and a crash in between applies it again.
"""

import hashlib
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from clickhouse_connect.driver.asyncclient import AsyncClient

_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_CLUSTER = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_RECORDS = """
CREATE TABLE IF NOT EXISTS schema_migrations ${on_cluster} (
    number UInt32, name String, checksum FixedString(64), applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ${engine}ReplacingMergeTree ORDER BY number
COMMENT 'Which files of migrations/ have been applied, and what was in them'
"""


class WrongSchema(Exception):
    """The database differs from what was applied, or from what the code relies on. `str()` says how."""


class SchemaBehind(Exception):
    """Migrations that this code needs have not been applied yet."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `checksum` is the SHA-256 of its text, in hexadecimal."""

    number: int
    name: str
    text: str
    checksum: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a table may not differ: without it duplicates would be counted, or the wrong rows replaced."""

    engine: str
    partition_key: str
    sorting_key: str


SHAPES: Mapping[str, Shape] = {
    "ledger": Shape("ReplacingMergeTree", "toYYYYMM(reserved_at)", "account_id, request_id, line"),
    "usage_hourly": Shape(
        "MergeTree",
        "toYYYYMMDD(hour)",
        "account_id, hour, model, key_id, user_id, channel_id, endpoint, outcome",
    ),
    "charges_hourly": Shape("MergeTree", "toYYYYMMDD(hour)", "account_id, scope, hour"),
    "rollup_hours": Shape("ReplacingMergeTree", "", "hour"),
}


def migrations(folder: Traversable | None = None) -> tuple[Migration, ...]:
    """The files in their order. Raises WrongSchema when their numbers are not 1, 2, 3, …"""
    if folder is None:
        folder = resources.files(__package__).joinpath("migrations")
    found = []
    for file in folder.iterdir():
        match = _FILE.fullmatch(file.name)
        if match is not None:
            text = file.read_text("utf-8")
            found.append(Migration(int(match[1]), file.name, text, hashlib.sha256(text.encode()).hexdigest()))
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise WrongSchema("the migration files must be numbered 0001, 0002, … without a gap")
    return tuple(found)


def statements(text: str, cluster: str) -> tuple[str, ...]:
    """The statements of a file, for one server (`cluster` is "") or for a cluster's replicas. Raises ValueError."""
    if cluster and not _CLUSTER.fullmatch(cluster):
        raise ValueError("the name of the cluster may hold letters, digits, _ . and - only")
    filled = string.Template(text).substitute(  # noqa: TID251 - the text is a migration of ours
        on_cluster=f"ON CLUSTER `{cluster}`" if cluster else "",
        engine="Replicated" if cluster else "",
    )
    code = "\n".join(line for line in filled.splitlines() if not line.lstrip().startswith("--"))
    return tuple(part.strip() for part in code.split(";\n") if part.strip().strip(";"))


def find_drift(applied: Mapping[int, tuple[str, str]], known: tuple[Migration, ...]) -> str | None:
    """Why what was applied (number to name and checksum) isn't a beginning of what is known; None when it is.

    Numbers above the known ones are a newer version's, which only adds: they are no drift.
    """
    for migration in known:
        record = applied.get(migration.number)
        if record is None:
            later = [number for number in applied if number > migration.number]
            if later:
                return f"{migration.name} was never applied, and {min(later):04d} was"
            continue
        name, checksum = record
        if checksum != migration.checksum:
            return f"{name} was changed after it had been applied; a change is a new file"
    return None


def find_misshape(tables: Mapping[str, Shape], cluster: str) -> str | None:
    """What of the tables as found differs from what the code relies on; None when nothing does."""
    for name, wanted in SHAPES.items():
        found = tables.get(name)
        if found is None:
            return f"the table {name} is missing"
        engine = ("Replicated" if cluster else "") + wanted.engine
        for what, have, want in (
            ("engine", found.engine, engine),
            ("partition key", found.partition_key, wanted.partition_key),
            ("sorting key", found.sorting_key, wanted.sorting_key),
        ):
            if have != want:
                return f"the table {name} has the {what} {have or 'nothing'!r}, and it must be {want or 'nothing'!r}"
    return None


async def migrate(client: AsyncClient, cluster: str) -> int:
    """Applies what is missing and checks the result; returns how many files were applied. Raises WrongSchema."""
    for statement in statements(_RECORDS, cluster):
        await client.command(statement)
    known = migrations()
    applied = await _applied(client)
    if drift := find_drift(applied, known):
        raise WrongSchema(drift)
    count = 0
    for migration in known:
        if migration.number in applied:
            continue
        for statement in statements(migration.text, cluster):
            await client.command(statement)
        await client.insert(
            "schema_migrations",
            [[migration.number, migration.name, migration.checksum.encode()]],
            column_names=["number", "name", "checksum"],
            column_type_names=["UInt32", "String", "FixedString(64)"],
            settings={"async_insert": 0},
        )
        count += 1
    await check(client, cluster)
    return count


async def check(client: AsyncClient, cluster: str) -> None:
    """Returns when the database is as the code needs it. Raises SchemaBehind or WrongSchema."""
    if not await _scalar(
        client, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'"
    ):
        raise SchemaBehind("no migration has been applied yet")
    known = migrations()
    applied = await _applied(client)
    if drift := find_drift(applied, known):
        raise WrongSchema(drift)
    missing = [migration.name for migration in known if migration.number not in applied]
    if missing:
        raise SchemaBehind(f"{missing[0]} has not been applied yet")
    if misshape := find_misshape(await _shapes(client), cluster):
        raise WrongSchema(misshape)


async def _applied(client: AsyncClient) -> dict[int, tuple[str, str]]:
    result = await client.query("SELECT number, name, toString(checksum) FROM schema_migrations FINAL ORDER BY number")
    return {int(number): (str(name), str(checksum)) for number, name, checksum in result.result_rows}


async def _shapes(client: AsyncClient) -> dict[str, Shape]:
    result = await client.query(
        "SELECT name, engine, partition_key, sorting_key FROM system.tables"
        " WHERE database = currentDatabase() AND name IN {names:Array(String)}",
        parameters={"names": list(SHAPES)},
    )
    return {str(name): Shape(str(engine), str(part), str(order)) for name, engine, part, order in result.result_rows}


async def _scalar(client: AsyncClient, query: str) -> int:
    result = await client.query(query)
    return int(result.result_rows[0][0])
