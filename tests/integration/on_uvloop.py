"""Runs a folder's tests on uvloop, as the services run: its conftest imports the hook. HTTP listeners need it."""

from collections.abc import Callable

import uvloop


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], uvloop.Loop]]:
    return {"uvloop": uvloop.new_event_loop}
