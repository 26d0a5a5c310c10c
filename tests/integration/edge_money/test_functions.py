"""The money functions inside a real Redis."""

import asyncio
import datetime as dt

import pytest
import redis.asyncio

from oneapi.catalog.types import Account, Budget, KeyLimits, RelayKey
from oneapi.runtime import redis_functions
from oneapi.runtime.redis_functions import Commands, Counters, MoneyFunctions
from services.edge.money.redis_link import RedisLink
from services.edge.money.reserve_call import Granted, NotOpen, Refused, ReserveCalls, WrongTime
from tests.integration.edge_money.accounts import claim, open_account, relay_key
from tests.integration.edge_money.caller import Caller, wall_ms
from tests.servers import unique_name


async def test_a_missing_library_is_loaded_and_a_newer_one_stays(client: Commands) -> None:
    await client.execute_command("FUNCTION", "DELETE", "oneapi")
    functions = MoneyFunctions(client)
    assert (await functions.balances(unique_name("acc"))).epoch == ""
    text = redis_functions.source()
    newer = text.replace(f"local VERSION = {redis_functions.version(text)}", "local VERSION = 99")
    await client.execute_command("FUNCTION", "LOAD", "REPLACE", newer)
    await redis_functions.ensure(client)
    assert await client.execute_command("FCALL", "oneapi_version", 0) == 99
    await client.execute_command("FUNCTION", "LOAD", "REPLACE", redis_functions.source())


async def test_an_account_that_is_not_open_is_refused(caller: Caller, functions: MoneyFunctions) -> None:
    account = Account(id=unique_name("acc"), name="", unlimited=True)
    key = relay_key(account)
    assert isinstance(await caller.reserve(claim(account, key)), NotOpen)
    await functions.rebuild(account.id, "nonce", 1)
    answer = await caller.reserve(claim(account, key))
    assert isinstance(answer, NotOpen)
    assert answer.rebuild_id == "nonce"


async def test_exactly_as_many_fit_as_the_credit_allows(caller: Caller, functions: MoneyFunctions) -> None:
    account = await open_account(functions, credit=1_000)
    key = relay_key(account)
    answers = await asyncio.gather(*[caller.reserve(claim(account, key, 100)) for _ in range(64)])
    assert sum(isinstance(answer, Granted) for answer in answers) == 10
    refused = next(answer for answer in answers if isinstance(answer, Refused))
    assert (refused.rule, refused.limit, refused.used) == ("credits", 1_000, 1_000)
    assert (await functions.balances(account.id)).account == Counters(0, 0, 1_000)


async def test_exactly_as_many_fit_into_a_budget_from_many_connections(
    redis_url: str, functions: MoneyFunctions
) -> None:
    account = await open_account(functions)
    key = relay_key(account, Budget(amount_nano=700, window="day"))
    links = [RedisLink(redis_url) for _ in range(4)]
    callers = [Caller(link) for link in links]
    answers = await asyncio.gather(*[callers[n % 4].reserve(claim(account, key, 50)) for n in range(100)])
    for link in links:
        await link.close()
    assert sum(isinstance(answer, Granted) for answer in answers) == 14
    refused = next(answer for answer in answers if isinstance(answer, Refused))
    assert refused.rule == "budget"
    assert refused.scope == f"key:{key.id}:day:{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    assert 0 < refused.until_ms - wall_ms() <= 86_400_000


async def test_a_repeated_reservation_is_taken_once(caller: Caller, functions: MoneyFunctions) -> None:
    account = await open_account(functions, credit=100)
    key = relay_key(account, Budget(amount_nano=100), limits=KeyLimits(rpm=1, tpm=10, concurrency=1))
    wanted = claim(account, key, 100)
    first = await caller.granted(wanted)
    again = await caller.granted(wanted)
    assert (again.reserved_at_ms, again.lease_end_ms, again.scopes, again.hard) == (
        first.reserved_at_ms, first.lease_end_ms, first.scopes, True,
    )  # fmt: skip
    state = await functions.balances(account.id, first.scopes)
    assert state.account == Counters(0, 0, 100)
    assert state.scopes[first.scopes[0]] == Counters(0, 0, 100)


