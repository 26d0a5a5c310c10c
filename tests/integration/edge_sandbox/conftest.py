"""An edge whose sandbox is asked, and clients from networks of their own."""

import zlib
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.integration.edge.stage import Stage


@pytest.fixture(scope="module")
async def stage(redis_url: str) -> AsyncIterator[Stage]:
    """An edge of its own, which believes what tests say of their address: each test comes from another network."""
    stage = Stage(redis_url, {"ONEAPI_TRUSTED_PROXIES": "127.0.0.0/8", "ONEAPI_TRACE_SAMPLE": "1"})
    try:
        await stage.start()
        yield stage
    finally:
        await stage.stop()


@pytest.fixture
def source(request: pytest.FixtureRequest) -> str:
    """An address in a network that no other test comes from."""
    number = zlib.crc32(request.node.nodeid.encode()) % 2**16
    return f"10.{number >> 8}.{number & 255}.1"


@pytest.fixture
async def http(stage: Stage, source: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=stage.url, headers={"x-forwarded-for": source}, timeout=30) as client:
        yield client
