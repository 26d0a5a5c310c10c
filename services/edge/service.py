"""The edge as a process: starts, drains and stops its parts in order.

It listens at once and says in `/readyz` what it waits for. It decides what must be there before requests are served,
and how the time for draining is divided. It must not know how any part works.
"""

import asyncio
import logging
import os
import signal

from nats.aio.client import Client as NatsClient

from oneapi.bus import streams
from oneapi.catalog.entries import Entry
from oneapi.catalog.feed import CatalogFeed
from oneapi.catalog.keyring import Keyring
from oneapi.catalog.view import CatalogView
from oneapi.runtime import health, logs, metrics, telemetry
from oneapi.runtime.asgi import Receive, Scope, Send
from oneapi.runtime.connections import connect_nats
from oneapi.runtime.door.limits import DoorLimits
from oneapi.runtime.door.protocol import ARRIVED_KEY
from oneapi.runtime.http_server import HttpServer
from oneapi.runtime.ids import uuid7
from oneapi.runtime.lifecycle import Service
from oneapi.runtime.relay_keys import KeyHasher
from oneapi.runtime.sealing import Sealer
from oneapi.runtime.tasks import TaskSet
from services.edge import refusals
from services.edge.answers import raw_error, send_error
from services.edge.inference.interruption import Reason
from services.edge.load import Load
from services.edge.money.path import MoneyPath
from services.edge.money.redis_link import RedisAway, RedisLink, RedisSilent
from services.edge.money.resp import RedisRefused, command
from services.edge.settings import Settings
from services.edge.shedding import Shedding
from services.edge.state.keeper import Keeper
from services.edge.wiring import Parts, assemble

logger = logging.getLogger(__name__)

WATCH_S = 0.5
ANNOUNCE_SHARE, ANNOUNCE_LONGEST_S = 0.1, 1.0
"""Of the time for draining: how long requests are still taken after `/readyz` has said that no more should come."""
END_SHARE = 0.15
"""Of the time for draining: for the ends of streams that were stopped, and as much again for shipping their bills."""
_STARTING = "starting"


