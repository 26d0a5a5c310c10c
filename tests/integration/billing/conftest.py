"""A world for each test, on servers that are shared."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.billing.world import World, new_world
from tests.integration.on_uvloop import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]


@pytest.fixture
async def world(nats_url: str, redis_url: str, clickhouse_database: str) -> AsyncIterator[World]:
    async with new_world(nats_url, redis_url, clickhouse_database) as made:
        yield made
