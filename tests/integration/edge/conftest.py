"""One stage with one edge for all tests of this folder."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.edge.stage import Stage


@pytest.fixture(scope="session")
async def stage(redis_url: str) -> AsyncIterator[Stage]:
    stage = Stage(redis_url)
    try:
        await stage.start()
        yield stage
    finally:
        await stage.stop()


@pytest.fixture(scope="session")
async def key(stage: Stage) -> str:
    """A key of the operator's account."""
    return await stage.key()
