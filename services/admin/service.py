"""The admin process: makes the parts, runs them in order, and ends them in order.

Decides what must be there before requests are served: SQL with its tables; NATS may come later. It must not know any
resource.
"""

import asyncio
import logging

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from oneapi.runtime import lifecycle, metrics, telemetry
from oneapi.runtime.door.limits import DoorLimits
from oneapi.runtime.egress.dial import Dialer
from oneapi.runtime.health import Readiness
from oneapi.runtime.http_server import HttpServer
from oneapi.runtime.relay_keys import KeyHasher
from oneapi.runtime.sealing import Sealer
from oneapi.runtime.tasks import TaskSet
from services.admin import housekeeping
from services.admin.application import build, management_schema
from services.admin.bootstrap import bootstrap
from services.admin.identity.authentication import Authenticator
from services.admin.parts import Parts
from services.admin.public.reading import PublicReader
from services.admin.public.registry import DOCUMENTS
from services.admin.public.site import Site
from services.admin.publishing.bus import PART as NATS_PART
from services.admin.publishing.bus import Bus
from services.admin.publishing.tool_listings import ToolListings
from services.admin.reports.clients import Reports
from services.admin.rotation.run import Rotation
from services.admin.settings import Settings
from services.admin.store.database import Database
from services.admin.store.migrations.upgrade import upgrade
from services.admin.web.entrance import whole_problem
from services.admin.web.json_body import MAX_BODY

logger = logging.getLogger(__name__)

SQL_PART = "sql"
RETRY_S = 1.0
CHECK_S = 2.0
LIMITS = DoorLimits(body_bytes=MAX_BODY)


def make_parts(settings: Settings) -> Parts:
    """The parts, not yet running. Makes the data directory."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.database_url)
    hasher = KeyHasher(settings.secret_key, settings.previous_secret_keys)
    readiness = Readiness(SQL_PART, NATS_PART)
    listings = ToolListings()
    return Parts(
        settings=settings,
        database=database,
        sealer=Sealer(settings.secret_key, settings.previous_secret_keys),
        hasher=hasher,
        authenticator=Authenticator(database, hasher, settings.admin_token, settings.public_url),
        reports=Reports(settings.billing_addresses, settings.router_addresses, settings.secret_key),
        readiness=readiness,
        bus=Bus(settings.nats_url, database, hasher, readiness, listings, replicas=settings.nats_replicas),
        dialer=Dialer(allow_private=settings.allow_private_upstreams),
        public=PublicReader(database, _site(settings), lambda: listings.known),
    )


def _site(settings: Settings) -> Site:
    return Site(
        base_url=settings.public_url,
        version=telemetry.release(),
        documents=tuple(document.listed for document in DOCUMENTS),
        management=management_schema,
    )


class AdminService(lifecycle.Service):
    """The management API as a process."""

    name = "admin"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tasks = TaskSet()
        self._telemetry: telemetry.Telemetry | None = None
        self._metrics: metrics.MetricsServer | None = None
        self._parts: Parts | None = None
        self._server: HttpServer | None = None

    async def start(self) -> None:
        """Listens at once, and is ready when the database is; that is waited for only by `/readyz`."""
        settings = self._settings
        self._telemetry = telemetry.setup(self.name, sample=settings.trace_sample, endpoint=settings.otlp_endpoint)
        self._metrics = metrics.serve(settings.metrics_port, settings.host)
        self._parts = make_parts(settings)
        self._server = HttpServer(
            build(self._parts, self._telemetry.sampler),
            settings.host,
            settings.port,
            render=whole_problem,
            limits=LIMITS,
        )
        await self._server.start()
        self._tasks.spawn(self._prepare(self._parts), "prepare the database")

    async def drain(self, limit_s: float) -> None:
        """Lets running requests end; what they left in the outbox is sent meanwhile, or by the next publisher."""
        if self._parts is not None:
            self._parts.readiness.set("admin", False, "draining")
        if self._server is not None:
            await self._server.stop(limit_s)

    async def stop(self) -> None:
        """Ends everything."""
        if self._server is not None:
            await self._server.stop(0.0)
        await self._tasks.close()
        if self._parts is not None:
            self._parts.public.close()
            await self._parts.reports.close()
            await self._parts.database.close()
        if self._metrics is not None:
            self._metrics.close()
        if self._telemetry is not None:
            await asyncio.to_thread(self._telemetry.shutdown)

    async def _prepare(self, parts: Parts) -> None:
        """Prepares the database as soon as it answers, and then starts what needs it."""
        while not parts.database.prepared:
            try:
                await upgrade(parts.database, bootstrap)
            except (SQLAlchemyError, OSError, CommandError) as failure:
                # CommandError: the tables are of a newer version than this program; it waits for an operator.
                parts.readiness.set(SQL_PART, False, "the database can't be used")
                logger.warning("waiting for the database", extra={"fields": {"why": repr(failure)}})
                await asyncio.sleep(RETRY_S)
        parts.readiness.set(SQL_PART, True)
        self._tasks.spawn_forever(parts.bus.run, "bus")
        self._tasks.spawn_forever(lambda: housekeeping.run(parts.database), "housekeeping")
        rotation = Rotation(parts.database, parts.hasher, parts.sealer, parts.wake_publisher)
        self._tasks.spawn_forever(rotation.run, "rotation")
        self._tasks.spawn_forever(lambda: _watch(parts), "database")


async def _watch(parts: Parts) -> None:
    """Says in `/readyz` whether the database answers."""
    while True:
        try:
            await parts.database.ping()
            parts.readiness.set(SQL_PART, True)
        except (SQLAlchemyError, OSError):
            parts.readiness.set(SQL_PART, False, "the database does not answer")
        await asyncio.sleep(CHECK_S)
