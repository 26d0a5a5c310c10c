"""The keyring, on a real server."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from oneapi.catalog.entries import encode, kv_key
from oneapi.catalog.keyring import Keyring, KeyringUnavailable
from oneapi.catalog.types import RelayKey
from oneapi.runtime.relay_keys import KeyHasher, mint
from tests.integration.own_nats import OwnNats, until

HASHER = KeyHasher("a secret of the tests")


class Clock:
    """Monotonic time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keyring(js: JetStreamContext, clock: Clock) -> AsyncIterator[Keyring]:
    made = Keyring(js, HASHER, clock=clock)
    await made.start()
    yield made
    await made.stop()


async def publish(js: JetStreamContext, text: str, revision: int, **fields: object) -> None:
    """Files the key; enabled=None deletes it."""
    digest = HASHER.hash(text)
    settings = {"id": "key_1", "name": f"r{revision}", "account_id": "acc_1"} | fields
    value = None if settings.get("enabled", True) is None else RelayKey(**settings)  # type: ignore[arg-type]
    store = await js.key_value("keys")
    await store.put(kv_key("key", digest), encode("key", digest, revision, value))


async def found(keyring: Keyring, text: str) -> str | None:
    record = await keyring.lookup(text)
    return None if record is None else record.name


async def becomes(keyring: Keyring, text: str, name: str | None, limit_s: float = 1.0) -> None:
    deadline = time.monotonic() + limit_s
    while await found(keyring, text) != name:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def test_a_key_is_found_and_its_changes_arrive_at_once(
    js: JetStreamContext, keyring: Keyring, clock: Clock
) -> None:
    text = mint()
    assert await found(keyring, text) is None
    # Known as unknown, and found all the same as soon as it is made.
    await publish(js, text, 1)
    await becomes(keyring, text, "r1")
    await publish(js, text, 2, enabled=False)
    await becomes(keyring, text, "r2")
    record = await keyring.lookup(text)
    assert record is not None
    assert not record.enabled
    await publish(js, text, 3, enabled=None)
    await becomes(keyring, text, None)
    # An old record that comes late does not bring it back.
    await publish(js, text, 2)
    await publish(js, other := mint(), 4)
    await becomes(keyring, other, "r4")
    assert await found(keyring, text) is None


async def test_a_cached_answer_asks_nobody(js: JetStreamContext, keyring: Keyring, clock: Clock) -> None:
    text = mint()
    await publish(js, text, 1)
    await becomes(keyring, text, "r1")
    sent = js._nc.stats["out_msgs"]
    for _ in range(100):
        assert await found(keyring, text) == "r1"
    assert js._nc.stats["out_msgs"] == sent
    clock.now += 31
    assert await found(keyring, text) == "r1"
    assert js._nc.stats["out_msgs"] > sent


async def test_what_is_no_key_asks_nobody(js: JetStreamContext, keyring: Keyring) -> None:
    sent = js._nc.stats["out_msgs"]
    good = mint()
    for text in ("", "sk-", good[:-1], good + "0", good[:-1] + ("0" if good[-1] != "0" else "1"), "sk-é" * 20):
        assert await found(keyring, text) is None
    assert js._nc.stats["out_msgs"] == sent


async def test_many_callers_ask_once_and_one_may_leave(js: JetStreamContext, keyring: Keyring) -> None:
    text = mint()
    await publish(js, text, 1)
    sent = js._nc.stats["out_msgs"]
    leaving = asyncio.ensure_future(keyring.lookup(text))
    staying = [asyncio.ensure_future(keyring.lookup(text)) for _ in range(20)]
    await asyncio.sleep(0)
    leaving.cancel()
    records = await asyncio.gather(*staying)
    assert all(record is not None and record.name == "r1" for record in records)
    assert js._nc.stats["out_msgs"] == sent + 1


async def test_without_the_bus_what_is_held_goes_on(
    js: JetStreamContext, keyring: Keyring, clock: Clock, own_nats: OwnNats, caplog: pytest.LogCaptureFixture
) -> None:
    held, unheld = mint(), mint()
    await publish(js, held, 1)
    await publish(js, unheld, 2)
    await becomes(keyring, held, "r1")
    own_nats.kill()
    await until(lambda: not js._nc.is_connected)
    clock.now += 3600
    began = time.monotonic()
    assert await found(keyring, held) == "r1"
    with pytest.raises(KeyringUnavailable):
        await keyring.lookup(unheld)
    assert time.monotonic() - began < 1
    # A line for each key would bury everything else.
    assert not [record for record in caplog.records if record.name != "oneapi.runtime.connections"]
    own_nats.start()
    await until(lambda: js._nc.is_connected)
    await becomes(keyring, unheld, "r2", limit_s=5)


async def test_a_revocation_missed_while_away_counts_after_the_return(
    js: JetStreamContext, keyring: Keyring, connection: Client, own_nats: OwnNats
) -> None:
    text = mint()
    await publish(js, text, 1)
    await becomes(keyring, text, "r1")
    # The message is not heard, as it would be on another connection while this one is away.
    assert keyring._subscription is not None
    await keyring._subscription.unsubscribe()
    await publish(js, text, 2, enabled=None)
    assert await found(keyring, text) == "r1"
    own_nats.kill()
    await until(lambda: not js._nc.is_connected)
    own_nats.start()
    await until(lambda: js._nc.is_connected)
    await becomes(keyring, text, None, limit_s=5)
    keyring._subscription = None


async def test_a_tidied_bucket_makes_a_key_unknown(js: JetStreamContext, keyring: Keyring) -> None:
    text = mint()
    await publish(js, text, 1)
    await becomes(keyring, text, "r1")
    await (await js.key_value("keys")).purge(HASHER.hash(text))
    await becomes(keyring, text, None)


async def test_both_caches_are_bounded(js: JetStreamContext) -> None:
    small = Keyring(js, HASHER, capacity=3)
    await small.start()
    texts = [mint() for _ in range(5)]
    for number, text in enumerate(texts):
        await publish(js, text, number + 1)
    for text in texts:
        assert await found(small, text) is not None
    assert len(small._known) == 3
    assert await found(small, mint()) is None
    assert len(small._known) == 3
    await small.stop()


async def test_an_unreadable_entry_is_an_unknown_key(js: JetStreamContext, keyring: Keyring) -> None:
    text = mint()
    await (await js.key_value("keys")).put(HASHER.hash(text), b"\xff\xff")
    assert await found(keyring, text) is None
