import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from nats.js.errors import KeyNotFoundError

from oneapi.catalog import listings
from services.mcp.announcing import Announcer
from tests.unit.oneapi.bus.played_bucket import PlayedBucket
from tests.unit.services.mcp.arrangements import make_tool


class Bucket:
    """A KV bucket in memory, which is JetStream as well."""

    def __init__(self, **entries: bytes) -> None:
        self.entries = dict(entries)
        self.writes: list[str] = []
        self.down = False

    async def key_value(self, _name: str) -> "Bucket":
        if self.down:
            raise TimeoutError
        return self

    async def watch(self, _keys: str, **_options: Any) -> PlayedBucket:
        watch = PlayedBucket()
        watch.holds(*self.entries)
        return watch

    async def get(self, key: str) -> Any:
        if key not in self.entries:
            raise KeyNotFoundError
        return SimpleNamespace(value=self.entries[key])

    async def put(self, key: str, value: bytes) -> None:
        self.writes.append(f"+{key}")
        self.entries[key] = value

    async def delete(self, key: str) -> None:
        self.writes.append(f"-{key}")
        del self.entries[key]

    def names(self, key: str) -> list[str]:
        return [tool.name for tool in listings.decode(self.entries[key]).tools]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
async def announcer() -> AsyncIterator[Announcer]:
    made = Announcer(lambda: 7)
    yield made
    await made.close()


async def test_what_a_server_has_is_written_once(announcer: Announcer) -> None:
    bucket = Bucket()
    announcer.has("a", (make_tool("t"),))
    announcer.start(bucket, ["a"])  # type: ignore[arg-type]
    await settle()
    assert bucket.names("a") == ["t"]
    assert listings.decode(bucket.entries["a"]).listed_at_ms == 7
    announcer.has("a", (make_tool("t"),))
    await settle()
    assert bucket.writes == ["+a"]
    announcer.has("a", (make_tool("t", "other words"),))
    await settle()
    assert bucket.writes == ["+a", "+a"]


async def test_an_entry_goes_with_its_server(announcer: Announcer) -> None:
    bucket = Bucket(left=b"{}", a=b"broken")
    announcer.start(bucket, ["a"])  # type: ignore[arg-type]
    await settle()
    assert set(bucket.entries) == {"a"}
    announcer.has("a", (make_tool("t"),))
    await settle()
    assert bucket.names("a") == ["t"]
    announcer.gone("a")
    announcer.gone("never-there")
    await settle()
    assert bucket.entries == {}


async def test_what_a_new_server_said_outlives_the_tidying(announcer: Announcer) -> None:
    bucket = Bucket(new=b"{}", left=b"{}")
    announcer.start(bucket, [])  # type: ignore[arg-type]
    announcer.has("new", (make_tool("t"),))
    await settle()
    assert bucket.names("new") == ["t"]
    assert set(bucket.entries) == {"new"}


async def test_what_could_not_be_written_is_written_with_the_next(announcer: Announcer) -> None:
    bucket = Bucket()
    bucket.down = True
    announcer.start(bucket, ["a", "b"])  # type: ignore[arg-type]
    announcer.has("a", (make_tool("t"),))
    await settle()
    bucket.down = False
    announcer.has("b", (make_tool("u"),))
    await settle()
    assert sorted(bucket.writes) == ["+a", "+b"]
