"""From a change in SQL to the bus: entries, keys, credits, order, outages, restarts, on both databases."""

import asyncio
from collections.abc import AsyncIterator, Callable

import nats.js.errors
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.kv import KeyValue
from sqlalchemy import text

from oneapi.bus import subjects
from oneapi.bus.streams import ensure
from oneapi.catalog import entries
from oneapi.catalog.feed import CatalogFeed
from oneapi.catalog.keyring import Keyring
from oneapi.catalog.types import OPERATOR_ACCOUNT_ID, SANDBOX_CHANNEL_ID, Channel, McpServer, Price
from oneapi.runtime.connections import connect_nats
from oneapi.runtime.relay_keys import KeyHasher
from proto.events.v1.events_pb2 import CreditGranted
from services.admin.publishing.publisher import put
from services.admin.upstreams import sealed
from tests.integration.admin.gateway import SECRET_KEY, Admin, eventually
from tests.integration.own_nats import OwnNats

CHANNEL = {"name": "c", "provider": "openai-compatible", "models": ["m"], "base_url": "https://api.example.com/v1"}


@pytest.fixture
async def connection(own_nats: OwnNats) -> AsyncIterator[Client]:
    client = await connect_nats(own_nats.url, "test")
    yield client
    await client.close()


@pytest.fixture
async def js(connection: Client) -> JetStreamContext:
    context = connection.jetstream()
    await ensure(context)
    return context


@pytest.fixture
async def feed(js: JetStreamContext) -> AsyncIterator[CatalogFeed]:
    made = CatalogFeed(js)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def publishing(own_nats: OwnNats, js: JetStreamContext, make_admin: Callable[..., Admin]) -> Admin:
    admin = make_admin(nats_url=own_nats.url)
    await admin.open(bus=True)
    return admin


async def drained(admin: Admin) -> None:
    async def nothing_waits() -> bool:
        async with admin.parts.database.reading() as session:
            waiting = await session.scalar(text("SELECT count(*) FROM outbox WHERE published_at_ms IS NULL"))
        return waiting == 0 and admin.parts.bus.publishes

    await eventually(nothing_waits)


async def test_a_new_installation_is_published(publishing: Admin, feed: CatalogFeed) -> None:
    async def there() -> bool:
        return SANDBOX_CHANNEL_ID in feed.view.channels and feed.view.price("sandbox", "") is not None

    await eventually(there)
    operator = feed.view.accounts[OPERATOR_ACCOUNT_ID]
    assert operator.unlimited
    sandbox = feed.view.channels[SANDBOX_CHANNEL_ID]
    assert (sandbox.provider, sandbox.models) == ("sandbox", ("sandbox",))
    assert {"chat", "embeddings"} <= set(sandbox.endpoints)
    price = feed.view.price("sandbox", SANDBOX_CHANNEL_ID)
    assert price is not None
    assert price.versions[0].rates == {"input": 100_000, "output": 400_000}


async def test_changes_arrive(publishing: Admin, feed: CatalogFeed) -> None:
    await drained(publishing)
    made = await publishing.create("channels", **CHANNEL, api_key="an-upstream-credential")

    async def there() -> Channel | None:
        return feed.view.channels.get(made["id"])

    channel = await eventually(there)
    assert channel is not None
    place = sealed.channel_key_place(channel.id)
    assert publishing.parts.sealer.open(channel.api_key_sealed, bound_to=place) == "an-upstream-credential"
    await publishing.client.patch(f"/api/channels/{made['id']}", json={"enabled": False})

    async def disabled() -> bool:
        return not feed.view.channels[made["id"]].enabled

    await eventually(disabled)
    await publishing.client.delete(f"/api/channels/{made['id']}")

    async def gone() -> bool:
        return made["id"] not in feed.view.channels

    await eventually(gone)


async def test_keys_are_found_by_their_hash(publishing: Admin, js: JetStreamContext) -> None:
    made = await publishing.create("keys", name="k", models=["m"], budget={"amount_usd": "1", "window": "day"})
    keyring = Keyring(js, KeyHasher(SECRET_KEY))
    await drained(publishing)
    found = await keyring.lookup(made["key"])
    assert found is not None
    assert (found.id, found.models, found.budgets[0].amount_nano) == (made["id"], ("m",), 10**9)
    bucket = await js.key_value(subjects.BUCKET_KEYS)
    assert [made["key"] in key for key in await bucket.keys()] == [False]
    await publishing.client.delete(f"/api/keys/{made['id']}")
    await drained(publishing)
    entry = await bucket.get(KeyHasher(SECRET_KEY).hash(made["key"]))
    assert entries.decode(entry.value or b"").deleted


async def test_every_kind_is_published(publishing: Admin, feed: CatalogFeed) -> None:
    account = await publishing.create("accounts", name="team", group="gold")
    server = await publishing.create("mcp-servers", name="t", url="https://tools.example.com/mcp", prices={"x": "0.01"})
    await publishing.client.put("/api/prices/vendor/m", json={"input": "2.5", "per_call": "0.01"})
    await publishing.client.put("/api/prices/vendor/m", json={"input": "1", "channel": SANDBOX_CHANNEL_ID})

    async def all_there() -> bool:
        view = feed.view
        return (
            account["id"] in view.accounts
            and server["id"] in view.mcp_servers
            and {("vendor/m", ""), ("vendor/m", SANDBOX_CHANNEL_ID)} <= view.prices.keys()
        )

    await eventually(all_there)
    assert feed.view.accounts[account["id"]].group == "gold"
    tool_server: McpServer = feed.view.mcp_servers[server["id"]]
    assert tool_server.prices == {"x": 10_000_000_000}
    price = feed.view.price("vendor/m", "ch_other")
    assert isinstance(price, Price)
    assert price.versions[0].rates == {"input": 2_500_000, "per_call": 10_000_000_000}


