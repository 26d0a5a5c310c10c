"""A NATS server that a test may stop, kill, start again and empty, and waiting for conditions."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from oneapi.bus.streams import ensure
from oneapi.runtime.connections import connect_nats
from oneapi.stack import nats_server, programs
from oneapi.stack.machine import Machine
from oneapi.stack.plan import Login
from oneapi.stack.processes import Child, end
from tests.ports import free_port
from tests.servers import PREFIX

LOGIN = Login("oneapi", "tests-only")


class OwnNats:
    """One server with a port and a folder of its own."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-nats-"))
        self._port = free_port()
        self._plan = nats_server.plan(programs.nats(Machine()), self._folder, self._port, LOGIN)
        self._child: Child | None = None
        self.url = nats_server.url(self._port, LOGIN)

    def start(self) -> None:
        """Starts it and waits until JetStream answers."""
        self._child = self._plan.start()
        self._child.wait_until(self._plan.ready, 15)

    def kill(self) -> None:
        """SIGKILL, as a crash would be."""
        if self._child is not None:
            self._child.signal(signal.SIGKILL)
            self._child.reap()
            self._child = None

    def close(self) -> None:
        """Ends it and deletes its data."""
        if self._child is not None:
            end([self._child], 5)
        shutil.rmtree(self._folder, ignore_errors=True)


async def until(condition: Callable[[], bool], limit_s: float = 10.0) -> None:
    """Waits for a condition, for `limit_s` seconds at most."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        await asyncio.sleep(0.01)


@pytest.fixture
def own_nats() -> Iterator[OwnNats]:
    """A running server without any stream, which the test may kill."""
    server = OwnNats()
    server.start()
    yield server
    server.close()


@pytest.fixture
async def connection(own_nats: OwnNats) -> AsyncIterator[Client]:
    """A connection to the test's own server."""
    client = await connect_nats(own_nats.url, "test")
    yield client
    await client.close()


@pytest.fixture
async def js(connection: Client) -> JetStreamContext:
    """JetStream of the test's own server, with the streams and buckets of the gateway."""
    context = connection.jetstream()
    await ensure(context)
    return context
