"""The service's hold on NATS: connects, takes part in the election of the one publisher, and publishes as the holder.

Decides when the outbox is sent: at once when this process made the change, else within a poll. Without NATS nothing
here fails: changes wait in SQL. This module must not know what is published.
"""

import asyncio
import logging
import os
import socket

import nats.errors
from nats.aio.client import Client as NATS  # noqa: N814 - the library's own name for it
from sqlalchemy.exc import SQLAlchemyError

from oneapi.bus import streams, subjects
from oneapi.bus.lease import Lease
from oneapi.bus.publisher import BusUnavailable
from oneapi.runtime.connections import connect_nats
from oneapi.runtime.health import Readiness
from oneapi.runtime.relay_keys import KeyHasher
from oneapi.runtime.tasks import Backoff, TaskSet
from services.admin.publishing import reconcile
from services.admin.publishing.publisher import Contended, Publisher
from services.admin.publishing.rehashing import Rehashing
from services.admin.publishing.tool_listings import ToolListings
from services.admin.store.database import Database, NotPrepared

logger = logging.getLogger(__name__)

LEASE = "admin-outbox"
LEASE_S = 4.0
POLL_S = 0.25
PART = "nats"
_RETRY = Backoff(0.1, 2.0)
_FAILURES = (OSError, TimeoutError, nats.errors.Error, BusUnavailable, Contended, SQLAlchemyError, NotPrepared)


class Bus:
    """`connected` and `publishes` say how things are now."""

    def __init__(
        self,
        url: str,
        database: Database,
        hasher: KeyHasher,
        readiness: Readiness,
        listings: ToolListings,
        *,
        replicas: int,
    ) -> None:
        self._listings = listings
        self._url = url
        self._hasher = hasher
        self._replicas = replicas
        self._database = database
        self._readiness = readiness
        self._awake = asyncio.Event()
        self._compared = 0
        self._nc: NATS | None = None
        self._lease: Lease | None = None

    @property
    def connected(self) -> bool:
        """Whether NATS is there."""
        return self._nc is not None and self._nc.is_connected

    @property
    def publishes(self) -> bool:
        """Whether this replica is the one that publishes."""
        return self._lease is not None and self._lease.held

    def wake(self) -> None:
        """The outbox has something new."""
        self._awake.set()

    async def run(self) -> None:
        """Connects and publishes until cancelled. Raises WrongStreamSetting when the streams can't be relied on."""
        tasks = TaskSet()
        self._nc = await connect_nats(self._url, "admin", on_reconnect=self._compare_again)
        try:
            js = self._nc.jetstream()
            try:
                await streams.ensure(js, replicas=self._replicas)
            except streams.WrongStreamSetting:
                self._readiness.set(PART, False, "a stream has a wrong setting")
                raise
            state = await js.key_value(subjects.BUCKET_STATE)
            buckets = {name: await js.key_value(name) for name in (subjects.BUCKET_CATALOG, subjects.BUCKET_KEYS)}
            holder = f"{socket.gethostname()}/{os.getpid()}"
            self._lease = Lease(state, LEASE, holder, LEASE_S, on_change=lambda _held: self.wake())
            tasks.spawn_forever(self._lease.run, "outbox lease")
            tasks.spawn_forever(Rehashing(self._nc, self._database, self._hasher, self.wake).run, "key hashes")
            tasks.spawn_forever(lambda: self._listings.follow(js), "lists of tools")
            publisher = Publisher(self._database, js, buckets, lambda: self.publishes)
            await self._publish(publisher, buckets)
        finally:
            self._compared = 0
            await tasks.close()
            await self._nc.close()

    async def _publish(self, publisher: Publisher, buckets: reconcile.Buckets) -> None:
        failures = 0
        while True:
            self._readiness.set(PART, self.connected, "not connected")
            self._awake.clear()
            try:
                if self.publishes:
                    await publisher.drain()
                    await self._compare(publisher, buckets)
            except _FAILURES as failure:
                failures += 1
                if failures == 1 or not self.connected:
                    logger.warning("changes wait in the outbox", extra={"fields": {"why": type(failure).__name__}})
                await asyncio.sleep(_RETRY.delay(failures))
                continue
            failures = 0
            try:
                await asyncio.wait_for(self._awake.wait(), POLL_S)
            except TimeoutError:
                continue

    async def _compare(self, publisher: Publisher, buckets: reconcile.Buckets) -> None:
        """Compares once for each time that this replica became the publisher, and after each return of NATS."""
        generation = self._lease.generation if self._lease is not None else 0
        if generation in {0, self._compared}:
            return
        await reconcile.reconcile(self._database, buckets)
        await publisher.drain()
        self._compared = generation

    def _compare_again(self) -> None:
        self._compared = 0
        self.wake()
