"""What the integration tests share: they run on uvloop, as the services do. The servers' URLs are in tests/servers.py,
for every test."""

from collections.abc import Callable

import uvloop


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], uvloop.Loop]]:
    return {"uvloop": uvloop.new_event_loop}
