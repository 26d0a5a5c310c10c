import asyncio

import pytest

from services.edge.money.redis_link import Address, RedisAway, RedisLink, _Wire, address


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://10.0.0.5", Address("10.0.0.5", 6379, "", False, "", "", "0")),
        ("redis://:p%40ss@redis:7000/3", Address("redis", 7000, "", False, "", "p@ss", "3")),
        ("rediss://edge:secret@redis/", Address("redis", 6379, "", True, "edge", "secret", "0")),
        ("redis://[::1]:6380/0", Address("::1", 6380, "", False, "", "", "0")),
        ("unix:///run/redis.sock?db=2", Address("localhost", 6379, "/run/redis.sock", False, "", "", "2")),
        ("unix://:pw@/run/redis.sock", Address("localhost", 6379, "/run/redis.sock", False, "", "pw", "0")),
    ],
)
def test_addresses(url: str, expected: Address) -> None:
    assert address(url) == expected


@pytest.mark.parametrize("url", ["", "http://redis", "redis-sentinel://a"])
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(ValueError):
        address(url)


async def test_a_connection_that_ends_before_its_caller_hears_of_it_is_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = RedisLink("redis://redis")
    wire = _Wire(asyncio.get_running_loop(), lambda: True)
    wire.end()

    async def ended() -> _Wire:
        return wire

    monkeypatch.setattr(link, "_connect", ended)
    async with asyncio.timeout(1):
        with pytest.raises(RedisAway):
            await link.call(b"*1\r\n$4\r\nPING\r\n")
