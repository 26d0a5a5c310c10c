"""The tables as migrations make them, on both databases."""

import asyncio
from collections.abc import Callable

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.admin.bootstrap import bootstrap
from services.admin.store.database import Database
from services.admin.store.migrations.upgrade import upgrade
from services.admin.store.schema import Table
from tests.integration.admin.gateway import Admin


async def test_migrations_make_what_the_schema_says(admin: Admin) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), Table.metadata))

    async with admin.parts.database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_two_replicas_start_at_once(make_admin: Callable[..., Admin]) -> None:
    first, second = make_admin(), make_admin()
    await asyncio.gather(first.open(), second.open())
    async with first.parts.database.reading() as session:
        for table, count in (("accounts", 1), ("channels", 1), ("prices", 1), ("outbox", 3)):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == count
    again = Database(first.settings.database_url)
    filled: list[bool] = []

    async def fill(session: AsyncSession) -> None:
        filled.append(await bootstrap(session))

    await upgrade(again, fill)
    assert filled == [False]
    await again.close()


async def test_what_was_deleted_stays_deleted(make_admin: Callable[..., Admin]) -> None:
    first = make_admin()
    await first.open()
    assert (await first.client.delete("/api/channels/ch_sandbox")).status_code == 204
    made = await first.create("accounts", name="kept")
    await first.close()
    second = make_admin()
    await second.open()
    assert (await second.client.get("/api/channels")).json()["data"] == []
    assert (await second.client.get(f"/api/accounts/{made['id']}")).json() == made


async def test_sqlite_is_durable(admin: Admin) -> None:
    if not admin.parts.database.sqlite:
        return
    async with admin.parts.database.engine.connect() as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]
