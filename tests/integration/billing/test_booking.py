"""From the bus to the ledger and to Redis: every event once, whatever is repeated or broken."""

from decimal import Decimal

from oneapi.bus import publisher
from oneapi.bus.subjects import STREAM_DEAD_LETTERS, USAGE
from oneapi.runtime.ids import uuid7
from tests.integration.billing.world import World, balance, receipt, until, usage_event

ACCOUNT = "acc_1"


async def test_a_request_becomes_a_receipt_and_its_reservation_is_closed(world: World) -> None:
    replica = await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    event = await world.serve(ACCOUNT, loss=["top_k"], trace_id="ab" * 16, user_id="usr_1")
    found = await until(lambda: receipt(replica, event.request_id), 5)
    assert found["request_id"] == event.request_id
    assert found["at"].endswith("Z")
    assert found["usage"] == {"input": 11, "output": 7}
    assert found["price"] == {"id": "price_1", "input": "0.0015", "output": "0.006001"}
    assert found["attempts"] == [{"channel": "ch_1", "upstream_model": "up", "status": 200, "outcome": "ok", "ms": 12}]
    assert found["loss"] == ["top_k"]
    assert sum(Decimal(line["amount_usd"]) for line in found["lines"]) == Decimal(found["cost_usd"])
    assert found["lines"][-1]["bucket"] == "rounding"
    assert Decimal(found["cost_usd"]) == Decimal(event.amount_nano) / 10**9
    await until(lambda: world.settled_state(ACCOUNT))
    shown = await balance(replica, ACCOUNT)
    assert shown.charged_nano == event.amount_nano
    assert await receipt(replica, event.request_id, account_id="acc_other") is None
    assert await receipt(replica, event.request_id, key_id="key_other") is None
    assert await receipt(replica, event.request_id, account_id=ACCOUNT, key_id="key_1") == found


async def test_an_event_in_many_batches_is_one_line(world: World) -> None:
    await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    events = [usage_event(ACCOUNT) for _ in range(4)]
    for first in range(4):
        # Other batches, other message ids: the bus takes none of these for a repetition.
        await world.ship(*events[first:], *events[:first])
    await until(world.drained)
    assert await world.lines(ACCOUNT) == 4
    assert await world.charged(ACCOUNT) == sum(event.amount_nano for event in events)
    assert (await world.query("SELECT count() FROM ledger"))[0][0] == 4
    await until(lambda: world.settled_state(ACCOUNT))


async def test_a_final_replaces_a_hold_whichever_comes_first(world: World) -> None:
    replica = await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    early, late = usage_event(ACCOUNT), usage_event(ACCOUNT)

    # A month earlier by another clock: it must still replace the hold, and stay in its partition.
    hold = usage_event(
        ACCOUNT,
        request_id=late.request_id,
        version=1,
        usage={},
        rates=None,
        evidence="hold",
        outcome="recovered",
        amount_nano=50_000,
        reserved_nano=50_000,
        reserved_at_ms=late.reserved_at_ms - 40 * 86_400_000,
    )
    await world.ship(hold)
    await until(world.drained)
    shown = await until(lambda: receipt(replica, late.request_id))
    assert shown["evidence"] == "hold"
    assert shown["lines"] == [{"bucket": "hold", "quantity": 1, "unit_price_usd": "0.00005", "amount_usd": "0.00005"}]
    await world.ship(late, early)
    await world.ship(hold)
    await until(world.drained)
    assert await world.charged(ACCOUNT) == early.amount_nano + late.amount_nano
    partitions = await world.query(
        "SELECT uniqExact(toYYYYMM(reserved_at)) FROM ledger WHERE request_id = {r:String}", r=late.request_id
    )
    assert partitions == [(1,)]
    await until(lambda: world.settled_state(ACCOUNT))


async def test_the_first_of_two_events_with_one_id_is_kept(world: World) -> None:
    await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    first = usage_event(ACCOUNT)
    other = usage_event(ACCOUNT, request_id=first.request_id, usage={"input": 1_000})
    await world.ship(first)
    await world.ship(other)
    await until(world.drained)
    assert await world.charged(ACCOUNT) == first.amount_nano


async def test_what_cannot_be_booked_is_put_aside_and_nothing_else(world: World) -> None:
    await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    good, bad = usage_event(ACCOUNT), usage_event(ACCOUNT)
    bad.amount_nano = -5
    await publisher.publish(world.js, USAGE, b"\xff\xff\xff", msg_id=uuid7())
    await publisher.publish(world.js, "ledger.unknown.v9", b"hello", msg_id=uuid7())
    await world.ship(bad, good)
    await until(world.drained)
    assert await world.lines(ACCOUNT) == 1
    letters = await world.js.stream_info(STREAM_DEAD_LETTERS)
    assert letters.state.messages == 3
    # What was put aside alone can be published as it is.
    last = await world.js.get_msg(STREAM_DEAD_LETTERS, letters.state.last_seq)
    assert last.data is not None
    assert bad.event_id.encode() in last.data
    assert good.event_id.encode() not in last.data


async def test_an_amount_that_usage_and_price_do_not_make_is_not_believed(world: World) -> None:
    await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    event = usage_event(ACCOUNT)
    right, event.amount_nano = event.amount_nano, 1
    await world.ship(event)
    await until(world.drained)
    assert await world.charged(ACCOUNT) == right


async def test_credits_reach_redis_once(world: World) -> None:
    replica = await world.writer()
    await world.opened(ACCOUNT)
    await world.credit(ACCOUNT, 5_000_000, "cr_1")
    await world.credit(ACCOUNT, -1_000_000, "cr_2")
    await until(world.drained)

    async def given() -> bool:
        return (await world.money.balances(ACCOUNT)).credits == 4_000_000

    await until(given)
    shown = await balance(replica, ACCOUNT)
    assert (shown.credits_nano, shown.charged_nano) == (4_000_000, 0)
    rows = await world.query("SELECT credit_id, toString(amount_usd), reason FROM credits ORDER BY credit_id")
    assert rows == [("cr_1", "0.005", "a test"), ("cr_2", "-0.001", "a test")]


async def test_budget_scopes_are_posted_and_reported(world: World) -> None:
    replica = await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    scopes = {"key:key_1:total": 10_000_000, "key:key_1:month:2099-01": 10_000_000}
    event = usage_event(ACCOUNT, scopes=list(scopes))
    granted = await world.reserve(ACCOUNT, event.request_id, 1_000, scopes=scopes, unlimited=True)
    assert granted[0] == "ok"
    held = await balance(replica, ACCOUNT, *scopes)
    assert [scope.reserved_nano for scope in held.scopes] == [1_000, 1_000]
    await world.ship(event)
    await until(world.drained)
    shown = await balance(replica, ACCOUNT, *scopes)
    assert {scope.scope: scope.posted_nano for scope in shown.scopes} == dict.fromkeys(scopes, event.amount_nano)
    assert [scope.reserved_nano for scope in shown.scopes] == [0, 0]
