"""The hot path's connection, to a real Redis that doesn't always answer."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from services.edge.money.redis_link import REPLY_S, RedisAway, RedisLink, RedisSilent
from services.edge.money.resp import RedisRefused, command
from tests.integration.edge_money.edges import until
from tests.integration.edge_money.fault_proxy import FaultProxy
from tests.servers import unique_name


@pytest.fixture
async def proxy(redis_url: str) -> AsyncIterator[FaultProxy]:
    found = FaultProxy(redis_url)
    await found.start()
    yield found
    await found.close()


@pytest.fixture
async def link(proxy: FaultProxy) -> AsyncIterator[RedisLink]:
    found = RedisLink(proxy.url)
    yield found
    await found.close()


async def echo(link: RedisLink, text: str) -> str:
    reply: bytes = await link.call(command("ECHO", text))
    return reply.decode()


async def test_replies_come_back_in_order(link: RedisLink) -> None:
    texts = ["x" * n for n in range(500)]
    assert await asyncio.gather(*[echo(link, text) for text in texts]) == texts


async def test_an_error_is_raised_and_the_connection_stays(link: RedisLink) -> None:
    results = await asyncio.gather(
        echo(link, "a"), link.call(command("NONSENSE")), echo(link, "b"), return_exceptions=True
    )
    assert (results[0], results[2]) == ("a", "b")
    assert isinstance(results[1], RedisRefused)
    assert link.connected


async def test_silence_ends_the_connection_in_time_and_the_next_call_makes_a_new_one(
    link: RedisLink, proxy: FaultProxy
) -> None:
    await echo(link, "a")
    proxy.drop_replies = True
    begun = time.monotonic()
    results = await asyncio.gather(*[echo(link, "b") for _ in range(20)], return_exceptions=True)
    assert REPLY_S <= time.monotonic() - begun < REPLY_S + 1
    assert all(isinstance(result, RedisSilent) for result in results)
    proxy.drop_replies = False
    assert await echo(link, "c") == "c"


async def test_a_loop_that_stood_still_is_not_taken_for_silence(link: RedisLink) -> None:
    await echo(link, "a")
    task = asyncio.create_task(echo(link, "b"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    stop = time.monotonic() + 2 * REPLY_S
    while time.monotonic() < stop:
        time.sleep(0.05)  # noqa: ASYNC251 - standing still is the subject
    assert await task == "b"


async def test_what_cannot_be_reached_fails_at_once(proxy: FaultProxy) -> None:
    await proxy.close()
    link = RedisLink(proxy.url)
    begun = time.monotonic()
    results = await asyncio.gather(*[echo(link, "a") for _ in range(50)], return_exceptions=True)
    assert all(isinstance(result, RedisAway) for result in results)
    assert time.monotonic() - begun < 1
    await link.close()
    with pytest.raises(RedisAway):
        await echo(link, "a")


async def test_a_wrong_password_is_said(redis_url: str) -> None:
    link = RedisLink(redis_url.replace("tests-only", "wrong"))
    with pytest.raises(RedisAway):
        await echo(link, "a")
    await link.close()


async def test_a_cast_waits_for_a_connection(link: RedisLink, redis_url: str) -> None:
    key = unique_name("cast")
    link.cast(command("SET", key, "1"))

    async def there() -> bool:
        return bool(await link.call(command("GET", key)) == b"1")

    await until(there)


async def test_nothing_is_sent_when_what_must_come_first_failed(redis_url: str) -> None:
    ready = True
    link = RedisLink(redis_url, before_write=lambda: ready)
    key = unique_name("cast")
    await link.call(command("SET", key, "1"))
    ready = False
    with pytest.raises(RedisSilent):
        await link.call(command("SET", key, "2"))
    ready = True
    assert await link.call(command("GET", key)) == b"1"
    await link.close()


async def test_a_server_that_speaks_something_else_is_left() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    link = RedisLink(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    with pytest.raises(RedisAway):
        await echo(link, "a")
    await link.close()
    server.close()
