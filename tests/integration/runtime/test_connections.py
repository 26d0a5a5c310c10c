"""Clients of the backing services, on real servers."""

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
import redis.exceptions
from nats.errors import NoRespondersError

from oneapi.runtime.connections import connect_clickhouse, connect_nats, connect_redis
from oneapi.runtime.tasks import TaskSet
from tests.integration.own_nats import OwnNats, until


@pytest.fixture
def own_nats() -> Iterator[OwnNats]:
    server = OwnNats()
    yield server
    server.close()


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that accepts and never answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    yield listener.getsockname()[1]
    listener.close()


async def test_nats_is_waited_for_and_comes_back(own_nats: OwnNats) -> None:
    returns: list[int] = []
    tasks = TaskSet()
    connecting = tasks.spawn(connect_nats(own_nats.url, "test", on_reconnect=lambda: returns.append(1)), "connect")
    done, _ = await asyncio.wait({connecting}, timeout=0.5)
    assert not done
    own_nats.start()
    async with asyncio.timeout(10):
        client = await connecting
    assert returns == []
    own_nats.kill()
    await until(lambda: client.is_reconnecting)
    own_nats.start()
    await until(lambda: client.is_connected and returns == [1])
    with pytest.raises(NoRespondersError):
        await client.request("nobody.listens", b"", timeout=2)
    await client.close()


async def test_waiting_for_nats_can_be_cancelled(own_nats: OwnNats, black_hole: int) -> None:
    tasks = TaskSet()
    tasks.spawn(connect_nats(own_nats.url, "refused"), "refused")
    tasks.spawn(connect_nats(f"nats://127.0.0.1:{black_hole}", "silent"), "silent")
    await asyncio.sleep(0.1)
    async with asyncio.timeout(6):
        await tasks.close()
    assert len(tasks) == 0


async def test_redis_answers(redis_url: str) -> None:
    client = connect_redis(redis_url, max_connections=4)
    # Far more at a time than connections: they wait for one instead of failing.
    counts = await asyncio.gather(*(client.incr("runtime_test:counter") for _ in range(100)))
    assert sorted(counts) == list(range(1, 101))
    await client.delete("runtime_test:counter")
    await client.aclose()


async def test_a_silent_redis_costs_no_more_than_its_limit(black_hole: int) -> None:
    client = connect_redis(f"redis://127.0.0.1:{black_hole}/0")
    began = time.monotonic()
    with pytest.raises((redis.exceptions.TimeoutError, redis.exceptions.ConnectionError)):
        await client.get("a")
    assert time.monotonic() - began < 2.0
    await client.aclose()


async def test_clickhouse_answers_many_at_once(clickhouse_url: str) -> None:
    client = await connect_clickhouse(clickhouse_url)
    results = await asyncio.gather(*(client.query("SELECT {n:UInt8}", parameters={"n": n}) for n in range(5)))
    assert [result.result_rows[0][0] for result in results] == list(range(5))
    await client.close()
    elsewhere = await connect_clickhouse(clickhouse_url, database="default")
    assert (await elsewhere.query("SELECT currentDatabase()")).result_rows == [("default",)]
    await elsewhere.close()


@pytest.mark.parametrize("url", ["clickhouse://localhost/x", "http:///x", "nonsense"])
async def test_a_wrong_clickhouse_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="ClickHouse URL"):
        await connect_clickhouse(url)
