"""Billing and the edge's own money path, together on real servers."""

import asyncio
from decimal import Decimal
from pathlib import Path

from oneapi.catalog.types import Account, Budget
from oneapi.dialects.errors import GatewayError
from services.edge.money.path import Ending, MoneyPath
from tests.integration.billing.test_verify import command
from tests.integration.billing.world import QUICK, World, balance, receipt, until
from tests.integration.edge_money.accounts import RATES, claim, relay_key
from tests.integration.edge_money.edges import edge
from tests.servers import unique_name

ACCOUNT = Account(id="acc_1", name="acc_1")


def ending(output: int = 20) -> Ending:
    return Ending("ok", {"input": 10, "output": output}, "provider", "p1", RATES, "ch_1", 200, 5)


async def admitted(path: MoneyPath, world: World, amount_nano: int = 6_000) -> bool:
    """Whether one more request is admitted (and abandoned)."""
    try:
        hold = await path.begin(claim(ACCOUNT, relay_key(ACCOUNT), amount_nano))
    except GatewayError:
        return False
    await path.abandon(hold)
    return True


async def test_a_request_is_billed_as_the_edge_charged_it(world: World, tmp_path: Path) -> None:
    replica = await world.writer()
    async with edge(world.urls.nats_url, world.urls.redis_url, tmp_path, unique_name("edge")) as (path, _):
        await world.opened(ACCOUNT.id)
        await world.credit(ACCOUNT.id, 1_000_000, "cr_1")
        await until(lambda: admitted(path, world))
        key = relay_key(ACCOUNT, Budget(amount_nano=500_000, window="day"))
        hold = await path.begin(claim(ACCOUNT, key, 6_000))
        hold.attempt("ch_1", "upstream-model").done(200, "ok")
        charge = hold.finish(ending())
        found = await until(lambda: receipt(replica, hold.request_id), 5)
        assert Decimal(found["cost_usd"]) == Decimal(charge.amount_nano) / 10**9
        assert (found["outcome"], found["attempts"][0]["channel"]) == ("ok", "ch_1")
        await until(lambda: world.settled_state(ACCOUNT.id))
        shown = await balance(replica, ACCOUNT.id, *hold.scopes)
        assert shown.charged_nano == charge.amount_nano
        assert [scope.posted_nano for scope in shown.scopes] == [charge.amount_nano]
        assert await world.redis.get("oneapi:billing:mark")


async def test_a_flush_under_load_neither_loses_nor_overspends(world: World, tmp_path: Path) -> None:
    credit = 400_000
    await world.writer(pace=QUICK)
    async with (
        edge(world.urls.nats_url, world.urls.redis_url, tmp_path / "a", unique_name("edge")) as (one, _),
        edge(world.urls.nats_url, world.urls.redis_url, tmp_path / "b", unique_name("edge")) as (two, _),
    ):
        await world.opened(ACCOUNT.id)
        await world.credit(ACCOUNT.id, credit, "cr_1")
        await until(lambda: admitted(one, world))
        charged = 0
        stop = asyncio.Event()

        async def serve(path: MoneyPath) -> None:
            nonlocal charged
            while not stop.is_set():
                try:
                    hold = await path.begin(claim(ACCOUNT, relay_key(ACCOUNT), 6_000))
                except GatewayError:
                    await asyncio.sleep(0.01)
                    continue
                await asyncio.sleep(0.02)
                charged += hold.finish(ending(output=2_500)).amount_nano

        serving = [asyncio.create_task(serve(path)) for path in (one, two) for _ in range(4)]
        for _ in range(3):
            before = charged
            await until(lambda before=before: _over(lambda: charged > before + 20_000 or charged > credit - 20_000))  # type: ignore[misc]
            await world.redis.flushall()
            await until(lambda: world.is_open(ACCOUNT.id))
        await until(lambda: _over(lambda: charged > credit - 12_000), 30)
        stop.set()
        await asyncio.gather(*serving)
        await until(lambda: world.settled_state(ACCOUNT.id), 20)
        assert await world.charged(ACCOUNT.id) == charged <= credit
    status, output = await command(world)
    assert status == 0, output


async def _over(condition: object) -> bool:
    return bool(condition()) if callable(condition) else False