async def test_settling_turns_the_reservation_into_what_it_cost_once(caller: Caller, functions: MoneyFunctions) -> None:
    account = await open_account(functions, credit=1_000)
    key = relay_key(account, Budget(amount_nano=900))
    wanted = claim(account, key, 100)
    scopes = (await caller.granted(wanted)).scopes
    assert await caller.settle(wanted, 101) == -1
    assert await caller.settle(wanted, 60) == 1
    assert await caller.settle(wanted, 60) == 0
    state = await functions.balances(account.id, scopes)
    assert state.account == state.scopes[scopes[0]] == Counters(0, 60, 0)


async def test_without_a_limit_more_than_the_reservation_may_be_settled(
    caller: Caller, functions: MoneyFunctions
) -> None:
    account = await open_account(functions)
    wanted = claim(account, relay_key(account), 100)
    assert not (await caller.granted(wanted)).hard
    assert await caller.settle(wanted, 250) == 1
    assert (await functions.balances(account.id)).account == Counters(0, 250, 0)


async def test_posting_sets_sums_and_closes_reservations_of_any_state(
    caller: Caller, functions: MoneyFunctions
) -> None:
    account = await open_account(functions, credit=1_000)
    key = relay_key(account, Budget(amount_nano=900), limits=KeyLimits(concurrency=5))
    settled, pending, other = [claim(account, key, 100) for _ in range(3)]
    for wanted in (settled, pending, other):
        scope = (await caller.granted(wanted)).scopes[0]
    await caller.settle(settled, 60)
    rids = [settled.request_id, pending.request_id, "unknown"]
    for _ in range(2):  # a repeated post changes nothing
        closed = await functions.post(account.id, 2, 130, scopes={scope: 130}, request_ids=rids, credits=2_000)
    assert closed == 0
    state = await functions.balances(account.id, [scope])
    assert state.account == state.scopes[scope] == Counters(130, 0, 100)
    assert state.credits == 2_000
    assert await functions.post(account.id, 1, 0, scopes={}, request_ids=[]) == -1
    assert await functions.post(unique_name("acc"), 1, 0, scopes={}, request_ids=[]) == -2


async def test_closing_in_parts_counts_nothing_twice_and_forgets_nothing(
    caller: Caller, functions: MoneyFunctions
) -> None:
    account = await open_account(functions, credit=1_000)
    key = relay_key(account, Budget(amount_nano=900))
    settled, pending, last = [claim(account, key, 100) for _ in range(3)]
    for wanted in (settled, pending, last):
        scope = (await caller.granted(wanted)).scopes[0]
    await caller.settle(settled, 60)
    parts = ([settled.request_id], [pending.request_id, settled.request_id])
    for request_ids, posted, unposted, reserved in ((parts[0], 60, 0, 200), (parts[1], 160, 0, 100)):
        assert await functions.post(account.id, 2, None, scopes={}, request_ids=request_ids) == 1
        state = await functions.balances(account.id, [scope])
        assert state.account == state.scopes[scope] == Counters(posted, unposted, reserved)
    assert await functions.post(account.id, 2, 150, scopes={scope: 150}, request_ids=[last.request_id]) == 1
    state = await functions.balances(account.id, [scope])
    assert state.account == state.scopes[scope] == Counters(150, 0, 0)


async def test_a_scope_is_forgotten_only_when_nothing_is_open_in_it(
    caller: Caller, functions: MoneyFunctions, client: redis.asyncio.Redis
) -> None:
    account = await open_account(functions)
    wanted = claim(account, relay_key(account, Budget(amount_nano=900)), 100)
    scope = (await caller.granted(wanted)).scopes[0]
    await functions.post(account.id, 1, 0, scopes={scope: 5}, request_ids=[])
    await functions.post(account.id, 1, 0, scopes={scope: None}, request_ids=[])
    assert (await functions.balances(account.id, [scope])).scopes[scope].posted == 5
    await functions.post(account.id, 1, 0, scopes={scope: None}, request_ids=[wanted.request_id])
    fields = await client.hkeys(redis_functions.balance_key(account.id))
    assert sorted(fields) == [b"credits", b"epoch", b"posted", b"pver"]


