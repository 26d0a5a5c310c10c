"""The number of the newest change, read as cheaply as can be.

It decides how: with SQLite by a connection of its own in the event loop, which takes some microseconds and waits for
nobody, as the journal is write-ahead; with PostgreSQL only in a transaction. It must not know what changes.
"""

import sqlite3

from sqlalchemy import make_url, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.admin.store.changes import REVISION
from services.admin.store.database import Database
from services.admin.store.schema import Counter

_STATEMENT = "SELECT value FROM counters WHERE name = ?"


class RevisionReader:
    """Reads the counter of a database. `close` it in the thread that peeked."""

    def __init__(self, database: Database) -> None:
        self._file = make_url(database.url).database if database.sqlite else None
        self._connection: sqlite3.Connection | None = None

    def peek(self) -> int | None:
        """The number now, without waiting; None when that can't be had, and `read` may still know it."""
        if self._file is None:
            return None
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=0)
            row = self._connection.execute(_STATEMENT, (REVISION,)).fetchone()
        except sqlite3.Error:
            self.close()
            return None
        return None if row is None else int(row[0])

    async def read(self, session: AsyncSession) -> int:
        """The number in a transaction. Raises what the database raises."""
        return await session.scalar(select(Counter.value).where(Counter.name == REVISION)) or 0

    def close(self) -> None:
        """Ends the connection; the next `peek` makes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
