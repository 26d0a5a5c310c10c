"""The MCP gateway in this process, on a bus of its own, with real tool servers behind it."""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import msgspec
import nats.errors
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import MCPServer
from nats.aio.client import Client as NatsClient
from nats.js import JetStreamContext
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from oneapi.bus.streams import ensure
from oneapi.catalog.entries import encode, kv_key
from oneapi.catalog.types import Account, McpServer, RelayKey
from oneapi.runtime.connections import connect_nats
from oneapi.runtime.door.answers import small_json
from oneapi.runtime.door.limits import DoorLimits
from oneapi.runtime.http_server import HttpServer
from oneapi.runtime.relay_keys import KeyHasher, mint
from oneapi.runtime.sealing import Sealer
from services.mcp.door import LIMITS
from services.mcp.process import McpProcess
from services.mcp.settings import Settings
from tests.integration.on_uvloop import pytest_asyncio_loop_factories
from tests.integration.own_nats import OwnNats

__all__ = ["pytest_asyncio_loop_factories"]

SECRET = "a secret of the tests"
ACCOUNT = Account(id="acc_1", name="one", unlimited=True)


@pytest.fixture
def stopped_nats() -> Iterator[OwnNats]:
    """A server that the test starts, and may kill."""
    server = OwnNats()
    yield server
    server.close()


@pytest.fixture
def own_nats(stopped_nats: OwnNats) -> OwnNats:
    stopped_nats.start()
    return stopped_nats


@dataclass
class Bus:
    """What the configuration's owner would do on the bus."""

    client: NatsClient
    js: JetStreamContext
    revision: int = 0
    sealer: Sealer = field(default_factory=lambda: Sealer(SECRET))
    hasher: KeyHasher = field(default_factory=lambda: KeyHasher(SECRET))

    async def _put(self, bucket: str, kind: str, id: str, value: msgspec.Struct | None) -> None:  # noqa: A002
        self.revision += 1
        store = await self.js.key_value(bucket)
        await store.put(kv_key(kind, id), encode(kind, id, self.revision, value))

    async def account(self, account: Account) -> None:
        await self._put("catalog", "account", account.id, account)

    async def server(self, id: str, url: str, **fields: Any) -> None:  # noqa: A002 - the field's own name
        await self._put("catalog", "mcp_server", id, McpServer(**({"id": id, "name": id, "url": url} | fields)))

    async def remove_server(self, id: str) -> None:  # noqa: A002 - the field's own name
        await self._put("catalog", "mcp_server", id, None)

    async def key(self, text: str | None = None, **fields: Any) -> str:
        text = text or mint()
        settings = {"id": "key_1", "name": "test", "account_id": ACCOUNT.id} | fields
        await self._put("keys", "key", self.hasher.hash(text), RelayKey(**settings))
        return text

    def sealed_auth(self, id: str, secret: str) -> str:  # noqa: A002 - the field's own name
        return self.sealer.seal(secret, bound_to=f"mcp_server/{id}/auth")

    def sealed_header(self, id: str, name: str, secret: str) -> dict[str, str]:  # noqa: A002 - the field's own name
        return {name: self.sealer.seal(secret, bound_to=f"mcp_server/{id}/headers/{name}")}


@pytest.fixture
async def bus(own_nats: OwnNats) -> AsyncIterator[Bus]:
    client = await connect_nats(own_nats.url, "test")
    js = client.jetstream()
    await ensure(js)
    bus = Bus(client, js)
    await bus.account(ACCOUNT)
    yield bus
    await client.close()