async def test_two_budgets_over_one_period_are_one_counter(caller: Caller, functions: MoneyFunctions) -> None:
    account = await open_account(functions)
    key = relay_key(account, Budget(amount_nano=500), Budget(amount_nano=150))
    scopes = (await caller.granted(claim(account, key, 100))).scopes
    assert len(scopes) == 1
    assert (await caller.refused(claim(account, key, 100))).limit == 150
    assert (await functions.balances(account.id, scopes)).scopes[scopes[0]].reserved == 100


async def test_a_prepaid_account_with_nothing_left_is_refused_even_what_is_free(
    caller: Caller, functions: MoneyFunctions
) -> None:
    account = await open_account(functions, credit=100)
    key = relay_key(account)
    await caller.granted(claim(account, key, 0))
    await caller.granted(claim(account, key, 100))
    assert (await caller.refused(claim(account, key, 0))).rule == "credits"


async def test_large_amounts_stay_exact(caller: Caller, functions: MoneyFunctions) -> None:
    limit = 9_000_000_000_000_000
    account = await open_account(functions, credit=limit)
    key = relay_key(account, Budget(amount_nano=limit))
    scopes = (await caller.granted(claim(account, key, limit - 1))).scopes
    await caller.granted(claim(account, key, 1))
    assert (await caller.refused(claim(account, key, 1))).used == limit
    assert (await functions.balances(account.id, scopes)).scopes[scopes[0]].reserved == limit


@pytest.mark.parametrize("hours", [-24, 0, 24])
async def test_redis_decides_the_period_whatever_the_edge_believes(
    caller: Caller, functions: MoneyFunctions, hours: int
) -> None:
    account = await open_account(functions)
    key = relay_key(account, Budget(amount_nano=500, window="day"))
    skewed = Caller(caller.link, wall_ms() + hours * 3_600_000)
    before = dt.datetime.now(dt.UTC).date()
    scope = (await skewed.granted(claim(account, key, 1))).scopes[0]
    assert scope in {f"key:{key.id}:day:{day}" for day in (before, dt.datetime.now(dt.UTC).date())}


@pytest.mark.parametrize("days", [-3, 3])
async def test_a_clock_that_is_periods_away_is_refused(caller: Caller, functions: MoneyFunctions, days: int) -> None:
    account = await open_account(functions)
    key = relay_key(account, Budget(amount_nano=500, window="day"))
    skewed = Caller(caller.link, wall_ms() + days * 86_400_000)
    assert isinstance(await skewed.reserve(claim(account, key, 1)), WrongTime)


async def test_a_call_that_arrives_too_late_takes_nothing(caller: Caller, functions: MoneyFunctions) -> None:
    account = await open_account(functions)
    answer = await caller.reserve(claim(account, relay_key(account)), not_after_ms=wall_ms() - 1_000)
    assert isinstance(answer, WrongTime)
    assert (await functions.balances(account.id)).account == Counters()


async def test_an_extension_is_checked_and_taken_once(caller: Caller, functions: MoneyFunctions) -> None:
    account = await open_account(functions, credit=1_000)
    key = relay_key(account, Budget(amount_nano=300))
    wanted = claim(account, key, 100)
    scope = (await caller.granted(wanted)).scopes[0]

    async def extend(extra: int, turn: int) -> tuple[str, ...]:
        return await functions.extend(
            account.id, wanted.request_id, extra, turn, limits={scope: 300}, unlimited=account.unlimited
        )

    assert await extend(50, 2) == ("order",)
    assert await extend(50, 1) == await extend(50, 1) == ("ok", "150")
    assert await extend(151, 2) == await extend(151, 2) == ("no", "budget", "300", "150", scope)
    assert await extend(150, 3) == ("ok", "300")
    assert (await functions.balances(account.id, [scope])).scopes[scope] == Counters(0, 0, 300)
    assert await caller.settle(wanted, 299) == 1
    assert await extend(1, 4) == ("gone",)


def test_the_key_is_only_a_name() -> None:
    account = Account(id="a", name="")
    key = RelayKey(id="k", name="", account_id="a")
    packed = ReserveCalls("e", lambda: 0).reserve(claim(account, key), 0)
    assert packed.startswith(b"*23\r\n$5\r\nFCALL\r\n$14\r\noneapi_reserve\r\n$1\r\n6\r\n$5\r\nb:{a}\r\n")
