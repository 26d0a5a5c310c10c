"""Accounts in Redis: new ones open at once, lost ones behind the barrier, and no hold stays for ever."""

import asyncio
import time

import msgspec
import pytest
from nats.aio.msg import Msg

from oneapi.bus.subjects import BILLING_OPEN, EDGE_SYNC
from oneapi.runtime.ids import uuid7
from oneapi.runtime.redis_functions import MoneyFunctions, balance_key, leases_key
from proto.events.v1.events_pb2 import OpenReservation
from services.billing.redis_tail import MARK_KEY
from tests.integration.billing.world import NEVER, QUICK, World, marker, receipt, until, usage_event

ACCOUNT = "acc_1"


class PlayedEdge:
    """An edge that answers requests for its marker with what it holds."""

    def __init__(self, world: World, edge_id: str) -> None:
        self.world = world
        self.edge_id = edge_id
        self.held: list[OpenReservation] = []
        self.asked: list[str] = []
        self.answers = asyncio.Event()
        self._marked: set[str] = set()

    async def start(self, *, answers: bool = True) -> "PlayedEdge":
        await self.world.edge(self.edge_id)
        if answers:
            self.answers.set()
        await self.world.nats.subscribe(EDGE_SYNC, cb=self._asked)
        await self.world.nats.flush()
        return self

    async def _asked(self, message: Msg) -> None:
        request = msgspec.json.decode(message.data)
        self.asked.append(request["rebuild_id"])
        if self.answers.is_set() and request["rebuild_id"] not in self._marked:
            self._marked.add(request["rebuild_id"])
            await self.world.ship(
                syncs=[marker(request["account_id"], request["rebuild_id"], self.edge_id, *self.held)]
            )


def held_request(amount_nano: int, *scopes: str) -> OpenReservation:
    now_ms = time.time_ns() // 1_000_000
    return OpenReservation(
        request_id=uuid7(),
        amount_nano=amount_nano,
        scopes=scopes,
        lease_end_ms=now_ms + 60_000,
        key_id="key_1",
        model="m",
        reserved_at_ms=now_ms,
    )


async def test_a_new_account_opens_at_once_even_with_edges_that_are_silent(world: World) -> None:
    await world.edge("silent")
    await world.writer()
    began = time.monotonic()
    await world.opened(ACCOUNT)
    assert time.monotonic() - began < 5
    assert (await world.reserve(ACCOUNT, uuid7(), 1))[0] == "no"
    await world.credit(ACCOUNT, 1_000, "cr_1")

    async def granted() -> bool:
        return (await world.reserve(ACCOUNT, uuid7(), 10))[0] == "ok"

    await until(granted)


async def test_an_edge_may_ask_for_an_account(world: World) -> None:
    replica = await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    # Redis loses one account, and nobody waits for the next look.
    await world.redis.delete(balance_key(ACCOUNT))
    await world.nats.publish(BILLING_OPEN + ACCOUNT, b"")
    await until(lambda: world.is_open(ACCOUNT))
    assert replica.service.writing


async def test_after_a_flush_what_edges_hold_is_put_back_before_anything_is_admitted(world: World) -> None:
    replica = await world.writer()
    await world.opened(ACCOUNT)
    scope = "key:key_1:total"
    await world.credit(ACCOUNT, 1_000_000, "cr_1")
    booked = usage_event(ACCOUNT, scopes=[scope])
    await world.ship(booked)
    await until(world.drained)
    one = await PlayedEdge(world, "one").start()
    two = await PlayedEdge(world, "two").start(answers=False)
    one.held = [held_request(300_000, scope), held_request(200_000)]
    # Held by the edge when it marks, and already in the ledger: it must not be held twice.
    ended = usage_event(ACCOUNT)
    late = held_request(400_000)
    late.request_id = ended.request_id
    two.held = [late]
    await world.ship(ended)
    await world.redis.flushall()
    await until(lambda: _true(len(two.asked) >= 2))
    assert not await world.is_open(ACCOUNT), "an edge that hasn't answered may hold anything"
    assert (await world.reserve(ACCOUNT, uuid7(), 1))[0] == "uninit"
    two.answers.set()
    await until(lambda: world.is_open(ACCOUNT))
    state = await world.money.balances(ACCOUNT, [scope])
    assert state.credits == 1_000_000
    assert state.account.posted == booked.amount_nano + ended.amount_nano
    assert state.account.reserved == 500_000
    assert (state.scopes[scope].posted, state.scopes[scope].reserved) == (booked.amount_nano, 300_000)
    # What was put back ends as any other.
    final = usage_event(ACCOUNT, request_id=one.held[0].request_id, scopes=[scope], reserved_nano=300_000)
    await world.ship(final)
    await until(lambda: receipt(replica, final.request_id))
    await until(lambda: _reserved(world, 200_000))


async def test_what_waits_in_the_stream_is_booked_before_an_account_opens_again(world: World) -> None:
    """No edge is on the list any more, and the writer was down: the backlog counts all the same."""
    first = await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    await world.stop(first)
    events = [usage_event(ACCOUNT) for _ in range(20)]
    for event in events:
        await world.ship(event)
    await world.redis.flushall()
    await world.writer(name="replica-2")
    await until(lambda: world.is_open(ACCOUNT))
    # Not a moment in between without them.
    assert (await world.money.balances(ACCOUNT)).account.posted == sum(event.amount_nano for event in events)