class EdgeService(Service):
    """One edge. `port` is the one that it listens on, also when 0 was asked for."""

    name = "edge"

    def __init__(self, settings: Settings, limits: DoorLimits | None = None) -> None:
        self._settings = settings
        self._limits = limits or DoorLimits()
        self._load = Load(settings.max_in_flight)
        self._readiness = health.Readiness("nats", "catalog", "redis", "router", "spool")
        self._health = health.asgi(self._readiness)
        self._tasks = TaskSet()
        self._nats: NatsClient | None = None
        self._state_nats: NatsClient | None = None
        self._keeper: Keeper | None = None
        self._feed: CatalogFeed | None = None
        self._keyring: Keyring | None = None
        self._money: MoneyPath | None = None
        self._redis: RedisLink | None = None
        self._parts: Parts | None = None
        self._open = False
        self._telemetry: telemetry.Telemetry | None = None
        self._metrics: metrics.MetricsServer | None = None
        self._door = HttpServer(
            self._serve,
            settings.host,
            settings.port,
            render=raw_error,
            limits=self._limits,
            gate=Shedding(self._load),
        )

    @property
    def port(self) -> int:
        return self._door.port

    async def start(self) -> None:
        """Listens, then waits for the bus and the catalog, and for what the last process left in the spool."""
        settings = self._settings
        logs.configure(self.name, settings.log_level)
        self._telemetry = telemetry.setup(self.name, sample=settings.trace_sample, endpoint=settings.otlp_endpoint)
        self._metrics = metrics.serve(settings.metrics_port, settings.host)
        await self._door.start()
        client = self._nats = await connect_nats(settings.nats_url, self.name)
        js = client.jetstream()
        await streams.ensure(js, replicas=settings.nats_replicas)
        feed = self._feed = CatalogFeed(js)
        keyring = self._keyring = Keyring(js, KeyHasher(settings.secret_key, settings.previous_secret_keys))
        money = self._money = MoneyPath(
            spool_dir=settings.spool_dir,
            redis_url=settings.redis_url,
            nats=client,
            edge_id=settings.edge_id,
            on_suspect=_end_process,
        )
        keeper = await self._start_state()
        self._redis = RedisLink(settings.redis_url, name="oneapi-edge-readiness")
        self._parts = assemble(
            settings, self._limits, self._load, feed, keyring, money, keeper, self._telemetry.sampler, self._readiness
        )
        feed.on_change(self._catalog_changed)
        await keyring.start()
        await feed.start()
        await money.start()
        self._parts.router.start()
        # Not before: with half a catalog good keys and models would be taken for unknown ones.
        self._open = True
        self._tasks.spawn_forever(self._watch, "readiness")

    async def _start_state(self) -> Keeper:
        """State has a connection of its own: large records must not stand before bills."""
        settings = self._settings
        client = self._state_nats = await connect_nats(settings.nats_url, f"{self.name} state")
        lifetime_s = settings.state_days * 86_400
        await streams.ensure_responses(
            client.jetstream(),
            replicas=settings.nats_replicas,
            max_age_s=lifetime_s,
            max_bytes=settings.state_max_bytes,
        )
        sealer = Sealer(settings.secret_key, settings.previous_secret_keys)
        self._keeper = Keeper(client, sealer, lifetime_s=lifetime_s, max_bytes=self._limits.body_bytes)
        return self._keeper

    async def drain(self, limit_s: float) -> None:
        """Takes nothing new soon after it says so, lets streams finish, stops those that don't, and ships all bills."""
        self._readiness.set("drain", False, "the process is ending")
        parts = self._parts
        if parts is None:
            return
        announce_s = min(limit_s * ANNOUNCE_SHARE, ANNOUNCE_LONGEST_S)
        await asyncio.sleep(announce_s)
        self._load.draining = True
        parts.mcp.end_listeners()
        parts.admin.end_listeners()
        share_s = limit_s * END_SHARE
        if not await self._load.wait_idle(limit_s - announce_s - 2 * share_s):
            logger.warning("requests are stopped", extra={"fields": {"in_flight": self._load.in_flight}})
            parts.inference.stop_all(Reason.SHUTDOWN)
            await self._load.wait_idle(share_s / 2)
        if self._money is not None:
            await self._money.drain(share_s)

    async def stop(self) -> None:
        """Closes everything; what isn't shipped stays in the spool."""
        self._load.draining = True
        await self._door.stop(1.0)
        await self._tasks.close()
        if self._parts is not None:
            await self._parts.close()
        if self._money is not None:
            await self._money.stop()
        if self._keyring is not None:
            await self._keyring.stop()
        if self._feed is not None:
            await self._feed.stop()
        if self._redis is not None:
            await self._redis.close()
        if self._keeper is not None:
            await self._keeper.close()
        for client in (self._state_nats, self._nats):
            if client is not None:
                await client.close()
        if self._metrics is not None:
            self._metrics.close()
        if self._telemetry is not None:
            await asyncio.to_thread(self._telemetry.shutdown)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Every request: to the entrance once all is there, and to the health checks before."""
        if ARRIVED_KEY in scope:
            self._load.begin()
        if self._open and self._parts is not None:
            await self._parts.entrance(scope, receive, send)
        elif scope["type"] == "http":
            if scope["raw_path"] in health.PATHS:
                await self._health(scope, receive, send)
            else:
                await send_error(send, scope["raw_path"], refusals.not_accepting(_STARTING), uuid7())

    def _catalog_changed(self, entry: Entry, view: CatalogView) -> None:
        del view
        if entry.kind == "channel" and self._parts is not None:
            self._parts.targets.forget(entry.id)

    async def _watch(self) -> None:
        """Keeps `/readyz` true. What is missing shows there in words, without addresses."""
        while True:
            parts, money = self._parts, self._money
            if parts is not None and money is not None:
                readiness = self._readiness
                # Once the catalog is loaded, requests are served from what is known while the bus is away.
                readiness.set("nats", True)
                readiness.set("catalog", self._feed is not None and self._feed.ready, "not loaded yet")
                readiness.set("router", parts.router.usable, "no router answers")
                problem = money.accepting
                readiness.set("spool", not problem, problem)
                readiness.set("redis", await self._redis_answers(), "does not answer")
            await asyncio.sleep(WATCH_S)

    async def _redis_answers(self) -> bool:
        """Asked on a connection of its own: the money path's is for reservations."""
        if self._redis is None:
            return False
        try:
            await self._redis.call(command("PING"))
        except (RedisAway, RedisSilent, RedisRefused):
            return False
        return True


def _end_process(why: str) -> None:
    """The disk no longer keeps what it is given: the next process reads what is there."""
    logger.critical("the process ends itself", extra={"fields": {"why": why}})
    os.kill(os.getpid(), signal.SIGTERM)
