"""The MCP gateway's process: what it is made of, and the order in which its parts start, drain and stop.

It listens before NATS is there and says in /readyz what it waits for; it needs neither edge nor admin. It must not
decide anything about calls.
"""

import asyncio
import logging
import time
from collections.abc import Mapping

import nats.errors
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from nats.aio.client import Client as NatsClient
from nats.js import JetStreamContext
from opentelemetry.sdk.trace.export import SpanExporter

from oneapi.catalog.feed import CatalogFeed
from oneapi.catalog.keyring import Keyring
from oneapi.catalog.types import McpServer
from oneapi.runtime import health, metrics, telemetry
from oneapi.runtime.connections import connect_nats
from oneapi.runtime.door.limits import DoorLimits
from oneapi.runtime.egress.dial import Dialer
from oneapi.runtime.http_server import HttpServer
from oneapi.runtime.lifecycle import Service
from oneapi.runtime.mcp_identity import server_name
from oneapi.runtime.origins import own_origins
from oneapi.runtime.relay_keys import KeyHasher
from oneapi.runtime.sealing import Sealer
from oneapi.runtime.tasks import TaskSet
from services.mcp.announcing import Announcer
from services.mcp.authentication import Authenticator
from services.mcp.directory import ToolDirectory
from services.mcp.door import LIMITS, MAX_BODY_BYTES, Door, whole_refusal
from services.mcp.endpoint import Endpoint
from services.mcp.settings import Settings
from services.mcp.upstream.client import ToolServer

logger = logging.getLogger(__name__)

PART = "catalog"
_WAITS_FOR_NATS = "NATS has not been reached yet"
_LOADS = "the catalog is not loaded yet"
_DRAINS = "the service drains"
_RETRY_S = 0.5
_ASK_EVERY_S = 30.0


class McpProcess(Service):
    """One MCP gateway. `port` is the one that it listens on, also when 0 was asked for."""

    name = "mcp"

    def __init__(self, settings: Settings, exporter: SpanExporter | None = None, limits: DoorLimits = LIMITS) -> None:
        self._settings = settings
        self._limits = limits
        self._exporter = exporter
        self._sealer = Sealer(settings.secret_key, settings.previous_secret_keys)
        self._dialer = Dialer(allow_private=settings.allow_private_upstreams)
        self._readiness = health.Readiness()
        self._readiness.set(PART, False, _WAITS_FOR_NATS)
        self._announcer = Announcer(lambda: time.time_ns() // 1_000_000)
        self.directory = ToolDirectory(
            self._servers, self._connect, time.monotonic, settings.call_limit_s, self._announcer
        )
        self._tasks = TaskSet()
        self._serving = asyncio.Event()
        self.telemetry: telemetry.Telemetry | None = None
        self._metrics: metrics.MetricsServer | None = None
        self._nats: NatsClient | None = None
        self._feed: CatalogFeed | None = None
        self._keyring: Keyring | None = None
        self._authenticator: Authenticator | None = None
        self._listener: HttpServer | None = None

    @property
    def port(self) -> int:
        return 0 if self._listener is None else self._listener.port

    async def start(self) -> None:
        """Listens at once; keys and tools come when NATS does."""
        settings = self._settings
        self.telemetry = telemetry.setup(
            self.name, sample=settings.trace_sample, endpoint=settings.otlp_endpoint, exporter=self._exporter
        )
        self._metrics = metrics.serve(settings.metrics_port, settings.host)
        name = server_name(settings.public_url)
        endpoint = Endpoint(name, self.directory, self.telemetry.sampler, settings.call_limit_s)
        # Clients bound the size of one event of a stream more tightly than that of a JSON answer.
        manager = StreamableHTTPSessionManager(
            endpoint.server(), stateless=True, json_response=True, max_request_body_size=MAX_BODY_BYTES
        )
        self._tasks.spawn(self._run(manager), "mcp sessions")
        await self._serving.wait()
        door = Door(
            manager.handle_request,
            lambda: self._authenticator,
            self._readiness,
            origins=own_origins(settings.public_url, settings.allowed_origins),
            trusted=settings.trusted_proxies,
        )
        self._listener = HttpServer(door, settings.host, settings.port, render=whole_refusal, limits=self._limits)
        await self._listener.start()
        self._tasks.spawn(self._follow_catalog(), "catalog")

    async def drain(self, limit_s: float) -> None:
        """Accepts no more and lets calls finish."""
        self._readiness.set("drain", False, _DRAINS)
        if self._listener is not None:
            await self._listener.stop(limit_s)

    async def stop(self) -> None:
        """Closes everything."""
        if self._listener is not None:
            await self._listener.stop(0)
        await self._tasks.close()
        await self.directory.close()
        await self._announcer.close()
        if self._keyring is not None:
            await self._keyring.stop()
        if self._feed is not None:
            await self._feed.stop()
        if self._nats is not None:
            await self._nats.close()
        if self._metrics is not None:
            self._metrics.close()
        if self.telemetry is not None:
            await asyncio.to_thread(self.telemetry.shutdown)

    async def _run(self, manager: StreamableHTTPSessionManager) -> None:
        """Its task group must be left by the task that entered it, so it has a task of its own."""
        async with manager.run():
            self._serving.set()
            await asyncio.get_running_loop().create_future()

    def _servers(self) -> Mapping[str, McpServer]:
        return {} if self._feed is None else self._feed.view.mcp_servers

    def _connect(self, server: McpServer) -> ToolServer:
        return ToolServer(server, self._sealer, self._dialer, self._settings.call_limit_s)

    async def _follow_catalog(self) -> None:
        client = self._nats = await connect_nats(self._settings.nats_url, self.name)
        self._readiness.set(PART, False, _LOADS)
        js = client.jetstream()
        self._keyring = await self._start_keyring(js)
        feed = self._feed = CatalogFeed(js)
        await feed.start()
        self._authenticator = Authenticator(self._keyring, feed)
        self._announcer.start(js, feed.view.mcp_servers)
        feed.on_change(lambda entry, view: self.directory.follow())
        self._tasks.spawn_forever(self._keep_asking, "lists of tools")
        self._readiness.set(PART, True)
        logger.info("the catalog is loaded", extra={"fields": {"servers": len(feed.view.mcp_servers)}})

    async def _keep_asking(self) -> None:
        """Others are told what there is, also when nobody here asks."""
        while True:
            self.directory.follow()
            await asyncio.sleep(_ASK_EVERY_S)

    async def _start_keyring(self, js: JetStreamContext) -> Keyring:
        """A keyring that hears of changes; tried until the connection holds for as long as that takes."""
        while True:
            keyring = Keyring(js, KeyHasher(self._settings.secret_key, self._settings.previous_secret_keys))
            try:
                await keyring.start()
                return keyring
            except (OSError, TimeoutError, nats.errors.Error) as failure:
                logger.warning("key changes can't be followed yet", extra={"fields": {"why": repr(failure)}})
                await keyring.stop()
                await asyncio.sleep(_RETRY_S)
