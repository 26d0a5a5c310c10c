"""The money functions inside a real Redis."""

import asyncio
import datetime as dt
import time

import pytest
import redis.asyncio

from oneapi.catalog.types import Account, Budget, KeyLimits, RelayKey
from oneapi.runtime import redis_functions
from oneapi.runtime.redis_functions import Commands, Counters, HeldReservation, MoneyFunctions
from services.edge.money import reserve_call
from services.edge.money.claim import Claim
from services.edge.money.redis_link import RedisLink
from services.edge.money.reserve_call import Answer, Granted, NotOpen, Refused, ReserveCalls, WrongTime
from tests.integration.edge_money.accounts import claim, open_account, relay_key
from tests.servers import unique_name


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Caller:
    """Reserves and settles as an edge does, over its own kind of connection."""

    def __init__(self, link: RedisLink, now_ms: int = 0) -> None:
        self.link = link
        self.calls = ReserveCalls("edge_1", lambda: now_ms or wall_ms())

    async def reserve(self, wanted: Claim, not_after_ms: int = 0) -> Answer:
        return reserve_call.answer(await self.link.call(self.calls.reserve(wanted, not_after_ms)))

    async def granted(self, wanted: Claim) -> Granted:
        answer = await self.reserve(wanted)
        assert isinstance(answer, Granted), answer
        return answer

    async def refused(self, wanted: Claim) -> Refused:
        answer = await self.reserve(wanted)
        assert isinstance(answer, Refused), answer
        return answer

    async def settle(self, wanted: Claim, amount: int, tokens: int = 0) -> int:
        command = reserve_call.settle(wanted.account.id, wanted.key.id, wanted.request_id, amount, tokens)
        return int(await self.link.call(command))


@pytest.fixture
async def caller(redis_url: str):  # type: ignore[no-untyped-def]
    link = RedisLink(redis_url)
    yield Caller(link)
    await link.close()


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


# Rates ------------------------------------------------------------------------------------------------------------


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


# Rebuilding -------------------------------------------------------------------------------------------------------


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


# Extending --------------------------------------------------------------------------------------------------------


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
