"""One writer at a time; and whatever dies, nothing is lost and nothing is twice."""

import asyncio

import httpx2
import pytest
from nats.aio.msg import Msg

from oneapi.bus.consumer import BatchConsumer
from oneapi.bus.subjects import CONSUMER_BILLING, STREAM_LEDGER
from oneapi.catalog.view import CatalogView
from proto.events.v1.events_pb2 import UsageSettled
from services.billing.books import Books
from services.billing.hours import read_marks
from services.billing.intake import Intake
from services.billing.ledger import Ledger
from services.billing.sums import Sums
from services.billing.term import NotTheWriter, Term
from tests.integration.billing.world import QUICK, Replica, World, receipt, until, usage_event

ACCOUNT = "acc_1"


class PlayedLease:
    """A lease that the test gives and takes."""

    def __init__(self, generation: int) -> None:
        self.held = True
        self.generation = generation


async def played_books(world: World, lease: PlayedLease) -> Books:
    """The writer's books, without a writer."""
    term = Term(lease, lease.generation, await read_marks(world.clickhouse))
    return Books(world.clickhouse, Ledger(world.clickhouse), Sums(world.clickhouse), world.money, term)


async def fetched(world: World, count: int) -> list[Msg]:
    """Messages as the consumer gets them, in work and not acknowledged."""
    subscription = await world.js.pull_subscribe_bind(consumer=CONSUMER_BILLING, stream=STREAM_LEDGER)
    try:
        return await subscription.fetch(count, timeout=5)
    finally:
        await subscription.unsubscribe()


async def role(replica: Replica) -> str:
    async with httpx2.AsyncClient() as client:
        answer = await client.get(f"{replica.health_url}/readyz")
    return str(answer.json().get("role")) if answer.status_code == 200 else ""


@pytest.mark.parametrize("posted", [False, True])
async def test_a_writer_that_died_before_the_acknowledgement(world: World, posted: bool) -> None:
    replica = await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    await until(world.drained)
    await world.stop(replica)
    events = [await world.serve(ACCOUNT) for _ in range(3)]
    lease = PlayedLease(10_000)
    books = await played_books(world, lease)
    messages = await fetched(world, 3)
    if not posted:
        # Dies between appending and posting.
        async def never(*_: object) -> bool:
            raise NotTheWriter

        books.post = never  # type: ignore[method-assign, assignment]
    consumer = BatchConsumer(world.js)
    intake = Intake(world.js, consumer, books, CatalogView, lambda *_: None)
    try:
        await intake.handle(messages)
    except NotTheWriter:
        assert not posted
    assert await world.lines(ACCOUNT) == 3
    held = (await world.money.balances(ACCOUNT)).account
    assert held.unposted == (0 if posted else sum(event.amount_nano for event in events))
    # The next writer puts Redis right at its start, before the messages come again.
    await world.writer(name="replica-2")
    await until(lambda: world.settled_state(ACCOUNT))
    for message in messages:
        await message.nak()
    await until(world.drained)
    assert (await world.query("SELECT count() FROM ledger"))[0][0] == 3
    await until(lambda: world.settled_state(ACCOUNT))


async def left_in_work(world: World) -> tuple[list[UsageSettled], list[Msg]]:
    """Three events that were delivered to a writer who died, and their messages.

    They are neither handled nor given back: the bus waits for a minute.
    """
    replica = await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    await world.stop(replica)
    return [await world.serve(ACCOUNT) for _ in range(3)], await fetched(world, 3)


async def test_what_a_dead_writer_had_in_work_is_booked_at_once(world: World) -> None:
    events, messages = await left_in_work(world)
    second = await world.writer(name="replica-2")
    assert await receipt(second, events[-1].request_id)
    await until(lambda: world.settled_state(ACCOUNT))
    assert not await world.drained()
    for message in messages:
        await message.nak()
    await until(world.drained)
    assert (await world.query("SELECT count() FROM ledger"))[0][0] == 3


async def test_a_lost_account_opens_again_though_a_dead_writer_acknowledged_nothing(world: World) -> None:
    """The bus gives a dead writer's messages out again after a minute: nobody waits for that."""
    events, messages = await left_in_work(world)
    later = await world.serve(ACCOUNT)
    await world.redis.flushall()
    await world.writer(name="replica-2")
    await until(lambda: world.is_open(ACCOUNT))
    assert not await world.drained()
    posted = (await world.money.balances(ACCOUNT)).account.posted
    assert posted == sum(event.amount_nano for event in (*events, later))
    for message in messages:
        await message.nak()
    await until(world.drained)


async def test_an_old_writer_changes_nothing_any_more(world: World) -> None:
    await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    event = await world.serve(ACCOUNT)
    await until(lambda: world.settled_state(ACCOUNT))
    late = PlayedLease(0)
    books = await played_books(world, late)
    sums = (await books.sums.full([ACCOUNT]))[ACCOUNT]
    sums.charged = 5
    with pytest.raises(NotTheWriter):
        await books.post(ACCOUNT, sums, [])
    assert (await world.money.balances(ACCOUNT)).account.posted == event.amount_nano
    with pytest.raises(NotTheWriter):
        books.term.check()


async def test_one_of_two_writes_and_the_other_takes_over(world: World) -> None:
    one = await world.writer(name="one")
    two = await world.billing(name="two")
    await world.opened(ACCOUNT, unlimited=True)
    assert await role(one) == "writer"
    assert await until(lambda: role(two)) == "standby"
    event = await world.serve(ACCOUNT)
    # Both answer, also the one that stands by.
    assert await until(lambda: receipt(two, event.request_id)) == await receipt(one, event.request_id)
    await world.stop(one)
    events = [await world.serve(ACCOUNT) for _ in range(5)]
    await until(lambda: receipt(two, events[-1].request_id))
    assert await role(two) == "writer"
    assert await world.lines(ACCOUNT) == 6
    await until(lambda: world.settled_state(ACCOUNT))


async def test_a_drain_finishes_the_batch(world: World) -> None:
    replica = await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    events = [usage_event(ACCOUNT) for _ in range(200)]
    await asyncio.gather(*(world.ship(event) for event in events))
    await world.stop(replica)
    booked = await world.lines(ACCOUNT)

    async def shared_out() -> bool:
        """What was booked was acknowledged, and what was not is there for the next one."""
        info = await world.js.consumer_info(STREAM_LEDGER, CONSUMER_BILLING)
        return booked + (info.num_pending or 0) + (info.num_ack_pending or 0) == 200

    await until(shared_out)
    await world.writer(name="two")
    # What was on its way to the first when it left comes again when its time to acknowledge is over.
    await until(world.drained, 90)
    assert await world.lines(ACCOUNT) == 200


async def test_a_store_that_fails_for_a_while_loses_nothing(world: World) -> None:
    replica = await world.writer(pace=QUICK)
    await world.opened(ACCOUNT, unlimited=True)
    await world.clickhouse.command("RENAME TABLE ledger TO ledger_away")
    event = await world.serve(ACCOUNT)
    await until(lambda: _in_work(world))
    assert not await world.drained()
    await world.clickhouse.command("RENAME TABLE ledger_away TO ledger")
    await until(lambda: receipt(replica, event.request_id))
    await until(lambda: world.settled_state(ACCOUNT))


async def _in_work(world: World) -> bool:
    info = await world.js.consumer_info(STREAM_LEDGER, CONSUMER_BILLING)
    return bool(info.num_ack_pending)
