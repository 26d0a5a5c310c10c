"""The catalog's feed, on a real server."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from oneapi.bus.streams import ensure
from oneapi.catalog.entries import Entry, encode, kv_key, price_id
from oneapi.catalog.feed import CatalogFeed
from oneapi.catalog.types import Account, Channel, Price, PriceVersion
from oneapi.catalog.view import CatalogView
from oneapi.runtime import semconv, telemetry
from oneapi.runtime.tasks import TaskSet
from tests.integration.own_nats import OwnNats, until

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def put(
    js: JetStreamContext, kind: str, entry_id: str, revision: int, value: object, traceparent: str = ""
) -> None:
    store = await js.key_value("catalog")
    await store.put(kv_key(kind, entry_id), encode(kind, entry_id, revision, value, traceparent, 1))  # type: ignore[arg-type]


async def put_channel(js: JetStreamContext, number: int, revision: int, traceparent: str = "") -> None:
    channel = Channel(id=f"ch_{number}", name=f"r{revision}", provider="openai", models=("gpt-x",))
    await put(js, "channel", channel.id, revision, channel, traceparent)


@pytest.fixture
async def feed(js: JetStreamContext) -> AsyncIterator[CatalogFeed]:
    made = CatalogFeed(js, check_every_s=0.3)
    yield made
    await made.stop()


async def test_it_starts_complete_and_follows(js: JetStreamContext, feed: CatalogFeed) -> None:
    for number in range(300):
        await put_channel(js, number, number + 1)
    price = Price(model="gpt-x", versions=(PriceVersion(id="p1", effective_from_ms=0, rates={"input": 1}),))
    await put(js, "price", price_id("gpt-x"), 301, price)
    told: list[tuple[Entry, CatalogView]] = []
    feed.on_change(lambda entry, view: told.append((entry, view)))
    await feed.start()
    assert feed.ready
    assert len(feed.view.channels_for("gpt-x")) == 300
    assert feed.view.price("gpt-x", "ch_1") == price
    assert feed.view.revision == 301
    assert len(told) == 301
    assert {id(view) for _, view in told} == {id(feed.view)}

    kept = feed.view
    await put(js, "channel", "ch_7", 302, None)
    await until(lambda: "ch_7" not in feed.view.channels)
    assert "ch_7" in kept.channels
    assert told[-1][0].deleted
    # Late news of what was deleted change nothing.
    await put_channel(js, 7, 299)
    await put(js, "account", "acc_1", 303, Account(id="acc_1", name="one"))
    await until(lambda: "acc_1" in feed.view.accounts)
    assert "ch_7" not in feed.view.channels


async def test_an_empty_catalog_is_ready_too(feed: CatalogFeed) -> None:
    async with asyncio.timeout(5):
        await feed.start()
    assert feed.view == CatalogView()


async def test_it_waits_for_a_bucket_that_is_not_there_yet(connection: Client) -> None:
    feed = CatalogFeed(connection.jetstream())
    tasks = TaskSet()
    starting = tasks.spawn(feed.start(), "start")
    await ensure(connection.jetstream())
    await put_channel(connection.jetstream(), 1, 1)
    async with asyncio.timeout(10):
        await starting
    await until(lambda: "ch_1" in feed.view.channels)
    await feed.stop()
    await tasks.close()


async def test_changes_made_while_the_bus_was_away_arrive(
    js: JetStreamContext, feed: CatalogFeed, own_nats: OwnNats
) -> None:
    await put_channel(js, 1, 1)
    await put_channel(js, 2, 2)
    await feed.start()
    told: list[Entry] = []
    feed.on_change(lambda entry, _: told.append(entry))
    for revision in (3, 4):
        own_nats.kill()
        await until(lambda: not js._nc.is_connected)
        assert len(feed.view.channels) == 2
        own_nats.start()
        await until(lambda: js._nc.is_connected)
        await put_channel(js, 1, revision)
        expected = f"r{revision}"
        await until(lambda expected=expected: feed.view.channels["ch_1"].name == expected)  # type: ignore[misc]
    assert [entry.revision for entry in told] == [3, 4]
    assert feed.view.channels["ch_2"].name == "r2"


async def test_a_lost_bucket_takes_nothing_away(js: JetStreamContext, feed: CatalogFeed) -> None:
    await put_channel(js, 1, 1)
    await feed.start()
    await js.delete_stream("KV_catalog")
    await ensure(js)
    await put_channel(js, 2, 2)
    # The server forgot the watch without a word; the feed finds that out by itself.
    await until(lambda: "ch_2" in feed.view.channels, limit_s=10)
    assert "ch_1" in feed.view.channels


async def test_a_bad_entry_stops_nobody(js: JetStreamContext, feed: CatalogFeed) -> None:
    store = await js.key_value("catalog")
    await store.put("channel.bad", b"\xff\xff")
    await put_channel(js, 1, 1)
    await feed.start()
    assert set(feed.view.channels) == {"ch_1"}
    await store.put("unknown.bad", b"")
    await store.delete("channel.ch_1")
    await put_channel(js, 2, 2)
    await until(lambda: "ch_2" in feed.view.channels)
    # A marker of the server is no deletion: those have a revision.
    assert "ch_1" in feed.view.channels


async def test_a_failing_listener_stops_nobody(js: JetStreamContext, feed: CatalogFeed) -> None:
    def fail(entry: Entry, view: CatalogView) -> None:
        raise RuntimeError

    told: list[str] = []
    feed.on_change(fail)
    feed.on_change(lambda entry, _: told.append(entry.id))
    await feed.start()
    await put_channel(js, 1, 1)
    await until(lambda: told == ["ch_1"])


async def test_a_traced_change_is_seen_in_its_trace(js: JetStreamContext, feed: CatalogFeed) -> None:
    exporter = InMemorySpanExporter()
    tracing = telemetry.setup("test", sample=0, endpoint=None, exporter=exporter)
    await put_channel(js, 0, 1, SAMPLED)
    await feed.start()
    await put_channel(js, 1, 2, SAMPLED)
    await put_channel(js, 2, 3)
    await until(lambda: "ch_2" in feed.view.channels)
    await asyncio.to_thread(tracing.shutdown)
    (span,) = exporter.get_finished_spans()
    assert span.name == semconv.SPAN_CATALOG_APPLY
    assert (span.attributes or {})[semconv.CATALOG_ID] == "ch_1"
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" in SAMPLED
