"""The billing process: connects, takes part in the election, answers reports.

It decides the order of starting and stopping, and what readiness depends on. It must not know what is billed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import grpc.aio
from clickhouse_connect.driver.asyncclient import AsyncClient
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from redis.asyncio import Redis

from oneapi.bus.lease import Lease
from oneapi.bus.streams import ensure
from oneapi.bus.subjects import BILLING_OPEN, BUCKET_STATE
from oneapi.catalog.feed import CatalogFeed
from oneapi.runtime import metrics, rpc, telemetry
from oneapi.runtime.connections import connect_nats, connect_redis
from oneapi.runtime.health import Readiness
from oneapi.runtime.http_server import HttpServer
from oneapi.runtime.lifecycle import Service
from oneapi.runtime.redaction import redact
from oneapi.runtime.redis_functions import MoneyFunctions
from oneapi.runtime.tasks import Backoff, TaskSet
from proto.billing.v1.billing_pb2_grpc import add_BillingServicer_to_server
from services.billing import health, schema
from services.billing.database import open_database
from services.billing.invariants import Verification
from services.billing.reports import Reports
from services.billing.settings import Settings
from services.billing.writer import ANSWERLESS, Pace, Stores, Writer

logger = logging.getLogger(__name__)

LEASE = "billing"
SCHEMA_LEASE = "billing-schema"
_LOOK_S = 1.0
_RETRY = Backoff(0.1, 1.0)
_LOG_EVERY = 20


class BillingService(Service):
    """One replica of billing."""

    name = "billing"

    def __init__(self, settings: Settings, pace: Pace = Pace()) -> None:  # noqa: B008 - immutable
        self._settings = settings
        self._pace = pace
        self._readiness = Readiness("nats", "redis", "clickhouse", "schema", "catalog", "writer")
        self._tasks = TaskSet()
        self._lease_tasks = TaskSet()
        self._writer: Writer | None = None
        self._health: HttpServer | None = None
        self._metrics: metrics.MetricsServer | None = None
        self._telemetry: telemetry.Telemetry | None = None
        self._feed: CatalogFeed | None = None
        self._grpc: grpc.aio.Server | None = None
        self._nats: NatsClient | None = None
        self._redis: Redis | None = None
        self._clickhouse: AsyncClient | None = None

    @property
    def writing(self) -> bool:
        """Whether this replica is the one that writes."""
        return self._writer is not None and self._writer.writing

    async def start(self) -> None:
        """Waits for every store, saying for which, and returns when reports can be answered.

        Raises WrongSchema, WrongStreamSetting, and OSError for a port that is taken.
        """
        settings = self._settings
        self._telemetry = telemetry.setup("billing", sample=settings.trace_sample, endpoint=settings.otlp_endpoint)
        self._metrics = metrics.serve(settings.metrics_port, settings.host)
        self._health = health.listener(self._readiness, lambda: self.writing, settings.host, settings.health_port)
        await self._health.start()
        stores = await self._connect()
        self._feed = CatalogFeed(stores.js)
        self._readiness.set("catalog", False, "waiting for the catalog")
        await self._feed.start()
        self._readiness.set("catalog", True)
        await self._wait_for_schema(stores)
        feed = self._feed
        lease = Lease(stores.state, LEASE, settings.replica, settings.lease_s)
        self._lease_tasks.spawn_forever(lease.run, "billing lease", _RETRY)
        writer = self._writer = Writer(
            stores,
            lease,
            lambda: feed.view,
            barrier_max_wait_s=settings.barrier_max_wait_s,
            pace=self._pace,
        )
        await stores.nats.subscribe(f"{BILLING_OPEN}*", cb=self._asked_to_open)
        self._feed.on_change(lambda entry, _: writer.ask_to_open(entry.id) if entry.kind == "account" else None)
        self._tasks.spawn_forever(writer.run, "billing writer", _RETRY)
        self._tasks.spawn_forever(lambda: self._watch(stores), "billing readiness", _RETRY)
        await self._serve(stores)

    async def drain(self, limit_s: float) -> None:
        """Finishes the batch in work, lets go of the lease, and answers what was asked already."""
        if self._writer is not None:
            await self._writer.drain(max(limit_s - 2.0, 0.5))
        await self._tasks.close()
        # The next writer begins at once, instead of after the end of the lease.
        await self._lease_tasks.close()
        if self._grpc is not None:
            await self._grpc.stop(min(limit_s, 2.0))

    async def stop(self) -> None:
        """Closes everything."""
        await self._tasks.close()
        await self._lease_tasks.close()
        if self._grpc is not None:
            await self._grpc.stop(0)
        if self._feed is not None:
            await self._feed.stop()
        if self._nats is not None:
            await self._nats.close()
        if self._redis is not None:
            await self._redis.aclose()
        if self._clickhouse is not None:
            await self._clickhouse.close()
        if self._health is not None:
            await self._health.stop()
        if self._metrics is not None:
            self._metrics.close()
        if self._telemetry is not None:
            await asyncio.to_thread(self._telemetry.shutdown)

    async def _connect(self) -> Stores:
        wanted = self._settings.stores
        self._readiness.set("nats", False, "waiting for NATS")
        nats_client = self._nats = await connect_nats(wanted.nats_url, f"billing {self._settings.replica}")
        js = nats_client.jetstream()
        await ensure(js, replicas=self._settings.nats_replicas)
        state = await js.key_value(BUCKET_STATE)
        self._readiness.set("nats", True)
        redis = self._redis = connect_redis(wanted.redis_url)
        await self._wait_for("redis", "waiting for Redis", redis.ping)
        await self._wait_for("clickhouse", "waiting for ClickHouse", self._reach_clickhouse)
        if self._clickhouse is None:
            raise AssertionError
        return Stores(
            nats=nats_client,
            js=js,
            state=state,
            redis=redis,
            clickhouse=self._clickhouse,
            cluster=wanted.clickhouse_cluster,
        )

    async def _wait_for(self, part: str, why: str, ask: Callable[[], Awaitable[object]]) -> None:
        """Asks until there is an answer."""
        self._readiness.set(part, False, why)
        attempt = 0
        while True:
            try:
                await ask()
            except ANSWERLESS as failure:
                attempt += 1
                if attempt % _LOG_EVERY == 1:
                    logger.warning("%s", why, extra={"fields": {"why": redact(repr(failure))[:300]}})
                await asyncio.sleep(_RETRY.delay(attempt))
            else:
                self._readiness.set(part, True)
                return

    async def _reach_clickhouse(self) -> None:
        self._clickhouse = await open_database(
            self._settings.stores.clickhouse_url, self._settings.stores.clickhouse_cluster
        )

    async def _wait_for_schema(self, stores: Stores) -> None:
        """Returns when the schema is what this code needs: one replica at a time makes it so.

        The lease for it is not the writer's: otherwise a new version could not become ready before the old one ends.
        """
        if not await self._schema_fits(stores, may_migrate=False):
            lease = Lease(stores.state, SCHEMA_LEASE, self._settings.replica, self._settings.lease_s)
            migrating = TaskSet()
            migrating.spawn_forever(lease.run, "billing schema lease", _RETRY)
            try:
                while not await self._schema_fits(stores, may_migrate=lease.held):  # noqa: ASYNC110 - by whoever holds it
                    await asyncio.sleep(_RETRY.first_s)
            finally:
                await migrating.close()
        self._readiness.set("schema", True)

    async def _schema_fits(self, stores: Stores, *, may_migrate: bool) -> bool:
        try:
            await schema.check(stores.clickhouse, stores.cluster)
        except schema.SchemaBehind as behind:
            self._readiness.set("schema", False, "waiting for migrations")
            if may_migrate:
                logger.info("migrations are applied", extra={"fields": {"why": str(behind)}})
                await schema.migrate(stores.clickhouse, stores.cluster)
            return False
        except ANSWERLESS as failure:
            logger.warning("the schema can't be checked", extra={"fields": {"why": redact(repr(failure))[:300]}})
            return False
        return True

    async def _serve(self, stores: Stores) -> None:
        server = self._grpc = rpc.server(self._settings.secret_key, self._settings.previous_secret_keys)
        reports = Reports(
            stores.clickhouse,
            MoneyFunctions(stores.redis),
            stores.js,
            Verification(stores.clickhouse, stores.redis, stores.js),
            lambda: self.writing,
        )
        add_BillingServicer_to_server(reports, server)
        server.add_insecure_port(f"{self._settings.host}:{self._settings.port}")
        await server.start()

    async def _asked_to_open(self, message: Msg) -> None:
        if self._writer is not None:
            self._writer.ask_to_open(message.subject.removeprefix(BILLING_OPEN))

    async def _watch(self, stores: Stores) -> None:
        """Keeps readiness true to what the stores answer."""
        loop = asyncio.get_running_loop()
        # Whoever has not been elected by then stands by for one that was.
        elected_by = loop.time() + 2 * self._settings.lease_s + _LOOK_S
        while True:
            if self.writing or loop.time() > elected_by:
                self._readiness.set("writer", True)
            self._readiness.set("nats", stores.nats.is_connected, "NATS is not connected")
            await self._look("redis", "Redis doesn't answer", stores.redis.ping)
            await self._look("clickhouse", "ClickHouse doesn't answer", lambda: stores.clickhouse.command("SELECT 1"))
            await asyncio.sleep(_LOOK_S if self._readiness.ready else _RETRY.first_s)

    async def _look(self, part: str, why: str, ask: Callable[[], Awaitable[object]]) -> None:
        try:
            async with asyncio.timeout(2.0):
                await ask()
        except ANSWERLESS:
            self._readiness.set(part, False, why)
        else:
            self._readiness.set(part, True)
