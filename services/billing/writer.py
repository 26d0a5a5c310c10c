"""What one replica at a time does: everything that changes the ledger or the sums in Redis.

It decides how a term begins (schema, sums compared once, hours that wait), which tasks it has, and that it ends when
the lease does. It must not know what the tasks decide.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import ClientError
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from nats.js.kv import KeyValue
from redis.asyncio import Redis
from redis.exceptions import RedisError

from oneapi.bus.consumer import FETCH_WAIT_S, BatchConsumer
from oneapi.bus.lease import Lease
from oneapi.catalog.view import CatalogView
from oneapi.runtime.redaction import redact
from oneapi.runtime.redis_functions import MoneyFunctions
from oneapi.runtime.tasks import Backoff, TaskSet
from services.billing import meters, schema
from services.billing.books import Books
from services.billing.hours import read_marks
from services.billing.intake import Intake
from services.billing.ledger import Ledger
from services.billing.opening import Opening
from services.billing.reaper import Reaper
from services.billing.rebase import Rebase
from services.billing.rollup import Rollup
from services.billing.state_bucket import opened_accounts
from services.billing.sums import Sums
from services.billing.takeover import catch_up
from services.billing.term import NotTheWriter, Term, fence_for

logger = logging.getLogger(__name__)

_ACK_LOOK_S = 0.02
_RETRY = Backoff(0.2, 5.0)
ANSWERLESS = (ClickHouseError, ClientError, RedisError, OSError, TimeoutError)
"""What the clients of ClickHouse and Redis raise when nobody answers."""
_HOLDS = "SELECT count() FROM ledger_v WHERE kind = 'hold' AND reserved_at < now() - INTERVAL 1 DAY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often things are done, in seconds. Tests take a quicker one."""

    reap_s: float = 5.0
    rebase_s: float = 60.0
    rebase_share: float = 0.05
    """Comparing everything takes at most this share of the time."""
    rollup_s: float = 30.0
    rollup_first_s: float = 90.0
    """An insert of the last writer that nobody waited for may take effect until then."""
    audit_s: float = 600.0
    lag_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The connections of this replica."""

    nats: NatsClient
    js: JetStreamContext
    state: KeyValue
    redis: Redis
    clickhouse: AsyncClient
    cluster: str


class Writer:
    """Takes part in the election and writes while it is elected: `await run()` until cancelled."""

    def __init__(
        self,
        stores: Stores,
        lease: Lease,
        catalog: Callable[[], CatalogView],
        *,
        barrier_max_wait_s: float,
        pace: Pace = Pace(),
    ) -> None:
        self._stores = stores
        self._lease = lease
        self._catalog = catalog
        self._barrier_max_wait_s = barrier_max_wait_s
        self._pace = pace
        self._draining = False
        self._in_work: Sequence[Msg] = ()
        self._parked = asyncio.Event()
        self._opening: Opening | None = None
        self._term: Term | None = None
        self._elected = asyncio.Event()
        lease.on_change = self._lease_changed
        if lease.held:
            self._elected.set()

    @property
    def writing(self) -> bool:
        """Whether this replica is the writer, and whatever is new is open."""
        return self._opening is not None and self._opening.looked and self._lease.held

    def ask_to_open(self, account_id: str) -> None:
        """Somebody wants this account to be open; only the writer minds."""
        if self._opening is not None:
            self._opening.ask(account_id)

    async def run(self) -> None:
        """One term after another."""
        failures = 0
        while True:
            await self._elected.wait()
            try:
                await self._one_term()
                failures = 0
            except NotTheWriter:
                logger.info("the term is over")
            except Exception:  # whatever a store answered, the next attempt begins from the start
                failures += 1
                logger.exception("the term could not begin, and is tried again")
                await asyncio.sleep(_RETRY.delay(failures))

    async def drain(self, limit_s: float) -> None:
        """Takes no further batch, and waits until the one in work is acknowledged."""
        self._draining = True
        try:
            async with asyncio.timeout(limit_s):
                while not all(message.is_acked for message in self._in_work):  # noqa: ASYNC110 - no event tells it
                    await asyncio.sleep(_ACK_LOOK_S)
        except TimeoutError:
            logger.warning("a batch could not be finished; the next writer gets it")
            return
        # The consumer is already fetching the next batch: once it has it, it can give it back.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(limit_s, 2 * FETCH_WAIT_S)):
                await self._parked.wait()

    def _lease_changed(self, held: bool) -> None:
        if held:
            self._elected.set()
            return
        self._elected.clear()
        if self._term is not None:
            self._term.ended.set()

    async def _one_term(self) -> None:
        stores = self._stores
        await schema.check(stores.clickhouse, stores.cluster)
        opened = await opened_accounts(stores.js)
        accounts = opened | self._catalog().accounts.keys()
        marks = await read_marks(stores.clickhouse)
        fence = await fence_for(self._lease, stores.redis, accounts)
        term = self._term = Term(self._lease, fence, marks)
        term.check()
        books = Books(
            stores.clickhouse,
            Ledger(stores.clickhouse),
            Sums(stores.clickhouse),
            MoneyFunctions(stores.redis),
            term,
        )
        rollup = Rollup(stores.clickhouse, books)
        await rollup.find_hours()
        # What died between appending and posting is put right before anything new is taken.
        await Rebase(stores.redis, books).run(accounts, first=True)
        caught_up = await catch_up(stores.js, books, self._catalog())
        logger.info("the term begins", extra={"fields": {"fence": fence}})
        tasks = TaskSet()
        try:
            self._begin(tasks, books, rollup, opened, caught_up)
            meters.WRITER.set(1)
            await term.ended.wait()
        finally:
            meters.WRITER.set(0)
            self._opening = None
            await tasks.close()

    def _begin(self, tasks: TaskSet, books: Books, rollup: Rollup, opened: set[str], caught_up: int) -> None:
        stores, pace = self._stores, self._pace
        opening = self._opening = Opening(
            stores.nats,
            stores.js,
            stores.state,
            stores.redis,
            books,
            self._catalog,
            max_wait_s=self._barrier_max_wait_s,
            opened=opened,
            booked_up_to=caught_up,
        )
        consumer = BatchConsumer(stores.js)
        intake = Intake(stores.js, consumer, books, self._catalog, opening.marker)
        reaper = Reaper(stores.js, stores.redis, books, lambda: opening.accounts)
        rebase = Rebase(stores.redis, books)

        async def handle(messages: list[Msg]) -> None:
            if self._draining:
                # Never handled: the consumer gives it back when it is cancelled.
                self._parked.set()
                await asyncio.get_running_loop().create_future()
            self._in_work = messages
            await intake.handle(messages)
            opening.booked(message.metadata.sequence.stream for message in messages)

        async def compare() -> None:
            began = time.monotonic()
            await rebase.run(opening.accounts, first=False)
            # However large the ledger becomes, booking keeps most of the time.
            await asyncio.sleep((time.monotonic() - began) / pace.rebase_share)

        async def audit() -> None:
            await rollup.audit()
            meters.HOLDS.set(await _scalar(stores.clickhouse, _HOLDS))
            meters.LEDGER_ROWS.set(await _scalar(stores.clickhouse, "SELECT count() FROM ledger_v"))

        async def lag() -> None:
            with contextlib.suppress(NotFoundError):  # the first writer of all has not made the consumer yet
                meters.LAG.set(await consumer.pending())

        async def sum_up() -> None:
            await rollup.step(time.time())

        def forever(name: str, work: Callable[[], Awaitable[object]]) -> None:
            tasks.spawn_forever(lambda: _while_writer(name, work), name, _RETRY)

        forever("billing intake", lambda: consumer.run(handle))
        forever("billing opening", opening.run)
        forever("billing reaper", _every(pace.reap_s, reaper.step))
        forever("billing rebase", _every(pace.rebase_s, compare, pace.rebase_s))
        forever("billing rollup", _every(pace.rollup_s, sum_up, pace.rollup_first_s))
        forever("billing audit", _every(pace.audit_s, audit, pace.rollup_first_s))
        forever("billing lag", _every(pace.lag_s, lag))


async def _while_writer(name: str, work: Callable[[], Awaitable[object]]) -> None:
    """Runs it, until a store doesn't answer: that is no failure of the task, which is begun again.

    When the term is over it only waits, because whoever watches the lease ends all of the term's tasks.
    """
    try:
        await work()
    except NotTheWriter:
        await asyncio.get_running_loop().create_future()
    except ANSWERLESS as failure:
        logger.warning("a store does not answer", extra={"fields": {"task": name, "why": redact(repr(failure))}})


def _every(
    pause_s: float, work: Callable[[], Awaitable[object]], first_s: float = 0.0
) -> Callable[[], Awaitable[None]]:
    async def again_and_again() -> None:
        await asyncio.sleep(first_s)
        while True:
            await work()
            await asyncio.sleep(pause_s)

    return again_and_again


async def _scalar(client: AsyncClient, query: str) -> int:
    return int((await client.query(query)).result_rows[0][0])
