"""A Redis with the money functions."""

from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from oneapi.runtime import redis_functions
from oneapi.runtime.connections import connect_redis
from oneapi.runtime.redis_functions import MoneyFunctions
from services.edge.money.redis_link import RedisLink
from tests.integration.edge_money.caller import Caller


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    found = connect_redis(redis_url, socket_timeout=5)
    await redis_functions.ensure(found)
    yield found
    await found.aclose()


@pytest.fixture
def functions(client: redis.asyncio.Redis) -> MoneyFunctions:
    return MoneyFunctions(client)


@pytest.fixture
async def caller(redis_url: str) -> AsyncIterator[Caller]:
    link = RedisLink(redis_url)
    yield Caller(link)
    await link.close()