async def test_a_flush_in_the_middle_of_a_rebuild_begins_it_anew(world: World) -> None:
    await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    edge = await PlayedEdge(world, "one").start(answers=False)
    await world.redis.flushall()
    await until(lambda: _true(bool(edge.asked)))
    await world.redis.flushall()
    edge.held = [held_request(5_000)]
    edge.answers.set()
    await until(lambda: world.is_open(ACCOUNT))
    state = await world.money.balances(ACCOUNT)
    assert state.account.reserved == 5_000
    assert len(set(edge.asked)) >= 2


async def test_an_edge_that_never_comes_back_is_waited_for_only_so_long(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.writer(barrier_s=1.0)
    await world.opened(ACCOUNT, unlimited=True)
    await world.edge("gone")
    await world.redis.flushall()
    await until(lambda: world.is_open(ACCOUNT))
    assert "without the markers of some edges" in caplog.text


async def test_a_redis_that_went_back_in_time_is_built_anew(world: World) -> None:
    await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    event = usage_event(ACCOUNT)
    await world.ship(event)
    await until(world.drained)
    before = (await world.money.balances(ACCOUNT)).epoch
    # As if an older copy had been restored on another server: another run id, an older mark, older sums.
    bucket = await world.js.key_value("state")
    await until(lambda: _true(world.redis.get(MARK_KEY)))
    await world.redis.hset(balance_key(ACCOUNT), "posted", "0")

    async def seen_as_another_server() -> bool:
        await bucket.put("billing.redis", msgspec.json.encode({"run_id": "another", "mark": 10**9}))
        return True

    # A writer that starts reads what the last one wrote.
    for replica in list(world.replicas):
        await world.stop(replica)
    await seen_as_another_server()
    await world.redis.set(MARK_KEY, 5)
    await world.writer(name="replica-2")

    async def anew() -> bool:
        state = await world.money.balances(ACCOUNT)
        return state.epoch not in {"", before} and state.account.posted == event.amount_nano

    await until(anew)


async def test_a_reservation_whose_edge_died_is_charged_as_a_hold_until_it_comes_back(world: World) -> None:
    replica = await world.writer(pace=QUICK)
    await world.opened(ACCOUNT)
    scope = "key:key_1:total"
    await world.credit(ACCOUNT, 1_000_000, "cr_1")

    async def granted() -> list[str] | None:
        answer = await world.reserve(ACCOUNT, rid, 70_000, lease_ms=-61_000, scopes={scope: 500_000})
        return answer if answer[0] == "ok" else None

    rid = uuid7()
    answer = await until(granted)
    shown = await until(lambda: receipt(replica, rid))
    assert (shown["evidence"], shown["outcome"], shown["cost_usd"]) == ("hold", "recovered", "0.00007")
    await until(lambda: world.settled_state(ACCOUNT))
    assert (await world.money.balances(ACCOUNT, [scope])).scopes[scope].posted == 70_000
    # The edge comes back and has the request's true end.
    final = usage_event(
        ACCOUNT,
        request_id=rid,
        scopes=[scope],
        reserved_nano=70_000,
        reserved_at_ms=int(answer[2]),
        outcome="recovered",
    )
    await world.ship(final)
    await until(lambda: _charged(world, final.amount_nano))
    assert (await receipt(replica, rid) or {})["evidence"] == "provider"
    assert await world.redis.zcard(leases_key(ACCOUNT)) == 0


async def test_a_settled_request_on_its_way_is_no_hold(world: World) -> None:
    replica = await world.writer(pace=QUICK)
    await world.opened(ACCOUNT, unlimited=True)
    settled, pending = uuid7(), uuid7()
    for request_id in (settled, pending):
        await world.reserve(ACCOUNT, request_id, 70_000, lease_ms=-61_000, unlimited=True)
        if request_id == settled:
            await world.settle(ACCOUNT, settled, 10)
    await until(lambda: receipt(replica, pending))
    assert await receipt(replica, settled) is None
    assert (await world.money.balances(ACCOUNT)).account.unposted == 10


async def test_sums_that_are_wrong_are_found_and_put_right(world: World) -> None:
    await world.writer(pace=QUICK)
    await world.opened(ACCOUNT, unlimited=True)
    event = await world.serve(ACCOUNT)
    await until(lambda: world.settled_state(ACCOUNT))
    await world.redis.hset(
        balance_key(ACCOUNT),
        mapping={"posted": "1", "posted:key:key_1:day:2020-01-01": "5", "posted:key:key_1:total": "9"},
    )
    await until(lambda: world.settled_state(ACCOUNT))

    async def forgotten() -> bool:
        fields = await world.redis.hgetall(balance_key(ACCOUNT))
        return b"posted:key:key_1:day:2020-01-01" not in fields and fields[b"posted:key:key_1:total"] == b"0"

    await until(forgotten)
    assert (await world.money.balances(ACCOUNT)).account.posted == event.amount_nano


async def test_a_writer_after_the_bus_was_lost_is_not_refused(world: World) -> None:
    first = await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    # The lease's generation begins anew with the bucket, far below what Redis has seen.
    await world.redis.hset(balance_key(ACCOUNT), "pver", "1000000")
    await world.stop(first)
    await world.writer(pace=NEVER, name="replica-2")
    event = await world.serve(ACCOUNT)
    await until(lambda: world.settled_state(ACCOUNT))
    assert isinstance(world.money, MoneyFunctions)
    assert await world.charged(ACCOUNT) == event.amount_nano


async def _true(value: object) -> object:
    return await value if asyncio.iscoroutine(value) else value


async def _reserved(world: World, amount: int) -> bool:
    return (await world.money.balances(ACCOUNT)).account.reserved == amount


async def _charged(world: World, amount: int) -> bool:
    return await world.charged(ACCOUNT) == amount
