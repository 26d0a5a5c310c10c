"""The reader of the public view, over a database that the test plays."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from oneapi.catalog.listings import ListedTool, ServerTools
from services.admin.public.reading import PublicReader
from services.admin.store.revision import RevisionReader
from services.admin.store.schema import Channel, McpServer, PriceVersion
from tests.unit.services.admin.public.views import SITE


def channel(**fields: Any) -> Channel:
    given: dict[str, Any] = {
        "id": "ch_1", "name": "main", "provider": "openai", "models": ["m"], "base_url": "", "api_key_sealed": "",
        "dialects": [], "endpoints": [], "model_mapping": {}, "groups": ["default"], "priority": 0, "weight": 1,
        "headers_sealed": {}, "limits": {}, "enabled": True, "config": {}, "public_name": "", "hidden_models": [],
    }  # fmt: skip
    return Channel(**given | fields)


def version(effective_from_ms: int, rate: int) -> PriceVersion:
    return PriceVersion(
        id=f"p{rate}", model="m", channel_id="", effective_from_ms=effective_from_ms, rates={"input": rate},
        tiers=[], windows=[], created_by="x", created_at_ms=0, revision=rate,
    )  # fmt: skip


class Played:
    """A database with a counter and rows, and how often each was asked for. It is its own session."""

    sqlite = False

    def __init__(self) -> None:
        self.revision = 1
        self.rows: dict[type, list[Any]] = {Channel: [channel()], PriceVersion: [version(0, 1)], McpServer: []}
        self.looks = self.reads = 0
        self.down = False
        self.looked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Played"]:
        if self.down:
            raise OperationalError("", {}, Exception())
        yield self

    async def scalar(self, _statement: Any) -> int:
        self.looks += 1
        self.looked.set()
        revision = self.revision
        await self.gate.wait()
        return revision

    async def scalars(self, statement: Any) -> list[Any]:
        self.reads += 1
        return self.rows[statement.column_descriptions[0]["type"]]


class Bench:
    def __init__(self) -> None:
        self.database = Played()
        self.listings: Sequence[ServerTools] = ()
        self.at_ms = 10
        self.reader = PublicReader(self.database, SITE, lambda: self.listings, lambda: self.at_ms)  # type: ignore[arg-type]

    async def input(self) -> str | None:
        (offer,) = (await self.reader.current()).view.offers
        return None if offer.price is None else offer.price.now.of("input")


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_nothing_is_read_while_nothing_changes(bench: Bench) -> None:
    first = await bench.reader.current()
    reads = bench.database.reads
    bench.at_ms += 10**9
    assert await bench.reader.current() is first
    assert bench.database.reads == reads
    assert bench.database.looks == 2


async def test_a_change_is_seen_by_the_next(bench: Bench) -> None:
    first = await bench.reader.current()
    bench.database.rows[PriceVersion] = [version(0, 5_000_000)]
    bench.database.revision += 1
    assert await bench.input() == "5"
    assert (await bench.reader.current()).view.revision != first.view.revision


async def test_a_change_of_nothing_public_is_the_same_object(bench: Bench) -> None:
    first = await bench.reader.current()
    bench.database.revision += 1
    assert await bench.reader.current() is first


async def test_prices_change_by_themselves(bench: Bench) -> None:
    bench.database.rows[PriceVersion] = [version(0, 1_000_000), version(20, 2_000_000)]
    assert await bench.input() == "1"
    bench.at_ms = 20
    assert await bench.input() == "2"


async def test_tools_change_beside_the_database(bench: Bench) -> None:
    server = McpServer(
        id="mcp_1", name="s", url="https://x.example", auth_sealed="", headers_sealed={}, allow=[], deny=[],
        priority=0, prices={"t": 10**12}, enabled=True,
    )  # fmt: skip
    bench.database.rows[McpServer] = [server]
    assert (await bench.reader.current()).view.tools == ()
    bench.listings = (ServerTools(server_id="mcp_1", listed_at_ms=1, tools=(ListedTool(name="t"),)),)
    (tool,) = (await bench.reader.current()).view.tools
    assert (tool.name, tool.usd_per_call) == ("t", "1")


async def test_one_look_serves_all_that_wait_for_it_and_none_that_was_begun_before(bench: Bench) -> None:
    await bench.reader.current()
    database = bench.database
    database.gate.clear()
    early = asyncio.create_task(bench.input())
    database.looked.clear()
    await database.looked.wait()
    # The look that runs has read the counter already: whoever asks now needs another.
    database.rows[PriceVersion] = [version(0, 7_000_000)]
    database.revision += 1
    late = [asyncio.create_task(bench.input()) for _ in range(5)]
    await asyncio.sleep(0)
    database.gate.set()
    assert await asyncio.gather(*late) == ["7"] * 5
    assert await early == "0.000001"
    assert database.looks == 3


async def test_those_that_came_together_share_a_peek_and_who_comes_after_it_does_not(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    peeks = 0

    def peek(_reader: RevisionReader) -> int:
        nonlocal peeks
        peeks += 1
        return bench.database.revision

    monkeypatch.setattr(RevisionReader, "peek", peek)
    await bench.reader.current()
    await asyncio.sleep(0)
    peeks = 0
    together = [asyncio.create_task(bench.input()) for _ in range(5)]
    assert await asyncio.gather(*together) == ["0.000001"] * 5
    assert peeks == 1
    # The turn of the loop in which this peeks has not ended, when the price changes and somebody asks for it.
    await bench.reader.current()
    bench.database.rows[PriceVersion] = [version(0, 7_000_000)]
    bench.database.revision += 1
    assert await asyncio.create_task(bench.input()) == "7"
    assert await bench.input() == "7"


async def test_without_the_database_the_last_view_is_shown(bench: Bench) -> None:
    bench.database.down = True
    with pytest.raises(OperationalError):
        await bench.reader.current()
    bench.database.down = False
    first = await bench.reader.current()
    bench.database.down = True
    assert await bench.reader.current() is first
    bench.database.down = False
    bench.database.revision += 1
    bench.database.rows[Channel] = [channel(name="new")]
    assert [offer.channel for offer in (await bench.reader.current()).view.offers] == ["new"]


async def test_who_gives_up_takes_nothing_from_the_others(bench: Bench) -> None:
    bench.database.gate.clear()
    impatient = asyncio.create_task(bench.reader.current())
    patient = asyncio.create_task(bench.input())
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    bench.database.gate.set()
    assert await patient == "0.000001"
