from pathlib import Path

import pytest

from services.admin.store.database import Database, NotPrepared, database_url


def test_sqlite_is_in_the_data_directory() -> None:
    assert database_url(None, Path("/data")) == "sqlite+aiosqlite:////data/admin.sqlite3"
    assert database_url("sqlite:////other.db", Path("/data")) == "sqlite+aiosqlite:////other.db"


async def test_nothing_is_read_before_the_tables_are_there(tmp_path: Path) -> None:
    database = Database(database_url(None, tmp_path))
    with pytest.raises(NotPrepared):
        async with database.reading():
            pass
    with pytest.raises(NotPrepared):
        async with database.writing():
            pass
    await database.close()
