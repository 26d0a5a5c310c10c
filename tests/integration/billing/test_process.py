"""The process: what it waits for, what it refuses, and how it ends."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from services.billing.schema import WrongSchema
from tests.integration.billing.test_verify import command
from tests.integration.billing.world import SECRET, World, until, usage_event
from tests.ports import free_port

ROOT = Path(__file__).parents[3]


class Process:
    """`python -m services.billing` with the test's stores, and settings of its own."""

    def __init__(self, world: World, **changes: str) -> None:
        self.health_port = free_port()
        self._environment = {
            **os.environ,
            "NATS_URL": world.urls.nats_url,
            "REDIS_URL": world.urls.redis_url,
            "CLICKHOUSE_URL": world.urls.clickhouse_url,
            "ONEAPI_SECRET_KEY": SECRET,
            "ONEAPI_BILLING_PORT": str(free_port()),
            "ONEAPI_BILLING_HEALTH_PORT": str(self.health_port),
            "ONEAPI_BILLING_LEASE_SECONDS": "1",
            "ONEAPI_DRAIN_SECONDS": "5",
            "ONEAPI_PARENT_DEATH": "1",
            **changes,
        }
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Process":
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.billing",
            cwd=ROOT,
            env=self._environment,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def end(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 10)

    async def readiness(self) -> dict[str, Any]:
        """The answer of /readyz, empty while there is none."""
        try:
            async with httpx2.AsyncClient() as client:
                answer = await client.get(f"http://127.0.0.1:{self.health_port}/readyz")
        except httpx2.TransportError:
            return {}
        return {"code": answer.status_code, **answer.json()}


async def is_writer(process: Process) -> bool:
    return (await process.readiness()).get("role") == "writer"


async def test_it_bills_and_ends_in_order(world: World) -> None:
    async with Process(world) as process:
        await until(lambda: is_writer(process), 30)
        event = usage_event("acc_1")
        await world.ship(event)
        await until(world.drained)
        assert await world.lines("acc_1") == 1
        assert await process.end() == 0


@pytest.mark.parametrize(
    ("name", "part"), [("NATS_URL", "nats"), ("REDIS_URL", "redis"), ("CLICKHOUSE_URL", "clickhouse")]
)
async def test_it_says_what_it_waits_for(world: World, name: str, part: str) -> None:
    scheme = {"nats": "nats", "redis": "redis", "clickhouse": "http"}[part]
    async with Process(world, **{name: f"{scheme}://127.0.0.1:{free_port()}/0"}) as process:

        async def says() -> bool:
            answer = await process.readiness()
            return answer.get("code") == 503 and answer["missing"].get(part, "").startswith("waiting for")

        await until(says, 30)
        assert await process.end() == 0


async def test_a_killed_one_is_followed_by_the_next(world: World) -> None:
    async with Process(world) as first:
        await until(lambda: is_writer(first), 30)
        await world.ship(usage_event("acc_1"))
        await until(world.drained)
        assert first.process is not None
        first.process.kill()
        await first.process.wait()
    async with Process(world) as second:
        await world.ship(usage_event("acc_1"))
        await until(lambda: is_writer(second), 30)
        await until(world.drained)
        assert await world.lines("acc_1") == 2


async def test_a_database_that_is_not_there_is_made(world: World) -> None:
    url = f"{world.urls.clickhouse_url}_made"
    try:
        async with Process(world, CLICKHOUSE_URL=url) as process:
            await until(lambda: is_writer(process), 30)
            assert await process.end() == 0
    finally:
        await world.clickhouse.command(f"DROP DATABASE IF EXISTS `{url.rpartition('/')[2]}` SYNC")


async def test_it_refuses_tables_of_another_shape(world: World) -> None:
    replica = await world.billing()
    await world.stop(replica)
    await world.clickhouse.command("DROP TABLE ledger SYNC")
    await world.clickhouse.command(
        "CREATE TABLE ledger (account_id String, request_id String, line String, reserved_at DateTime64(3, 'UTC'))"
        " ENGINE = MergeTree PARTITION BY toYYYYMM(reserved_at) ORDER BY (account_id, request_id, line)"
    )
    with pytest.raises(WrongSchema, match="engine"):
        await world.billing()
    async with Process(world) as process:
        assert process.process is not None
        assert await asyncio.wait_for(process.process.wait(), 30) == 1


async def test_killed_again_and_again_it_loses_nothing_and_books_nothing_twice(world: World) -> None:
    """SIGKILL in the middle of the work, three times, while events keep coming, some of them twice."""
    rounds, each = 3, 80
    await world.account("acc_1", unlimited=True)

    async def serve(first: int) -> None:
        for number in range(first, first + each):
            event = usage_event("acc_1", usage={"input": number})
            granted = await world.reserve("acc_1", event.request_id, event.reserved_nano, unlimited=True)
            assert granted[0] == "ok"
            if number % 3:
                await world.settle("acc_1", event.request_id, event.amount_nano)
            await world.ship(event)
            if number % 5 == 0:
                await world.ship(event)

    for turn in range(rounds):
        async with Process(world) as process:
            await until(lambda process=process: is_writer(process), 30)  # type: ignore[misc]
            await until(lambda: world.is_open("acc_1"))
            serving = asyncio.create_task(serve(turn * each))
            await until(lambda turn=turn: _at_least(world, turn * each + 5), 40)  # type: ignore[misc]
        await serving
    async with Process(world) as last:
        await until(lambda: is_writer(last), 30)
        await until(lambda: _at_least(world, rounds * each), 40)
        await until(lambda: world.settled_state("acc_1"), 20)
        assert await last.end() == 0
    assert await world.lines("acc_1") == rounds * each
    status, output = await command(world)
    assert status == 0, output


async def _at_least(world: World, count: int) -> bool:
    return await world.lines("acc_1") >= count
