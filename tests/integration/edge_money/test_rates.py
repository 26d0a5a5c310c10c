"""Requests and tokens per minute and concurrency, counted inside a real Redis."""

import asyncio
import time

from oneapi.catalog.types import Budget, KeyLimits
from oneapi.runtime.redis_functions import MoneyFunctions
from services.edge.money.reserve_call import Granted, Refused
from tests.integration.edge_money.accounts import claim, open_account, relay_key
from tests.integration.edge_money.caller import Caller


async def test_requests_per_minute_are_bounded(caller: Caller, functions: MoneyFunctions) -> None:
    account = await open_account(functions)
    limit = 600
    key = relay_key(account, limits=KeyLimits(rpm=limit))
    begun = time.monotonic()
    granted, refused = 0, None
    while refused is None and time.monotonic() - begun < 60:
        for answer in await asyncio.gather(*[caller.reserve(claim(account, key, 0)) for _ in range(100)]):
            granted += isinstance(answer, Granted)
            refused = answer if isinstance(answer, Refused) else refused
    assert granted <= limit + limit / 60 * (time.monotonic() - begun) + 1
    assert refused is not None
    assert (refused.rule, refused.limit) == ("rpm", limit)
    assert 1 <= refused.until_ms <= 1_000


async def test_exactly_the_limit_fits_at_once(caller: Caller, functions: MoneyFunctions) -> None:
    account = await open_account(functions)
    key = relay_key(account, limits=KeyLimits(rpm=7))
    granted = [await caller.granted(claim(account, key, 0)) for _ in range(7)]
    assert [answer.rpm_left for answer in granted] == [6, 5, 4, 3, 2, 1, 0]
    refused = await caller.refused(claim(account, key, 0))
    assert refused.used == 7
    assert 8_000 < refused.until_ms <= 8_572


async def test_nothing_fits_a_limit_of_nothing(caller: Caller, functions: MoneyFunctions) -> None:
    account = await open_account(functions)
    for limits in (KeyLimits(rpm=0), KeyLimits(tpm=0), KeyLimits(concurrency=0)):
        assert (await caller.refused(claim(account, relay_key(account, limits=limits)))).limit == 0


async def test_tokens_are_corrected_when_they_are_known(caller: Caller, functions: MoneyFunctions) -> None:
    account = await open_account(functions)
    key = relay_key(account, limits=KeyLimits(tpm=1_000))
    first = claim(account, key, 0, tokens=900)
    assert (await caller.granted(first)).tpm_left in {100, 101}
    assert (await caller.refused(claim(account, key, 0, tokens=200))).rule == "tpm"
    await caller.settle(first, 0, tokens=100)
    assert 700 <= (await caller.granted(claim(account, key, 0, tokens=200))).tpm_left <= 710
    more = claim(account, key, 0, tokens=10)
    await caller.granted(more)
    await caller.settle(more, 0, tokens=2_000)
    refused = await caller.refused(claim(account, key, 0, tokens=1))
    assert refused.until_ms > 60_000  # the debt is more than a minute's worth


async def test_a_request_larger_than_the_limit_needs_all_of_it(caller: Caller, functions: MoneyFunctions) -> None:
    account = await open_account(functions)
    key = relay_key(account, limits=KeyLimits(tpm=1_000))
    assert (await caller.granted(claim(account, key, 0, tokens=50_000))).tpm_left == 0
    assert (await caller.refused(claim(account, key, 0, tokens=1))).rule == "tpm"


async def test_concurrency_is_freed_by_settling_and_by_posting(caller: Caller, functions: MoneyFunctions) -> None:
    account = await open_account(functions)
    key = relay_key(account, limits=KeyLimits(concurrency=2))
    first, second = claim(account, key, 0), claim(account, key, 0)
    await caller.granted(first)
    await caller.granted(second)
    refused = await caller.refused(claim(account, key, 0))
    assert (refused.rule, refused.limit, refused.used) == ("concurrency", 2, 2)
    await caller.settle(first, 0)
    third = claim(account, key, 0)
    await caller.granted(third)
    await functions.post(account.id, 1, 0, scopes={}, request_ids=[second.request_id])
    await caller.granted(claim(account, key, 0))
    assert (await caller.refused(claim(account, key, 0))).rule == "concurrency"


async def test_a_refusal_takes_nothing_of_any_limit(caller: Caller, functions: MoneyFunctions) -> None:
    account = await open_account(functions, credit=1_000)
    key = relay_key(account, Budget(amount_nano=500), limits=KeyLimits(rpm=10, tpm=100, concurrency=1))
    await caller.granted(claim(account, key, 100))
    for _ in range(20):
        assert (await caller.refused(claim(account, key, 100))).rule == "concurrency"
    state = await functions.balances(account.id)
    assert state.account.reserved == 100
