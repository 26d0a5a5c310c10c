"""The tables as migrations make them, on both databases."""

import asyncio
from collections.abc import Callable

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncSession

from oneapi.catalog.types import OPERATOR_ACCOUNT_ID
from services.admin.bootstrap import bootstrap
from services.admin.store.database import Database
from services.admin.store.migrations.upgrade import run_to, upgrade
from services.admin.store.schema import Table
from tests.integration.admin.gateway import Admin


async def test_migrations_make_what_the_schema_says(admin: Admin) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), Table.metadata))

    async with admin.parts.database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_what_the_first_version_kept_goes_on(make_admin: Callable[..., Admin]) -> None:
    admin = make_admin()
    database = admin.parts.database
    row = {"id": "key_1", "account": OPERATOR_ACCOUNT_ID, "hash": "a" * 64}
    columns = "id, account_id, name, hash, hint, created_at_ms, updated_at_ms"
    async with database.migrating() as connection:
        await connection.run_sync(lambda sync: run_to(sync, "0001"))
        await connection.execute(
            text(
                'INSERT INTO accounts (id, name, unlimited, "group", enabled, revision, created_at_ms, updated_at_ms) '
                "VALUES (:account, 'operator', true, 'default', true, 1, 1, 1)"
            ),
            row,
        )
        for insert in (
            (
                f"INSERT INTO keys ({columns}, budgets, limits, allowed_ips, disconnect, enabled, revision) "
                "VALUES (:id, :account, 'k', :hash, 'sk-…abcd', 1, 1, '[]', '{}', '[]', 'cancel', true, 1)"
            ),
            (
                f"INSERT INTO tokens ({columns}, role, created_by) "
                "VALUES (:id, :account, 't', :hash, 'oat-…abcd', 1, 1, 'member', 'x')"
            ),
        ):
            await connection.execute(text(insert), row)
    await admin.open()
    for path in ("/api/keys/key_1", "/api/tokens/key_1"):
        shown = (await admin.client.get(path)).json()
        assert (shown["previous_hint"], shown["previous_ends_at"]) == (None, None)
        rotated = await admin.client.post(f"{path}/rotate")
        assert rotated.status_code == 200, rotated.text
        assert rotated.json()["previous_hint"].endswith("abcd")


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
