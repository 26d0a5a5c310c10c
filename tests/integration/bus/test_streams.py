"""Streams and buckets on a real server."""

import asyncio

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError

from oneapi.bus.streams import WrongStreamSetting, ensure, ensure_responses
from oneapi.bus.subjects import BUCKET_RESPONSES, CREDIT, DEAD_LETTER_PREFIX, STREAM_DEAD_LETTERS, STREAM_LEDGER, USAGE


async def test_the_ledger_stream_keeps_what_money_needs(js: JetStreamContext) -> None:
    config = (await js.stream_info(STREAM_LEDGER)).config
    assert config.retention == RetentionPolicy.LIMITS
    assert config.storage == StorageType.FILE
    assert config.discard == DiscardPolicy.NEW
    assert config.duplicate_window == 600
    assert config.max_age == 7 * 24 * 3600
    assert config.deny_delete
    assert config.deny_purge
    assert (await js.publish(USAGE, b"1")).stream == STREAM_LEDGER
    assert (await js.publish(CREDIT, b"1")).stream == STREAM_LEDGER
    assert (await js.publish(DEAD_LETTER_PREFIX + USAGE, b"1")).stream == STREAM_DEAD_LETTERS
    with pytest.raises(APIError):
        await js.purge_stream(STREAM_LEDGER)
    with pytest.raises(APIError):
        await js.delete_msg(STREAM_LEDGER, 1)


async def test_dead_letters_never_age(js: JetStreamContext) -> None:
    assert (await js.stream_info(STREAM_DEAD_LETTERS)).config.max_age == 0


async def test_several_services_may_start_at_once(connection: Client) -> None:
    await asyncio.gather(*(ensure(connection.jetstream()) for _ in range(5)))
    assert len(await connection.jetstream().streams_info()) == 6


async def test_buckets_keep_the_last_value_only(js: JetStreamContext) -> None:
    for bucket in ("catalog", "keys", "state", "tools"):
        store = await js.key_value(bucket)
        await store.put("a", b"1")
        await store.put("a", b"2")
        assert (await store.get("a")).value == b"2"
        assert (await store.status()).values == 1


async def test_stored_responses_have_a_lifetime_and_a_size_that_can_be_changed(js: JetStreamContext) -> None:
    sizes = {"replicas": 1, "max_bytes": 2**20}
    await asyncio.gather(*(ensure_responses(js, max_age_s=3600.0, **sizes) for _ in range(3)))
    store = await js.key_value(BUCKET_RESPONSES)
    await store.put("a.first", b"x" * 400_000)
    for number in range(4):
        await store.put(f"a.{number}", b"x" * 400_000)
    # The oldest went, and writing was never refused.
    assert set(await store.keys()) == {"a.2", "a.3"}
    await ensure_responses(js, max_age_s=60.0, replicas=1, max_bytes=2**21)
    config = (await js.stream_info(f"KV_{BUCKET_RESPONSES}")).config
    assert (config.max_age, config.max_bytes, config.discard) == (60.0, 2**21, DiscardPolicy.OLD)
    assert set(await store.keys()) == {"a.2", "a.3"}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("retention", RetentionPolicy.WORK_QUEUE),
        ("discard", DiscardPolicy.OLD),
        ("duplicate_window", 120),
        ("max_age", 3600),
        ("storage", StorageType.MEMORY),
        ("deny_purge", False),
        ("subjects", ["ledger.usage.>"]),
        ("max_msgs", 1000),
    ],
)
async def test_a_stream_with_other_guarantees_is_refused(connection: Client, setting: str, value: object) -> None:
    context = connection.jetstream()
    wanted: dict[str, object] = {
        "name": STREAM_LEDGER,
        "subjects": ["ledger.>"],
        "retention": RetentionPolicy.LIMITS,
        "discard": DiscardPolicy.NEW,
        "storage": StorageType.FILE,
        "duplicate_window": 600,
        "max_age": 7 * 24 * 3600,
        "max_msgs": -1,
        "deny_delete": True,
        "deny_purge": True,
    }
    await context.add_stream(StreamConfig(**(wanted | {setting: value})))  # type: ignore[arg-type] # one row varies
    with pytest.raises(WrongStreamSetting) as refusal:
        await ensure(context)
    assert refusal.value.setting == setting
    assert STREAM_LEDGER in str(refusal.value)


async def test_too_few_replicas_are_refused_and_more_are_fine(js: JetStreamContext) -> None:
    with pytest.raises(WrongStreamSetting, match="num_replicas"):
        await ensure(js, replicas=3)
    await ensure(js, replicas=1)
