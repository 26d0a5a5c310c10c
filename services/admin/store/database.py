"""Connections and transactions: SQLite in the data directory, or PostgreSQL.

Decides how durable and how isolated a transaction is. SQLite writers take the write lock when they begin, so that no
transaction fails halfway because another one was faster. This module must not know which tables there are.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

SQLITE_FILE = "admin.sqlite3"
BUSY_TIMEOUT_MS = 5_000
POOL_SIZE = 10
POOL_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 30.0
_WRITES = {"oneapi_writes": True}


class NotPrepared(Exception):
    """The tables are not there yet: the database could not be reached since this process began."""


def database_url(given: str | None, data_dir: Path) -> str:
    """The URL to connect to; None means SQLite in the data directory. ValueError for a database that we don't speak."""
    if not given:
        return f"sqlite+aiosqlite:///{(data_dir / SQLITE_FILE).absolute()}"
    try:
        url = make_url(given)
    except ArgumentError as error:
        raise ValueError("is not a database URL") from error
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    family = url.drivername.split("+")[0]
    if family not in drivers:
        raise ValueError("must begin with sqlite+aiosqlite:// or postgresql+asyncpg://")
    return url.set(drivername=drivers[family]).render_as_string(hide_password=False)


class Database:
    """The engine and its two kinds of transaction. `prepared` is set once the migrations have run.

    `url` may hold a password; never log it.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.sqlite = url.startswith("sqlite")
        self.prepared = False
        # One writer at a time is SQLite's rule; a queue in the process is fairer than its busy handler.
        self._writer: asyncio.Lock | nullcontext[None] = asyncio.Lock() if self.sqlite else nullcontext()
        # Parameters are hidden: errors are logged, and they hold hashes and sealed secrets.
        options: dict[str, Any] = {
            "pool_size": POOL_SIZE,
            "max_overflow": 0,
            "pool_timeout": POOL_TIMEOUT_S,
            "hide_parameters": True,
        }
        if self.sqlite:
            self.engine = create_async_engine(url, **options)
            event.listen(self.engine.sync_engine, "connect", _configure_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
        else:
            arguments = {"timeout": CONNECT_TIMEOUT_S, "command_timeout": COMMAND_TIMEOUT_S}
            self.engine = create_async_engine(url, pool_pre_ping=True, connect_args=arguments, **options)
        self._writing_engine = self.engine.execution_options(**_WRITES)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads."""
        self._check_prepared()
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A session in a transaction: committed when the block ends, rolled back when it raises."""
        self._check_prepared()
        async with (
            self._writer,
            AsyncSession(self._writing_engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a writing transaction, before the tables are there."""
        async with self._writer, self._writing_engine.begin() as connection:
            yield connection

    async def ping(self) -> None:
        """Asks for nothing; raises SQLAlchemy's error or OSError when the database doesn't answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()

    def _check_prepared(self) -> None:
        if not self.prepared:
            raise NotPrepared


def _configure_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own implicit BEGIN is switched off: _begin_sqlite says when and how a transaction begins.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("oneapi_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
