"""The router's process: what it is made of, and the order in which its parts start, drain and stop.

It listens before NATS is there, says in /readyz what it waits for, and goes on with the catalog it holds when NATS
goes away. It must not decide anything about picks.
"""

import asyncio
import logging
import random
import time

import grpc.aio
from nats.aio.client import Client as NatsClient
from opentelemetry.sdk.trace.export import SpanExporter

from oneapi.catalog.feed import CatalogFeed
from oneapi.catalog.view import CatalogView
from oneapi.providers.registry import PROVIDERS
from oneapi.runtime import health, metrics, rpc, semconv, telemetry
from oneapi.runtime.connections import connect_nats
from oneapi.runtime.ids import new_id
from oneapi.runtime.lifecycle import Service
from oneapi.runtime.tasks import TaskSet
from proto.router.v1 import router_pb2_grpc
from services.router.peers import EVERY_S, OutcomeSharing
from services.router.picker import Picker
from services.router.service import RouterService
from services.router.settings import Settings

logger = logging.getLogger(__name__)

RESTING = metrics.gauge(semconv.METRIC_ROUTER_COOLING, "Pairs of channel and model that rest")

PART = "catalog"
_WAITS_FOR_NATS = "NATS has not been reached yet"
_LOADS = "the catalog is not loaded yet"
_DRAINS = "the service drains"
_GAUGES_EVERY_S = 2.0


class RouterProcess(Service):
    """One router. `grpc_port` and `health_port` are those that it listens on, also when 0 was asked for."""

    name = "router"

    def __init__(self, settings: Settings, exporter: SpanExporter | None = None) -> None:
        self._settings = settings
        self._exporter = exporter
        self._readiness = health.Readiness()
        self._readiness.set(PART, False, _WAITS_FOR_NATS)
        self._health = health.serve(self._readiness, settings.host, settings.health_port)
        self._tasks = TaskSet()
        self.telemetry: telemetry.Telemetry | None = None
        self._metrics: metrics.MetricsServer | None = None
        self._nats: NatsClient | None = None
        self._feed: CatalogFeed | None = None
        self._server: grpc.aio.Server | None = None
        self._picker = Picker(self._view, PROVIDERS.get, time.monotonic, random.random)
        self._sharing = OutcomeSharing(new_id("router"), self._picker.learn)
        self._service = RouterService(self._picker, self._sharing, self._loaded)
        self.grpc_port = 0

    @property
    def health_port(self) -> int:
        return self._health.port

    async def start(self) -> None:
        """Listens at once; the catalog comes when NATS does."""
        settings = self._settings
        self.telemetry = telemetry.setup(
            self.name, sample=settings.trace_sample, endpoint=settings.otlp_endpoint, exporter=self._exporter
        )
        self._metrics = metrics.serve(settings.metrics_port, settings.host)
        await self._health.start()
        server = self._server = rpc.server(settings.secret_key, settings.previous_secret_keys)
        router_pb2_grpc.add_RouterServicer_to_server(self._service, server)
        self.grpc_port = server.add_insecure_port(f"{_bracketed(settings.host)}:{settings.port}")
        await server.start()
        self._tasks.spawn(self._follow_catalog(), "catalog")
        self._tasks.spawn_forever(self._share, "outcomes of peers")
        self._tasks.spawn_forever(self._measure, "gauges")

    async def drain(self, limit_s: float) -> None:
        """Ends the streams, so that callers go to another router, and lets single calls finish."""
        self._readiness.set("drain", False, _DRAINS)
        self._service.end_streams()
        if self._server is not None:
            await self._server.stop(limit_s)
        await self._sharing.leave()

    async def stop(self) -> None:
        """Closes everything."""
        if self._server is not None:
            await self._server.stop(None)
        await self._tasks.close()
        if self._feed is not None:
            await self._feed.stop()
        if self._nats is not None:
            await self._nats.close()
        await self._health.stop()
        if self._metrics is not None:
            self._metrics.close()
        if self.telemetry is not None:
            await asyncio.to_thread(self.telemetry.shutdown)

    def _view(self) -> CatalogView:
        return _NOTHING if self._feed is None else self._feed.view

    def _loaded(self) -> bool:
        return self._feed is not None and self._feed.ready

    async def _follow_catalog(self) -> None:
        client = self._nats = await connect_nats(self._settings.nats_url, self.name)
        self._readiness.set(PART, False, _LOADS)
        await self._sharing.join(client)
        self._feed = CatalogFeed(client.jetstream())
        await self._feed.start()
        self._readiness.set(PART, True)
        logger.info("the catalog is loaded", extra={"fields": {"revision": self._feed.view.revision}})

    async def _share(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self._sharing.flush()

    async def _measure(self) -> None:
        while True:
            RESTING.set(self._picker.resting())
            await asyncio.sleep(_GAUGES_EVERY_S)


_NOTHING = CatalogView()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
