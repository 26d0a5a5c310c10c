"""An account whose sums were lost is rebuilt inside a real Redis."""

import redis.asyncio

from oneapi.catalog.types import Budget
from oneapi.runtime import redis_functions
from oneapi.runtime.redis_functions import Counters, HeldReservation, MoneyFunctions
from services.edge.money.claim import Claim
from services.edge.money.reserve_call import NotOpen
from tests.integration.edge_money.accounts import claim, open_account, relay_key
from tests.integration.edge_money.caller import Caller, wall_ms


def held(wanted: Claim, amount: int, scopes: tuple[str, ...] = ()) -> HeldReservation:
    return HeldReservation(
        wanted.request_id, amount, wall_ms() + 60_000, wall_ms(), True, scopes, "edge_1", wanted.key.id, "", "sandbox"
    )


async def test_a_rebuilt_account_has_the_ledgers_sums_and_what_is_open(
    caller: Caller, functions: MoneyFunctions
) -> None:
    account = await open_account(functions, credit=1_000)
    key = relay_key(account, Budget(amount_nano=900))
    ghost, running, ended = [claim(account, key, 100) for _ in range(3)]
    scope = (await caller.granted(ghost)).scopes[0]
    assert await functions.rebuild(account.id, "n1", 2)
    assert isinstance(await caller.reserve(claim(account, key)), NotOpen)
    assert await functions.force(account.id, "n1", held(running, 70, (scope,)))
    assert await functions.force(account.id, "n1", held(running, 70, (scope,)))
    assert await functions.force(account.id, "n1", held(ended, 90, (scope,)))
    assert await caller.settle(ended, 40) == 1  # its edge is quicker than the rebuild
    assert await functions.open(account.id, "n1", epoch="e2", pver=2, credits=2_000, posted=300, scopes={scope: 200})
    assert await functions.open(account.id, "n1", epoch="e2", pver=2, credits=2_000, posted=300, scopes={scope: 200})
    state = await functions.balances(account.id, [scope])
    assert (state.epoch, state.rebuild_id, state.credits) == ("e2", "", 2_000)
    assert state.account == Counters(300, 40, 70)
    assert state.scopes[scope] == Counters(200, 40, 70)
    assert await caller.settle(ghost, 1) == 0


async def test_a_rebuild_that_was_overtaken_opens_nothing(
    caller: Caller, functions: MoneyFunctions, client: redis.asyncio.Redis
) -> None:
    account = await open_account(functions)
    wanted = claim(account, relay_key(account))
    await functions.rebuild(account.id, "n1", 2)
    assert not await functions.force(account.id, "n0", held(wanted, 1))
    assert not await functions.open(account.id, "n0", epoch="e2", pver=2, credits=0, posted=0, scopes={})
    await client.delete(redis_functions.balance_key(account.id))  # lost again in the middle
    assert not await functions.open(account.id, "n1", epoch="e2", pver=2, credits=0, posted=0, scopes={})
    await functions.rebuild(account.id, "n2", 3)
    assert not await functions.rebuild(account.id, "n3", 2)
    assert await functions.open(account.id, "n2", epoch="e3", pver=3, credits=0, posted=0, scopes={})
    assert not await functions.open(account.id, "n2", epoch="e4", pver=3, credits=0, posted=0, scopes={})
    assert not await functions.force(account.id, "n2", held(wanted, 1))
