"""Records on a real bus: whole or not at all, each account's own, sealed, and not for ever."""

import asyncio
import os
import time
from collections.abc import AsyncIterator

import pytest

from oneapi.bus.subjects import BUCKET_RESPONSES, bucket_stream, bucket_subject
from oneapi.runtime.connections import connect_nats
from oneapi.runtime.sealing import Sealer
from services.edge.state.store import (
    MAX_RECORD_BYTES,
    MESSAGE_BYTES,
    RecordTooLarge,
    StateConflict,
    StateStore,
    StateUnavailable,
)
from tests.integration.edge.stage import SECRET, Stage, eventually
from tests.servers import unique_name

DAY_S = 86_400.0


class Clock:
    """A clock that a test sets ahead."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(stage: Stage, clock: Clock) -> AsyncIterator[StateStore]:
    store = StateStore(stage.client, Sealer(SECRET), lifetime_s=30 * DAY_S, clock=clock)
    yield store
    await store.close()


@pytest.fixture
def account() -> str:
    return unique_name("acc")


async def value(store: StateStore, account: str, key: str) -> bytes | None:
    found = await store.read(account, key)
    return found.value if found is not None else None


@pytest.mark.parametrize("size", [0, 10, MESSAGE_BYTES - 200, MESSAGE_BYTES, 3 * MESSAGE_BYTES + 7])
async def test_what_was_written_is_read(store: StateStore, account: str, size: int) -> None:
    record = os.urandom(size)
    await store.write(account, "resp_1", record)
    assert await value(store, account, "resp_1") == record
    assert await value(store, account + "x", "resp_1") is None
    await store.write(account, "resp_1", b"shorter")
    assert await value(store, account, "resp_1") == b"shorter"
    await store.delete(account, "resp_1")
    assert await value(store, account, "resp_1") is None


async def test_only_who_knows_the_newest_changes_it(store: StateStore, account: str) -> None:
    await store.write(account, "conv_1", b"a", last=0)
    found = await store.read(account, "conv_1")
    assert found is not None
    await store.write(account, "conv_1", b"b", last=found.revision)
    for last in (0, found.revision):
        with pytest.raises(StateConflict):
            await store.write(account, "conv_1", b"c", last=last)
        with pytest.raises(StateConflict):
            await store.delete(account, "conv_1", last=last)
    assert await value(store, account, "conv_1") == b"b"


async def test_too_large(store: StateStore, account: str) -> None:
    with pytest.raises(RecordTooLarge):
        await store.write(account, "resp_1", b"x" * (MAX_RECORD_BYTES + 1))
    for number in range(3):
        await store.write(account, f"seg_{number}", b"x" * 1_000)
    keys = ["seg_0", "seg_none", "seg_2"]
    assert [one is not None for one in await store.read_all(account, keys, 2_000)] == [True, False, True]
    with pytest.raises(RecordTooLarge):
        await store.read_all(account, keys, 1_999)


async def test_nothing_of_it_stands_on_the_bus_and_nothing_else_opens(
    stage: Stage, store: StateStore, account: str
) -> None:
    await store.write(account, "resp_1", b"a secret word " * 60_000)
    await store.write(account, "resp_2", b"a secret word")
    stream = bucket_stream(BUCKET_RESPONSES)
    message = await stage.js.get_last_msg(stream, bucket_subject(BUCKET_RESPONSES, f"{account}.resp_2"))
    assert message.data is not None
    assert b"secret word" not in message.data
    for name, data in (
        (f"{account}.resp_3", message.data),
        (f"{account}x.resp_2", message.data),
        (f"{account}.resp_2", message.data[:-1] + bytes([message.data[-1] ^ 1])),
        (f"{account}.resp_1", b"\x02" + b"0" * 16 + b".2"),
        (f"{account}.resp_4", b"\x02none.x"),
        (f"{account}.resp_5", b"\x03"),
    ):
        await stage.js.publish(bucket_subject(BUCKET_RESPONSES, name), data)
        owner, _, key = name.partition(".")
        assert await value(store, owner, key) is None, name
    other = StateStore(stage.client, Sealer("another secret"), lifetime_s=DAY_S)
    await store.write(account, "resp_2", b"again")
    assert await value(other, account, "resp_2") is None


async def test_a_record_ends_and_one_that_is_used_does_not(store: StateStore, account: str, clock: Clock) -> None:
    await store.write(account, "seg_1", b"used")
    await store.write(account, "seg_2", b"not used")
    clock.ahead_s = 16 * DAY_S
    before = await store.read(account, "seg_1")
    assert before is not None
    await store.read_all(account, ["seg_1"], 100, renew=True)

    async def renewed() -> bool:
        found = await store.read(account, "seg_1")
        return found is not None and found.revision > before.revision

    await eventually(renewed)
    clock.ahead_s = 31 * DAY_S
    assert await value(store, account, "seg_2") is None


async def test_the_bus_is_away(stage: Stage, account: str) -> None:
    client = await connect_nats(stage.nats.url, "test")
    store = StateStore(client, Sealer(SECRET), lifetime_s=DAY_S, limit_s=0.2)
    await client.close()
    for asked in (store.read(account, "resp_1"), store.write(account, "resp_1", b"a"), store.delete(account, "resp_1")):
        with pytest.raises(StateUnavailable):
            await asked
    assert not store.connected


async def test_many_at_once(store: StateStore, account: str) -> None:
    keys = [f"seg_{number}" for number in range(100)]
    await asyncio.gather(*(store.write(account, key, key.encode()) for key in keys))
    found = await store.read_all(account, keys, 10_000)
    assert [one.value.decode() for one in found if one is not None] == keys
