"""Reading the number of the newest change without waiting."""

from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from services.admin.store.changes import Author, Change
from services.admin.store.database import Database, database_url
from services.admin.store.migrations.upgrade import upgrade
from services.admin.store.revision import RevisionReader


async def test_a_change_is_seen_as_soon_as_it_is_there(tmp_path: Path) -> None:
    database = Database(database_url(None, tmp_path))
    reader = RevisionReader(database)
    assert reader.peek() is None, "there is no database yet"
    await upgrade(database, _nothing)
    before = reader.peek()
    assert before is not None
    async with database.writing() as session:
        change = await Change.begin(session, Author("test", "system", "test"))
        await change.publish("account", "acc_1", None)
        assert reader.peek() == before, "not committed yet"
    assert reader.peek() == before + 1
    async with database.reading() as session:
        assert await reader.read(session) == before + 1
    reader.close()
    assert reader.peek() == before + 1, "it connects again"
    reader.close()
    await database.close()


async def test_another_database_is_not_peeked_at() -> None:
    database = Database("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    assert RevisionReader(database).peek() is None
    await database.close()


async def _nothing(_session: AsyncSession) -> None:
    return None
