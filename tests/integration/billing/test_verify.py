"""The proof finds what is wrong, and nothing else."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from oneapi.bus.subjects import BUCKET_KEYS
from oneapi.catalog.entries import encode, kv_key
from oneapi.catalog.types import Budget, RelayKey
from oneapi.runtime import rpc
from oneapi.runtime.ids import uuid7
from oneapi.runtime.redis_functions import balance_key
from proto.billing.v1.billing_pb2 import VerifyRequest
from tests.integration.billing.world import QUICK, SECRET, Replica, World, until, usage_event

ACCOUNT = "acc_1"
ROOT = Path(__file__).parents[3]


async def command(world: World) -> tuple[int, str]:
    """`python -m services.billing.verify` with the test's stores."""
    environment = {
        **os.environ,
        "NATS_URL": world.urls.nats_url,
        "REDIS_URL": world.urls.redis_url,
        "CLICKHOUSE_URL": world.urls.clickhouse_url,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.billing.verify", cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode()


async def results(replica: Replica) -> dict[str, tuple[bool, str]]:
    found = {}
    async for result in replica.stub.Verify(VerifyRequest(), metadata=rpc.call_metadata(SECRET)):
        found[result.invariant.split()[0]] = (result.holds, result.detail)
    return found


async def populated(world: World, **options: object) -> Replica:
    replica = await world.writer(**options)
    await world.opened(ACCOUNT, unlimited=True)
    await world.opened("acc_2")
    await world.credit("acc_2", 10**9, "cr_1")
    for _ in range(5):
        await world.serve(ACCOUNT, scopes=["key:key_1:total"])
    await world.ship(usage_event(ACCOUNT, usage={}), usage_event("acc_2"))
    broken = usage_event(ACCOUNT)
    broken.house_nano = -1
    await world.ship(broken)
    await until(world.drained)
    await until(lambda: world.settled_state(ACCOUNT))
    return replica


async def test_all_hold_with_billing_and_without(world: World) -> None:
    replica = await populated(world, pace=QUICK)
    await world.reserve(ACCOUNT, uuid7(), 500, unlimited=True)
    found = await results(replica)
    assert list(found) == ["I1'", "I2", "I3", "I4", "I5", "I6", "I7"]
    assert all(holds for holds, _ in found.values()), found
    assert "1 requests are in flight" in found["I2"][1]
    assert "8 events" in found["I3"][1]
    assert "1 were put aside" in found["I3"][1]
    await world.stop(replica)
    status, output = await command(world)
    assert status == 0, output
    assert output.count("holds") == 7


@pytest.mark.parametrize(
    ("invariant", "spoil"),
    [
        ("I2", "posted"),
        ("I2", "leak"),
        ("I3", "ALTER TABLE ledger DELETE WHERE amount_nano = 0 SETTINGS mutations_sync = 1"),
        ("I5", "ALTER TABLE ledger UPDATE house_nano = house_nano + 1 WHERE line = 'main' SETTINGS mutations_sync = 1"),
        ("I1'", "overspent"),
        ("I1'", "budget"),
    ],
)
async def test_a_break_is_found(world: World, invariant: str, spoil: str) -> None:
    replica = await populated(world)
    await world.stop(replica)
    if spoil == "posted":
        await world.redis.hincrby(balance_key(ACCOUNT), "posted", 1)
    elif spoil == "leak":
        await world.redis.hincrby(balance_key(ACCOUNT), "reserved", 1)
    elif spoil == "overspent":
        await world.clickhouse.command(
            "INSERT INTO ledger (account_id, request_id, line, version, amount_nano, limited)"
            " VALUES ('acc_2', 'spoilt', 'main', 2, 1000000001, true)"
        )
    elif spoil == "budget":
        key = RelayKey(id="key_1", name="k", account_id=ACCOUNT, budgets=(Budget(amount_nano=10),))
        bucket = await world.js.key_value(BUCKET_KEYS)
        await bucket.put(kv_key("key", "ab" * 32), encode("key", "ab" * 32, 1, key, changed_at_ms=1))
    else:
        await world.clickhouse.command(spoil)
    status, output = await command(world)
    assert status == 1, output
    assert output.splitlines()[-1].startswith(f"BROKEN  {invariant}"), output


async def test_a_lowered_limit_is_no_break(world: World) -> None:
    replica = await populated(world)
    key = RelayKey(id="key_1", name="k", account_id=ACCOUNT, budgets=(Budget(amount_nano=10),))
    bucket = await world.js.key_value(BUCKET_KEYS)
    await bucket.put(kv_key("key", "ab" * 32), encode("key", "ab" * 32, 1, key, changed_at_ms=4 * 10**12))
    holds, detail = (await results(replica))["I1'"]
    assert holds
    assert "lowered" in detail


async def test_a_database_that_was_tampered_with_is_refused(world: World) -> None:
    replica = await populated(world)
    await world.stop(replica)
    await world.clickhouse.command(
        "INSERT INTO schema_migrations (number, name, checksum, applied_at)"
        f" VALUES (1, '0001_ledger.sql', '{'0' * 64}', now64(3) + 10)"
    )
    await world.clickhouse.command("OPTIMIZE TABLE schema_migrations FINAL")
    status, output = await command(world)
    assert status == 1
    assert "was changed after it had been applied" in output
