"""Routers in this process on a bus of their own, and callers of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import grpc.aio
import pytest
from nats.aio.client import Client as NatsClient
from nats.js import JetStreamContext
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from oneapi.bus.streams import ensure
from oneapi.catalog.entries import encode, kv_key
from oneapi.catalog.types import Channel
from oneapi.runtime import rpc
from oneapi.runtime.connections import connect_nats
from proto.router.v1.router_pb2_grpc import RouterStub
from services.router.process import RouterProcess
from services.router.settings import Settings
from tests.integration.on_uvloop import pytest_asyncio_loop_factories
from tests.integration.own_nats import OwnNats

__all__ = ["pytest_asyncio_loop_factories"]

SECRET = "a secret of the tests"


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

    async def publish(self, channel: Channel, traceparent: str = "") -> None:
        self.revision += 1
        store = await self.js.key_value("catalog")
        entry = encode("channel", channel.id, self.revision, channel, traceparent)
        await store.put(kv_key("channel", channel.id), entry)

    async def delete(self, channel_id: str) -> None:
        self.revision += 1
        store = await self.js.key_value("catalog")
        await store.put(kv_key("channel", channel_id), encode("channel", channel_id, self.revision, None))


@pytest.fixture
async def bus(own_nats: OwnNats) -> AsyncIterator[Bus]:
    client = await connect_nats(own_nats.url, "test")
    js = client.jetstream()
    await ensure(js)
    yield Bus(client, js)
    await client.close()


class Router:
    """A running router and a channel to it."""

    def __init__(self, nats_url: str) -> None:
        self.spans = InMemorySpanExporter()
        settings = Settings(
            host="127.0.0.1",
            port=0,
            health_port=0,
            metrics_port=None,
            nats_url=nats_url,
            secret_key=SECRET,
            log_level="info",
            trace_sample=0.0,
            otlp_endpoint=None,
        )
        self.process = RouterProcess(settings, self.spans)
        self._channel: grpc.aio.Channel | None = None

    async def start(self) -> None:
        await self.process.start()
        self._channel = rpc.channel([f"127.0.0.1:{self.process.grpc_port}"], SECRET)
        self.stub = RouterStub(self._channel)

    @property
    def health_url(self) -> str:
        return f"http://127.0.0.1:{self.process.health_port}"

    async def stop(self) -> None:
        if self._channel is not None:
            await self._channel.close()
        await self.process.drain(1.0)
        await self.process.stop()


@pytest.fixture
async def start_router() -> AsyncIterator[Callable[[str], Awaitable[Router]]]:
    """Starts routers, and stops them after the test."""
    running: list[Router] = []

    async def start(nats_url: str) -> Router:
        router = Router(nats_url)
        running.append(router)
        await router.start()
        return router

    yield start
    for router in running:
        await router.stop()
