"""What an edge needs around it, for tests: a bus with a catalog, a router and a billing service that do as they are
told, the services behind it, an upstream, and the edge itself as a process."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import grpc.aio
import httpx2
import msgspec
import nats.errors
import openai
from nats.js import JetStreamContext

from oneapi.bus.streams import ensure
from oneapi.bus.subjects import BUCKET_CATALOG, BUCKET_KEYS, STREAM_LEDGER
from oneapi.catalog.entries import encode, kv_key, price_id
from oneapi.catalog.types import Account, Channel, ChannelLimits, Price, PriceVersion, RelayKey
from oneapi.runtime import rpc
from oneapi.runtime.connections import connect_nats, connect_redis
from oneapi.runtime.redis_functions import MoneyFunctions
from oneapi.runtime.redis_functions import ensure as ensure_functions
from oneapi.runtime.relay_keys import KeyHasher, mint
from oneapi.runtime.sealing import Sealer
from proto.events.v1.events_pb2 import UsageBatch, UsageSettled
from proto.router.v1 import router_pb2_grpc
from tests.integration.edge.fakes import Behind, FakeBilling, FakeRouter, Upstream
from tests.integration.own_nats import OwnNats
from tests.ports import free_port
from tests.servers import unique_name

ROOT = Path(__file__).parents[3]
SECRET = "a secret key for the tests of the edge"
RATES = {"input": 2_000_000, "cached_input": 500_000, "output": 8_000_000}
"""Pico-USD per token: 2, 0.5 and 8 USD per million."""
REFUSING = {"enabled", "expires_at_ms", "allowed_ips"}
"""Fields of a key with which nobody is let in."""
Found = TypeVar("Found")


async def eventually(probe: Callable[[], Awaitable[Found | None]], limit_s: float = 10.0) -> Found:
    """The first true answer of a probe."""
    deadline = time.monotonic() + limit_s
    while True:
        found = await probe()
        if found:
            return found
        assert time.monotonic() < deadline, f"still {found!r} after {limit_s} s"
        await asyncio.sleep(0.02)


class Stage:
    """Everything around one edge; `await start()` returns when the edge is ready."""

    def __init__(self, redis_url: str, environment: dict[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="oneapi-edge-"))
        self.nats = OwnNats()
        self.redis_url = redis_url
        self.sealer = Sealer(SECRET)
        self.hasher = KeyHasher(SECRET)
        self.channels: dict[str, Channel] = {}
        self.router = FakeRouter(self.channels)
        self.billing = FakeBilling()
        self.mcp, self.admin = Behind("mcp"), Behind("admin")
        self.upstream = Upstream(self.folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: asyncio.subprocess.Process | None = None
        self.log = self.folder / "edge.log"
        self.router_port, self.billing_port = free_port(), free_port()
        self._environment = environment or {}
        self.keys: dict[str, RelayKey] = {}
        self._servers: list[grpc.aio.Server] = []
        self._revision = 0
        self._events: list[UsageSettled] = []
        self._read = 0

    async def start(self) -> None:
        self.nats.start()
        self.client = await connect_nats(self.nats.url, "stage")
        self.js: JetStreamContext = self.client.jetstream()
        await ensure(self.js)
        self._redis = connect_redis(self.redis_url, socket_timeout=5)
        await ensure_functions(self._redis)
        await self.start_router()
        server = rpc.server(SECRET)
        self.billing.add_to(server)
        server.add_insecure_port(f"127.0.0.1:{self.billing_port}")
        await server.start()
        self._servers.append(server)
        await self.mcp.start()
        await self.admin.start()
        await self.upstream.start()
        self.operator = await self.account(unlimited=True)
        await self.start_edge()

    async def start_router(self) -> None:
        server = rpc.server(SECRET)
        router_pb2_grpc.add_RouterServicer_to_server(self.router, server)
        server.add_insecure_port(f"127.0.0.1:{self.router_port}")
        await server.start()
        self.router_server = server

    def environment(self, port: int, folder: Path) -> dict[str, str]:
        """What an edge of this stage is told."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ONEAPI_", "OTEL_"))},
            "ONEAPI_PORT": str(port),
            "ONEAPI_ROUTER_ADDR": f"127.0.0.1:{self.router_port}",
            "ONEAPI_BILLING_ADDR": f"127.0.0.1:{self.billing_port}",
            "ONEAPI_MCP_URL": self.mcp.url,
            "ONEAPI_ADMIN_URL": self.admin.url,
            "NATS_URL": self.nats.url,
            "REDIS_URL": self.redis_url,
            "ONEAPI_SECRET_KEY": SECRET,
            "ONEAPI_DATA_DIR": str(folder),
            "ONEAPI_ALLOW_PRIVATE_UPSTREAMS": "1",
            "ONEAPI_PARENT_DEATH": "1",
            **self._environment,
        }

    async def start_edge(self) -> None:
        environment = self.environment(self.port, self.folder)
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.edge", cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        await eventually(self.ready, 30)

    async def ready(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, self.log.read_text()[-4000:]
        try:
            async with self.http() as http:
                return (await http.get("/readyz")).status_code == 200
        except httpx2.TransportError:
            return False

    async def stop_edge(self) -> float:
        """SIGTERM; seconds until it was gone."""
        began = time.monotonic()
        if self.process is None:
            return 0.0
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(40):
            await self.process.wait()
        return time.monotonic() - began

    async def stop(self) -> None:
        await self.stop_edge()
        await self.router_server.stop(None)
        for server in self._servers:
            await server.stop(None)
        await self.mcp.stop()
        await self.admin.stop()
        await self.upstream.stop()
        await self._redis.aclose()
        await self.client.close()
        self.nats.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # What is asked

    def http(self, key: str | None = None) -> httpx2.AsyncClient:
        headers = {"authorization": f"Bearer {key}"} if key is not None else {}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=30)

    def openai(self, key: str) -> openai.AsyncOpenAI:
        """OpenAI's SDK, which doesn't try again."""
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0)

    async def raw(self, request: bytes, limit_s: float = 30.0) -> bytes:
        """What comes back for these bytes until the edge closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            async with asyncio.timeout(limit_s):
                writer.write(request)
                await writer.drain()
                return await reader.read(-1)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    # What is configured

    async def put(self, kind: str, id: str, value: msgspec.Struct | None) -> None:  # noqa: A002 - the entry's own word
        self._revision += 1
        bucket = await self.js.key_value(BUCKET_KEYS if kind == "key" else BUCKET_CATALOG)
        await bucket.put(kv_key(kind, id), encode(kind, id, self._revision, value))

    async def account(self, credit_nano: int = 0, **fields: Any) -> Account:
        """A new account, open in Redis."""
        account = Account(id=unique_name("acc"), name="test", **fields)
        functions = MoneyFunctions(self._redis)
        assert await functions.rebuild(account.id, "first", 1)
        assert await functions.open(account.id, "first", epoch="e", pver=1, credits=credit_nano, posted=0, scopes={})
        await self.put("account", account.id, account)
        return account

    async def key(self, account: Account | None = None, **fields: Any) -> str:
        """A new relay key; the edge knows it, and its account, when this returns, unless it is one to be refused."""
        text = mint()
        record = RelayKey(
            id=unique_name("key"), name="test", account_id=(account or self.operator).id, user_id="user_1", **fields
        )
        self.keys[text] = record
        await self.put("key", self.hasher.hash(text), record)
        if (account or self.operator).enabled and not fields.keys() & REFUSING:
            await eventually(lambda: self._lets_in(text))
        return text

    async def _lets_in(self, key: str) -> bool:
        async with self.http(key) as http:
            return (await http.get("/v1/models")).status_code == 200

    async def change_key(self, text: str, record: RelayKey | None) -> None:
        await self.put("key", self.hasher.hash(text), record)

    async def channel(
        self,
        models: dict[str, str],
        *,
        price: dict[str, int] | None = RATES,
        limits: dict[str, Any] | None = None,
        listed: bool = True,
        api_key: str = "upstream-credential",
        **fields: Any,
    ) -> Channel:
        """A channel to the upstream, known to the edge when this returns."""
        identity = unique_name("ch")
        provider = fields.setdefault("provider", "openai-compatible")
        at_root = provider.startswith(("anthropic", "cohere", "bedrock")) or provider == "gemini"
        base_url = self.upstream.url if at_root else f"{self.upstream.url}/v1"
        channel = Channel(
            id=identity,
            name=identity,
            models=tuple(models),
            model_mapping={name: upstream for name, upstream in models.items() if upstream},
            api_key_sealed=self.sealer.seal(api_key, bound_to=f"channel/{identity}/api_key"),
            limits=ChannelLimits(**(limits or {})),
            **{"base_url": base_url, **fields},
        )
        self.channels[identity] = channel
        await self.put("channel", identity, channel)
        for model in models:
            if price is not None:
                version = PriceVersion(id=f"price-{model}", effective_from_ms=0, rates=price)
                await self.put("price", price_id(model), Price(model=model, versions=(version,)))
        await self.known(*(models if listed else ()))
        return channel

    async def known(self, *models: str) -> None:
        """Waits until the edge lists these models, and what was put before."""
        marker = unique_name("marker")
        await self.put(
            "channel",
            marker,
            Channel(
                id=marker, name=marker, provider="openai-compatible", models=(marker,), base_url="http://127.0.0.1:9/v1"
            ),
        )
        key = await self.key()
        async with self.http(key) as http:

            async def listed() -> bool:
                answer = await http.get("/v1/models")
                return {marker, *models} <= {row["id"] for row in answer.json().get("data", [])}

            await eventually(listed)

    # What was billed

    async def event(self, request_id: str = "", *, client_request_id: str = "") -> UsageSettled:
        """The terminal record of a request, as billing gets it."""

        async def find() -> UsageSettled | None:
            await self._read_stream()
            return next(
                (
                    event
                    for event in self._events
                    if (event.request_id == request_id if request_id else event.client_request_id == client_request_id)
                ),
                None,
            )

        return await eventually(find)

    async def _read_stream(self) -> None:
        try:
            last = (await self.js.stream_info(STREAM_LEDGER)).state.last_seq
            while self._read < last:
                message = await self.js.get_msg(STREAM_LEDGER, self._read + 1)
                self._read += 1
                batch = UsageBatch()
                batch.ParseFromString(message.data or b"")
                self._events += batch.events
        except (nats.errors.Error, OSError, TimeoutError):
            # The bus is away for the moment.
            return
