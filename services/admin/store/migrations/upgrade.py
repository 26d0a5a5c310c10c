"""Brings the database to the newest step, one replica at a time.

All steps run in one transaction (DDL is transactional in both databases): a step that fails leaves nothing behind. A
second replica waits on PostgreSQL's advisory lock or on SQLite's write lock, and then finds nothing to do.
This module must not know what the steps do.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.admin.store.database import Database

MIGRATION_LOCK = 0x6F6E_6561_7069_0001
"""PostgreSQL's advisory lock of this purpose: "oneapi", 1."""


async def upgrade(database: Database, fill: Callable[[AsyncSession], Awaitable[object]]) -> None:
    """Runs what is missing, lets `fill` add what a database begins with, and marks the database prepared.

    Raises SQLAlchemy's error or OSError when it can't; then nothing is changed.
    """
    async with database.migrating() as connection:
        if not database.sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        await connection.run_sync(run_to, "head")
        # The session joins the transaction: its commit only flushes.
        async with AsyncSession(connection, expire_on_commit=False) as session:
            await fill(session)
            await session.commit()
    database.prepared = True


def run_to(connection: Connection, step: str) -> None:
    """Runs what is missing up to this step, in the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, step)
