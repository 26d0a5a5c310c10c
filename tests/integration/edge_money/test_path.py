"""The whole path, on a real Redis and a real bus."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import nats
import pytest
import redis.asyncio

from oneapi.bus import subjects
from oneapi.bus.publisher import BusUnavailable
from oneapi.catalog.types import Account, Budget, KeyLimits
from oneapi.dialects.errors import GatewayError
from oneapi.runtime.redis_functions import Counters, MoneyFunctions, balance_key
from services.edge.money import path as subject
from services.edge.money.path import Ending, MoneyPath
from tests.integration.edge_money.accounts import RATES, claim, open_account, relay_key
from tests.integration.edge_money.edges import edge, until
from tests.integration.edge_money.fault_proxy import FaultProxy
from tests.servers import unique_name

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OK = Ending("ok", {"input": 10, "output": 20, "per_call": 1}, "provider", "p1", RATES, "ch_1", 200, 5)
COST = 10 + 40 + 5_000


def ending() -> Ending:
    return msgspec.structs.replace(OK)


@pytest.fixture
async def proxy(redis_url: str) -> AsyncIterator[FaultProxy]:
    found = FaultProxy(redis_url)
    await found.start()
    yield found
    await found.close()


async def test_a_request_from_its_claim_to_the_stream(
    nats_url: str, redis_url: str, functions: MoneyFunctions, tmp_path: Path
) -> None:
    account = await open_account(functions, credit=1_000_000)
    key = relay_key(account, Budget(amount_nano=500_000, window="day"), limits=KeyLimits(rpm=60, tpm=1_000))
    async with edge(nats_url, redis_url, tmp_path, unique_name("edge")) as (path, stream):
        hold = await path.begin(claim(account, key, 6_000, traceparent=TRACEPARENT))
        assert (hold.reserved_nano, hold.hard, len(hold.scopes)) == (6_000, True, 1)
        assert dict(hold.rate_headers)[b"x-ratelimit-remaining-requests"] == b"59"
        assert (await functions.balances(account.id, hold.scopes)).scopes[hold.scopes[0]] == Counters(0, 0, 6_000)
        hold.attempt("ch_1", "upstream-model").done(200, "ok")
        charge = hold.finish(ending())
        assert (charge.amount_nano, charge.house_nano) == (COST, 0)
        event = await stream.event(hold.request_id)
        assert (event.event_id, event.amount_nano, event.outcome) == (f"{hold.request_id}:final", COST, "ok")
        assert (event.edge_id, event.traceparent) == (path.edge_id, TRACEPARENT)
        assert event.reserved_at_ms == hold.reserved_at_ms
        assert list(event.scopes) == list(hold.scopes)
        state = await functions.balances(account.id, hold.scopes)
        assert state.account == state.scopes[hold.scopes[0]] == Counters(0, COST, 0)


async def test_exactly_as_many_are_admitted_as_fit(
    nats_url: str, redis_url: str, functions: MoneyFunctions, tmp_path: Path
) -> None:
    account = await open_account(functions, credit=1_000)
    key = relay_key(account)
    async with edge(nats_url, redis_url, tmp_path, unique_name("edge")) as (path, _):
        begun = await asyncio.gather(*[path.begin(claim(account, key, 100)) for _ in range(64)], return_exceptions=True)
        refused = [error for error in begun if isinstance(error, GatewayError)]
        assert (len(begun) - len(refused), {error.status for error in refused}) == (10, {402})
        assert len(path._open) == 10


async def test_drop_of_every_reply_leaves_no_money_held(
    nats_url: str, proxy: FaultProxy, functions: MoneyFunctions, tmp_path: Path
) -> None:
    account = await open_account(functions, credit=1_000)
    key = relay_key(account)
    async with edge(nats_url, proxy.url, tmp_path, unique_name("edge")) as (path, stream):
        (await path.begin(claim(account, key, 100))).finish(Ending("void"))
        proxy.drop_replies = True
        wanted = claim(account, key, 100)
        begun = time.monotonic()
        with pytest.raises(GatewayError) as caught:
            await path.begin(wanted)
        assert time.monotonic() - begun < 2
        assert (caught.value.status, caught.value.code) == (503, "quota_unavailable")
        assert caught.value.retry_after_s
        proxy.drop_replies = False
        proxy.cut()
        event = await stream.event(wanted.request_id)
        assert (event.outcome, event.amount_nano, event.reserved_nano) == ("void", 0, 0)

        async def free() -> bool:
            # Settling reached Redis, or billing closes it with the void event; nothing else may be left of it.
            await functions.post(account.id, 1, 0, scopes={}, request_ids=[wanted.request_id])
            return (await functions.balances(account.id)).account == Counters()

        await until(free)
        (await path.begin(claim(account, key, 1_000))).finish(Ending("void"))


async def test_one_lost_reply_is_asked_for_again(
    nats_url: str, proxy: FaultProxy, functions: MoneyFunctions, tmp_path: Path
) -> None:
    account = await open_account(functions, credit=1_000)
    key = relay_key(account)
    async with edge(nats_url, proxy.url, tmp_path, unique_name("edge")) as (path, _):
        (await path.begin(claim(account, key, 0))).finish(Ending("void"))
        proxy.drop_replies = True
        task = asyncio.create_task(path.begin(claim(account, key, 1_000)))

        async def taken() -> bool:
            return (await functions.balances(account.id)).account.reserved == 1_000

        await until(taken)
        proxy.drop_replies = False
        proxy.cut()
        hold = await task
        assert (await functions.balances(account.id)).account == Counters(0, 0, 1_000)
        hold.finish(Ending("void"))


async def test_redis_away_is_a_quick_503_and_comes_back(
    nats_url: str, proxy: FaultProxy, functions: MoneyFunctions, tmp_path: Path
) -> None:
    account = await open_account(functions, credit=1_000_000)
    key = relay_key(account)
    async with edge(nats_url, proxy.url, tmp_path, unique_name("edge")) as (path, stream):
        running = await path.begin(claim(account, key, 6_000))
        running.attempt("ch_1", "m")
        proxy.refuse = True
        proxy.cut()
        begun = time.monotonic()
        results = await asyncio.gather(*[path.begin(claim(account, key)) for _ in range(50)], return_exceptions=True)
        assert time.monotonic() - begun < 2
        assert all(isinstance(error, GatewayError) and error.status == 503 for error in results)
        assert running.finish(ending()).amount_nano == COST
        assert (await stream.event(running.request_id)).amount_nano == COST
        proxy.refuse = False

        async def settled() -> bool:
            # What ended meanwhile is settled as soon as Redis is back, at the next look at its clock.
            return (await functions.balances(account.id)).account == Counters(0, COST, 0)

        await until(settled)
        (await path.begin(claim(account, key))).finish(Ending("void"))


async def test_a_cancelled_admission_is_void(
    nats_url: str, proxy: FaultProxy, functions: MoneyFunctions, tmp_path: Path
) -> None:
    account = await open_account(functions, credit=1_000)
    key = relay_key(account)
    async with edge(nats_url, proxy.url, tmp_path, unique_name("edge")) as (path, stream):
        wanted = claim(account, key, 100)
        proxy.drop_replies = True
        task = asyncio.create_task(path.begin(wanted))
        await until(lambda: len(path._open) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await stream.event(wanted.request_id)).outcome == "void"
        assert len(path._open) == 0


async def test_a_lost_acknowledgement_stores_the_range_once(
    nats_url: str, redis_url: str, functions: MoneyFunctions, tmp_path: Path
) -> None:
    account = await open_account(functions)
    key = relay_key(account)
    async with edge(nats_url, redis_url, tmp_path, unique_name("edge")) as (path, stream):
        real, lost = path._shipper._publish, [3]

        async def lose(payload: bytes, message_id: str) -> object:
            await real(payload, message_id)
            if lost[0]:
                lost[0] -= 1
                raise BusUnavailable("the acknowledgement was lost")
            return None

        path._shipper._publish = lose
        holds = [await path.begin(claim(account, key)) for _ in range(5)]
        for hold in holds:
            hold.finish(ending())
        assert await path._shipper.drain(10)
        await stream.read()
        assert lost == [0]
        assert [event.request_id for event in stream.events] == [hold.request_id for hold in holds]


async def test_an_unknown_account_is_asked_for_and_waited_for(
    nats_url: str, redis_url: str, functions: MoneyFunctions, tmp_path: Path
) -> None:
    account = Account(id=unique_name("acc"), name="", unlimited=True)
    billing = await nats.connect(nats_url)
    opened: list[str] = []

    async def open_it(message: object) -> None:
        if not opened:
            opened.append(account.id)
            await open_account(functions, account_id=account.id)

    await billing.subscribe(subjects.BILLING_OPEN + account.id, cb=open_it)
    await billing.flush()
    async with edge(nats_url, redis_url, tmp_path, unique_name("edge")) as (path, _):
        (await path.begin(claim(account, relay_key(account)))).finish(Ending("void"))
        stranger = Account(id=unique_name("acc"), name="", unlimited=True)
        with pytest.raises(GatewayError) as caught:
            await path.begin(claim(stranger, relay_key(stranger)))
        assert (caught.value.status, caught.value.code) == (503, "quota_unavailable")
    assert opened == [account.id]
    await billing.close()


async def test_a_lost_redis_is_answered_with_a_marker_that_names_what_is_open(
    nats_url: str, redis_url: str, functions: MoneyFunctions, client: redis.asyncio.Redis, tmp_path: Path
) -> None:
    account = await open_account(functions, credit=1_000_000)
    key = relay_key(account, Budget(amount_nano=900_000))
    billing = await nats.connect(nats_url)
    async with edge(nats_url, redis_url, tmp_path, unique_name("edge")) as (path, stream):
        ended, running = await path.begin(claim(account, key, 6_000)), await path.begin(claim(account, key, 7_000))
        running.attempt("ch_1", "m")
        ended.finish(ending())
        await client.delete(balance_key(account.id))
        assert await functions.rebuild(account.id, "nonce-" + account.id, 1)
        request = {"account_id": account.id, "rebuild_id": "nonce-" + account.id}
        for _ in range(3):
            await billing.publish(subjects.EDGE_SYNC, msgspec.json.encode(request))

        async def marked() -> bool:
            await stream.read()
            return bool(stream.markers)

        await until(marked)
        (marker,) = stream.markers
        assert (marker.edge_id, marker.rebuild_id) == (path.edge_id, "nonce-" + account.id)
        assert [one.request_id for one in marker.open] == [running.request_id]
        assert (marker.open[0].amount_nano, list(marker.open[0].scopes)) == (7_000, list(running.scopes))
        before = [event.request_id for event in stream.events]
        assert before == [ended.request_id], "everything before the marker is in the stream"
        assert running.finish(ending()).amount_nano == COST
        assert (await stream.event(running.request_id)).amount_nano == COST
    await billing.close()


async def test_a_request_while_an_account_is_rebuilt_makes_the_marker_too(
    nats_url: str, redis_url: str, functions: MoneyFunctions, tmp_path: Path
) -> None:
    account = await open_account(functions)
    async with edge(nats_url, redis_url, tmp_path, unique_name("edge")) as (path, stream):
        await functions.rebuild(account.id, "n-" + account.id, 1)
        task = asyncio.create_task(path.begin(claim(account, relay_key(account))))

        async def marked() -> bool:
            await stream.read()
            return bool(stream.markers)

        await until(marked)
        assert len(stream.markers[0].open) == 0, "it isn't granted yet"
        await functions.open(account.id, "n-" + account.id, epoch="e2", pver=1, credits=0, posted=0, scopes={})
        (await task).finish(Ending("void"))


async def test_an_edge_is_on_the_list_until_its_spool_is_empty(
    nats_url: str, redis_url: str, functions: MoneyFunctions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "REGISTER_AGAIN_S", 0.01)
    account = await open_account(functions)
    client = await nats.connect(nats_url)
    edge_id = unique_name("edge")

    async def registered() -> bool:
        bucket = await client.jetstream().key_value(subjects.BUCKET_STATE)
        try:
            return (await bucket.get(f"edge.{edge_id}")).value is not None
        except nats.js.errors.KeyNotFoundError:
            return False

    async with edge(nats_url, redis_url, tmp_path, edge_id) as (path, stream):
        assert await registered()
        hold = await path.begin(claim(account, relay_key(account)))
        await path.drain(0.2)
        assert await registered(), "something is open still"
        with pytest.raises(GatewayError):
            await path.begin(claim(account, relay_key(account)))
        hold.finish(ending())
        await path.drain(10)
        for _ in range(10):
            assert not await registered(), "and it stays off"
            await asyncio.sleep(0.01)
        await stream.read()
        assert [event.request_id for event in stream.events] == [hold.request_id]
    async with edge(nats_url, redis_url, tmp_path, "another") as (path, _):
        assert path.edge_id == edge_id
        assert await registered()
    await client.close()


async def test_abandoning_charges_nothing(
    nats_url: str, redis_url: str, functions: MoneyFunctions, tmp_path: Path
) -> None:
    account = await open_account(functions, credit=1_000)
    async with edge(nats_url, redis_url, tmp_path, unique_name("edge")) as (path, stream):
        hold = await path.begin(claim(account, relay_key(account), 1_000))
        assert (await path.abandon(hold)).amount_nano == 0
        assert (await stream.event(hold.request_id)).outcome == "void"
        assert (await functions.balances(account.id)).account == Counters()


async def test_a_full_spool_admits_nothing_and_says_why(
    nats_url: str, redis_url: str, functions: MoneyFunctions, tmp_path: Path
) -> None:
    account = await open_account(functions)
    client = await nats.connect(nats_url)
    path = MoneyPath(spool_dir=tmp_path, redis_url=redis_url, nats=client, max_bytes=50)
    assert path.accepting
    await path.start()
    assert "full" in path._spool.trouble
    with pytest.raises(GatewayError) as caught:
        await path.begin(claim(account, relay_key(account)))
    assert (caught.value.status, caught.value.code) == (503, "usage_log_unavailable")
    await path.stop()
    await client.close()