async def test_credits_reach_the_ledgers_stream_once(publishing: Admin, js: JetStreamContext) -> None:
    account = (await publishing.create("accounts", name="prepaid"))["id"]
    body = {"amount_usd": "12.5", "reason": "a test"}
    credit = (await publishing.client.post(f"/api/accounts/{account}/credits", json=body)).json()
    await drained(publishing)
    async with publishing.parts.database.writing() as session:
        await session.execute(text("UPDATE outbox SET published_at_ms = NULL"))
    publishing.parts.bus.wake()
    await drained(publishing)
    info = await js.stream_info(subjects.STREAM_LEDGER)
    assert info.state.messages == 1
    message = await js.get_msg(subjects.STREAM_LEDGER, seq=info.state.last_seq)
    event = CreditGranted.FromString(message.data or b"")
    assert (event.event_id, event.account_id, event.amount_nano) == (f"topup:{credit['id']}", account, 12_500_000_000)
    assert (message.headers or {})["Nats-Msg-Id"] == event.event_id


async def test_changes_wait_while_nats_is_down(
    own_nats: OwnNats, publishing: Admin, feed: CatalogFeed, js: JetStreamContext
) -> None:
    await drained(publishing)
    own_nats.kill()
    made = await publishing.create("accounts", name="patient")
    assert (await publishing.client.get(f"/api/accounts/{made['id']}")).status_code == 200

    async def not_ready() -> bool:
        answer = await publishing.client.get("/readyz")
        return answer.status_code == 503 and "nats" in answer.json()["missing"]

    await eventually(not_ready)
    own_nats.start()

    async def there() -> bool:
        return made["id"] in feed.view.accounts

    await eventually(there, 20)


async def test_a_bus_that_lost_its_state_is_filled_again(
    publishing: Admin, js: JetStreamContext, own_nats: OwnNats, make_admin: Callable[..., Admin]
) -> None:
    key = await publishing.create("keys", name="k")
    account = (await publishing.create("accounts", name="prepaid"))["id"]
    await publishing.client.post(f"/api/accounts/{account}/credits", json={"amount_usd": "1", "reason": "x"})
    await drained(publishing)
    await publishing.close()
    for stream in ("KV_catalog", "KV_keys", "LEDGER"):
        await js.delete_stream(stream)
    await ensure(js)
    again = make_admin(nats_url=own_nats.url)
    await again.open(bus=True)

    async def filled() -> bool:
        try:
            catalog, keys = await js.key_value("catalog"), await js.key_value("keys")
            await catalog.get(f"account.{account}")
            await catalog.get(f"channel.{SANDBOX_CHANNEL_ID}")
            await keys.get(KeyHasher(SECRET_KEY).hash(key["key"]))
        except nats.js.errors.KeyNotFoundError:
            return False
        return (await js.stream_info("LEDGER")).state.messages == 1

    await eventually(filled)


async def test_a_fresh_database_cleans_the_bus(
    js: JetStreamContext, own_nats: OwnNats, make_admin: Callable[..., Admin]
) -> None:
    """What SQL doesn't know is deleted, and revisions go on above those that the bus has seen."""
    bucket = await js.key_value("catalog")
    stray = Channel(id="ch_stray", name="stray", provider="openai", models=("m",))
    await bucket.put("channel.ch_stray", entries.encode("channel", "ch_stray", 500, stray))
    await bucket.put("channel.ch_sandbox", entries.encode("channel", "ch_sandbox", 900, None))
    await bucket.put("account.broken", b"not an entry")
    admin = make_admin(nats_url=own_nats.url)
    await admin.open(bus=True)

    async def right() -> bool:
        stray_entry = entries.decode((await bucket.get("channel.ch_stray")).value or b"")
        sandbox = entries.decode((await bucket.get("channel.ch_sandbox")).value or b"")
        return stray_entry.deleted and not sandbox.deleted and sandbox.revision > 900

    await eventually(right)

    async def mended() -> bool:
        return entries.decode((await bucket.get("account.broken")).value or b"x").deleted

    await eventually(mended)


async def test_an_older_entry_never_replaces_a_newer_one(js: JetStreamContext) -> None:
    bucket: KeyValue = await js.key_value("catalog")

    async def write(revision: int) -> None:
        value = Channel(id="ch_1", name=f"r{revision}", provider="openai", models=("m",))
        await put(bucket, "channel.ch_1", entries.encode("channel", "ch_1", revision, value), revision)

    await asyncio.gather(*(write(revision) for revision in (3, 1, 5, 2, 4)))
    await write(2)
    assert entries.decode((await bucket.get("channel.ch_1")).value or b"").revision == 5


async def test_one_of_two_replicas_publishes(
    publishing: Admin, feed: CatalogFeed, own_nats: OwnNats, make_admin: Callable[..., Admin]
) -> None:
    await drained(publishing)
    second = make_admin(nats_url=own_nats.url)
    await second.open(bus=True)
    made = [await admin.create("accounts", name="x") for admin in (publishing, second, publishing, second)]

    async def there() -> bool:
        return all(account["id"] in feed.view.accounts for account in made)

    await eventually(there)
    assert (publishing.parts.bus.publishes, second.parts.bus.publishes) == (True, False)
    await publishing.close()
    late = await second.create("accounts", name="late")

    async def taken_over() -> bool:
        return late["id"] in feed.view.accounts

    await eventually(taken_over)
