"""Admin under test: the whole application on SQLite and on PostgreSQL, in this process."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.integration.admin.gateway import Admin, settings
from tests.integration.admin.upstream import Upstream
from tests.integration.on_uvloop import pytest_asyncio_loop_factories
from tests.integration.own_nats import OwnNats
from tests.servers import unique_name

__all__ = ["pytest_asyncio_loop_factories"]

KINDS = ["sqlite", "postgresql"]


@asynccontextmanager
async def new_database(request: pytest.FixtureRequest) -> AsyncIterator[str | None]:
    """The URL of an empty PostgreSQL database; None for SQLite in the data directory."""
    if request.param == "sqlite":
        yield None
        return
    server = str(request.getfixturevalue("postgres_url"))
    name = unique_name("admin")
    connection = await asyncpg.connect(server.replace("+asyncpg", ""))
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
        yield server.rsplit("/", 1)[0] + f"/{name}"
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


@pytest.fixture(params=KINDS)
async def database_url(request: pytest.FixtureRequest) -> AsyncIterator[str | None]:
    """An empty database of the test's own, in both kinds."""
    async with new_database(request) as url:
        yield url


@pytest.fixture(scope="module", params=KINDS)
async def untouched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Admin]:
    """The application for tests whose requests are all refused."""
    async with new_database(request) as url:
        found = Admin(settings(tmp_path_factory.mktemp("untouched"), database_url=url))
        await found.open()
        yield found
        await found.close()


@pytest.fixture
async def admin(database_url: str | None, tmp_path: Path) -> AsyncIterator[Admin]:
    """The application, without NATS."""
    found = Admin(settings(tmp_path, database_url=database_url))
    await found.open()
    yield found
    await found.close()


@pytest.fixture
def own_nats() -> Iterator[OwnNats]:
    """A running server without any stream, which the test may kill."""
    server = OwnNats()
    server.start()
    yield server
    server.close()


@pytest.fixture
async def make_admin(database_url: str | None, tmp_path: Path) -> AsyncIterator[Callable[..., Admin]]:
    """Makes applications on one database; closes what the test left open. Keywords replace settings."""
    made: list[Admin] = []

    def make(**replaced: object) -> Admin:
        made.append(Admin(settings(tmp_path, database_url=database_url, **replaced)))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    server = Upstream()
    await server.start()
    yield server
    await server.close()