class Gateway:
    """A running gateway and clients of it."""

    def __init__(self, nats_url: str, *, limits: DoorLimits = LIMITS, **settings: Any) -> None:
        self.spans = InMemorySpanExporter()
        defaults: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": 0,
            "metrics_port": None,
            "nats_url": nats_url,
            "secret_key": SECRET,
            "public_url": "https://gateway.example",
            "allowed_origins": (),
            "trusted_proxies": (ipaddress.ip_network("127.0.0.0/8"),),
            "allow_private_upstreams": True,
            "call_limit_s": 5.0,
            "log_level": "info",
            "trace_sample": 0.0,
            "otlp_endpoint": None,
        }
        self.process = McpProcess(Settings(**(defaults | settings)), self.spans, limits)

    async def start(self) -> None:
        await self.process.start()
        self.url = f"http://127.0.0.1:{self.process.port}"

    async def get(self, path: str) -> httpx2.Response:
        async with httpx2.AsyncClient(trust_env=False, timeout=20) as http:
            return await http.get(f"{self.url}{path}")

    async def ready(self) -> None:
        """Returns once it can serve."""
        async with asyncio.timeout(15):
            while True:
                if (await self.get("/readyz")).status_code == 200:
                    return
                await asyncio.sleep(0.02)

    async def hear(self) -> None:
        """Returns once it has heard of each new key: one may be used before every process has."""
        connection = self.process._nats
        if connection is not None and connection.is_connected:
            # A bus that was killed just now doesn't answer.
            with contextlib.suppress(TimeoutError, OSError, nats.errors.Error):
                await connection.flush(timeout=1)

    @contextlib.asynccontextmanager
    async def client(self, key: str, mode: str = "auto", **headers: str) -> AsyncIterator[Client]:
        """The official client, with this key."""
        await self.hear()
        async with httpx2.AsyncClient(
            headers={"authorization": f"Bearer {key}"} | headers, timeout=20, trust_env=False
        ) as http:
            connection = Client(streamable_http_client(f"{self.url}/mcp", http_client=http), mode=mode, cache=None)
            async with connection as client:
                yield client

    async def post(
        self, body: Any, *, path: str = "/mcp", method: str = "POST", **headers: str | bytes
    ) -> httpx2.Response:
        """One raw request; a body that is not bytes is sent as JSON."""
        given: dict[str, Any] = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        await self.hear()
        async with httpx2.AsyncClient(trust_env=False, timeout=20) as http:
            return await http.request(method, f"{self.url}{path}", content=content, headers=given | headers)


StartGateway = Callable[..., Awaitable[Gateway]]


@pytest.fixture
async def start_gateway() -> AsyncIterator[StartGateway]:
    """Starts gateways, and stops them after the test."""
    running: list[Gateway] = []

    async def start(nats_url: str, **settings: Any) -> Gateway:
        gateway = Gateway(nats_url, **settings)
        running.append(gateway)
        await gateway.start()
        return gateway

    yield start
    for gateway in running:
        await gateway.process.drain(1.0)
        await gateway.process.stop()


class Tools:
    """A real tool server. It keeps the headers of each request that reaches it, with the JSON-RPC method."""

    def __init__(self, server: MCPServer, **options: Any) -> None:
        self.seen: list[tuple[str, dict[str, str]]] = []
        self._app = server.streamable_http_app(**options)
        self._sessions = server.session_manager
        self._listener = HttpServer(self._record, "127.0.0.1", 0, render=small_json, lifespan="on")

    async def _record(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def heard() -> Any:
            message = await receive()
            if message.get("body"):
                method = msgspec.json.decode(message["body"]).get("method", "")
                headers = {name.decode(): value.decode() for name, value in scope["headers"]}
                self.seen.append((method, headers))
            return message

        await self._app(scope, heard, send)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}/mcp"

    def headers_of(self, method: str) -> list[dict[str, str]]:
        return [headers for seen, headers in self.seen if seen == method]

    async def start(self) -> None:
        await self._listener.start()

    async def stop(self) -> None:
        await self._listener.stop(1.0)


StartTools = Callable[..., Awaitable[Tools]]


@pytest.fixture
async def start_tools() -> AsyncIterator[StartTools]:
    """Starts tool servers, and stops them after the test."""
    running: list[Tools] = []

    async def start(server: MCPServer, **options: Any) -> Tools:
        tools = Tools(server, **options)
        running.append(tools)
        await tools.start()
        return tools

    yield start
    for tools in running:
        await tools.stop()
