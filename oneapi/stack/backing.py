"""The backing services of one stack: each is the operator's own by URL, or ours, started.

It decides which of the two, and describes ours for the supervisor. It must not know how a supervisor works.
"""

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from oneapi.stack import clickhouse_server, nats_server, programs, redis_server
from oneapi.stack.data_directory import DataDirectory
from oneapi.stack.machine import Machine
from oneapi.stack.plan import Login, Plan
from oneapi.stack.ports import free_ports
from oneapi.stack.problem import StackProblem
from oneapi.stack.programs import Program
from oneapi.stack.report import Used, address
from oneapi.stack.service_plans import Stores
from oneapi.stack.settings import Settings

USER = "oneapi"
NEEDED = frozenset({"PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"})
THEIRS = "environment ({})"
REACH_LIMIT_S = 5.0


@dataclass(frozen=True)
class Backing:
    """Addresses of the four stores, the servers to start for them, and the table's lines."""

    stores: Stores
    plans: tuple[Plan, ...]
    rows: tuple[Used, ...]


def describe(settings: Settings, directory: DataDirectory, machine: Machine, password: str) -> Backing:
    """Probes what the environment names, finds or installs the rest. Raises StackProblem."""
    login = Login(USER, password)
    ports = free_ports(3)
    plans: list[Plan] = []
    rows: list[Used] = []

    def store(
        name: str, given: str | None, probe: Callable[[str], str], find: Callable[[Machine], Program], port: int
    ) -> str:
        if given:
            rows.append(Used(name, probe(given), THEIRS.format(f"{name.upper()}_URL"), address(given)))
            return given
        program = find(machine)
        plan, url = own(name, program, directory, port, login)
        plans.append(replace(plan, env=servers_environment(os.environ)))
        rows.append(Used(name, program.version, program.source, address(url)))
        return url

    nats = store("NATS", settings.nats_url, nats_server.probe, programs.nats, ports[0])
    redis = store("Redis", settings.redis_url, redis_server.probe, programs.redis, ports[1])
    clickhouse = store("ClickHouse", settings.clickhouse_url, clickhouse_server.probe, programs.clickhouse, ports[2])
    database, row = sql(settings.database_url, directory)
    return Backing(Stores(nats, redis, clickhouse, database), tuple(plans), (*rows, row))


def servers_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """What a server of ours gets of the operator's environment: no setting and no secret of the gateway's."""
    return {name: value for name, value in inherited.items() if name in NEEDED or name.startswith("LC_")}


def own(name: str, program: Program, directory: DataDirectory, port: int, login: Login) -> tuple[Plan, str]:
    """How to run a server of ours with its data in the data directory, and its URL."""
    folder = directory.folder(name.lower())
    if name == "NATS":
        return nats_server.plan(program, folder, port, login), nats_server.url(port, login)
    if name == "Redis":
        return redis_server.plan(program, folder, port, login), redis_server.url(port, login)
    return clickhouse_server.plan(program, folder, port, login), clickhouse_server.url(port, login)


def sql(given: str | None, directory: DataDirectory) -> tuple[str, Used]:
    """The SQL database: the operator's server if it can be reached, else a file in the data directory."""
    if given is None:
        url = f"sqlite+aiosqlite:///{directory.path / 'oneapi.sqlite3'}"
        return url, Used("SQL", "SQLite", "data directory", address(url))
    parts = urlsplit(given)
    if parts.hostname:
        try:
            socket.create_connection((parts.hostname, parts.port or 5432), REACH_LIMIT_S).close()
        except (OSError, ValueError) as problem:
            raise StackProblem(f"DATABASE_URL names a server that can't be reached: {problem}.") from problem
    return given, Used("SQL", parts.scheme.partition("+")[0], THEIRS.format("DATABASE_URL"), address(given))


def finish(backing: Backing, settings: Settings) -> Backing:
    """To be called when our servers run: makes our database, and asks ClickHouse for a version that was not known."""
    if settings.clickhouse_url:
        return backing
    url = backing.stores.clickhouse
    clickhouse_server.create_database(url)
    version = clickhouse_server.probe(url)
    rows = tuple(replace(row, version=version) if row.name == "ClickHouse" else row for row in backing.rows)
    return replace(backing, rows=rows)
