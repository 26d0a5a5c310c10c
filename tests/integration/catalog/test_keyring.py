"""The keyring, on a real server."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import KeyWrongLastSequenceError

from oneapi.bus.subjects import BUCKET_KEYS, KEY_REHASH, bucket_subject
from oneapi.catalog.entries import encode, kv_key
from oneapi.catalog.key_census import TRUST_S
from oneapi.catalog.keyring import Keyring, KeyringUnavailable
from oneapi.catalog.rehash import read_notice
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
    made = Keyring(js, HASHER, clock=clock, verify_s=3600)
    await made.start()
    await until(lambda: made.complete)
    yield made
    await made.stop()


async def publish(
    js: JetStreamContext, text: str, revision: int, *, hasher: KeyHasher = HASHER, **fields: object
) -> None:
    """Files the key; enabled=None deletes it."""
    digest = hasher.hash(text)
    settings = {"id": "key_1", "name": f"r{revision}", "account_id": "acc_1"} | fields
    value = None if settings.get("enabled", True) is None else RelayKey(**settings)  # type: ignore[arg-type]
    store = await js.key_value("keys")
    await store.put(kv_key("key", digest), encode("key", digest, revision, value))


async def found(keyring: Keyring, text: str) -> str | None:
    record = await keyring.lookup(text)
    return None if record is None else record.name


async def becomes(keyring: Keyring, text: str, name: str | None, limit_s: float = 10.0) -> None:
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


@pytest.mark.parametrize("listed", [True, False])
async def test_what_is_no_key_asks_nobody(js: JetStreamContext, keyring: Keyring, clock: Clock, listed: bool) -> None:
    if not listed:
        clock.now += TRUST_S
        assert not keyring.complete
    sent = js._nc.stats["out_msgs"]
    good = mint()
    for text in ("", "sk-", good[:-1], good + "0", good[:-1] + ("0" if good[-1] != "0" else "1"), "sk-é" * 20):
        assert await found(keyring, text) is None
    assert js._nc.stats["out_msgs"] == sent


async def test_a_key_that_nobody_made_asks_nobody_while_all_are_listed(
    js: JetStreamContext, keyring: Keyring, clock: Clock
) -> None:
    sent = js._nc.stats["out_msgs"]
    for _ in range(100):
        assert await found(keyring, mint()) is None
    assert js._nc.stats["out_msgs"] == sent
    # Without agreement with the stream it is asked for, as any key is.
    clock.now += TRUST_S
    assert await found(keyring, mint()) is None
    assert js._nc.stats["out_msgs"] == sent + 1


async def test_a_revoked_key_asks_once(js: JetStreamContext, clock: Clock) -> None:
    text = mint()
    await publish(js, text, 1, enabled=None)
    keyring = Keyring(js, HASHER, clock=clock, verify_s=3600)
    await keyring.start()
    await until(lambda: keyring.complete)
    sent = js._nc.stats["out_msgs"]
    for _ in range(10):
        assert await found(keyring, text) is None
    assert js._nc.stats["out_msgs"] == sent + 1
    await keyring.stop()


@pytest.mark.parametrize("enabled", [True, None])
async def test_a_lost_message_is_noticed(js: JetStreamContext, enabled: bool | None) -> None:
    made, changed = mint(), mint()
    await publish(js, changed, 1)
    keyring = Keyring(js, HASHER, verify_s=0.05)
    await keyring.start()
    await until(lambda: keyring.complete)
    assert await found(keyring, changed) == "r1"
    # What this subscription would have heard is lost.
    assert keyring._subscription is not None
    await keyring._subscription.unsubscribe()
    await publish(js, made, 2)
    await publish(js, changed, 3, enabled=enabled)
    await becomes(keyring, made, "r2", limit_s=5)
    await becomes(keyring, changed, "r3" if enabled else None, limit_s=5)
    keyring._subscription = None
    await keyring.stop()


async def test_writes_that_are_refused_do_not_hide_a_loss(js: JetStreamContext) -> None:
    text = mint()
    await publish(js, text, 1)
    keyring = Keyring(js, HASHER, verify_s=0.05)
    await keyring.start()
    await until(lambda: keyring.complete)
    store = await js.key_value("keys")
    for _ in range(3):
        with pytest.raises(KeyWrongLastSequenceError):
            await store.update(HASHER.hash(text), b"", last=99)
    await until(lambda: keyring._census._messages == 0)
    assert keyring.complete
    assert await found(keyring, text) == "r1"
    await keyring.stop()


async def test_more_keys_than_one_answer_lists(js: JetStreamContext) -> None:
    count = 100_500
    digests = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]
    for start in range(0, count, 5_000):
        for digest in digests[start : start + 5_000]:
            await js._nc.publish(bucket_subject(BUCKET_KEYS, digest), b"x")
        await js._nc.flush()
    keyring = Keyring(js, HASHER)
    await keyring.start()
    await until(lambda: len(keyring._census) == count and keyring.complete, 60)
    assert all(digest in keyring._census for digest in digests[::997])
    text = mint()
    assert await found(keyring, text) is None
    await publish(js, text, 1)
    await becomes(keyring, text, "r1")
    assert len(keyring._census) == count + 1
    await keyring.stop()


async def test_a_key_of_a_previous_pepper_is_found_and_told_of(js: JetStreamContext) -> None:
    old_hasher, new_hasher = KeyHasher("old"), KeyHasher("new", ["old"])
    text, revoked = mint(), mint()
    await publish(js, text, 1, hasher=old_hasher)
    await publish(js, revoked, 2, hasher=old_hasher, enabled=None)
    heard: list[tuple[str, str]] = []

    async def on_notice(message: Msg) -> None:
        heard.append(read_notice(message.data, new_hasher))

    await js._nc.subscribe(KEY_REHASH, cb=on_notice)
    keyring = Keyring(js, new_hasher)
    await keyring.start()
    for _ in range(2):
        assert await found(keyring, text) == "r1"
        assert await found(keyring, revoked) is None
        await until(lambda: keyring.complete)
    await until(lambda: bool(heard))
    assert heard == [(old_hasher.hash(text), new_hasher.hash(text))]
    # Filed anew: the new entry comes first, so it is never unknown.
    await publish(js, text, 3, hasher=new_hasher)
    await publish(js, text, 4, hasher=old_hasher, enabled=None)
    await becomes(keyring, text, "r3")
    await keyring.stop()
    alone = Keyring(js, KeyHasher("new"))
    await alone.start()
    assert await found(alone, text) == "r3"
    await alone.stop()


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
    assert time.monotonic() - began < 3
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
