"""Runs a folder's tests on uvloop, as the services run: its conftest imports the hook. HTTP listeners need it."""

import warnings
from collections.abc import Callable

import uvloop


class Loop(uvloop.Loop):
    def close(self) -> None:
        # It closes what a test has left open, and warns of each. Where warnings are errors, as in these tests, an
        # error inside uvloop would leave that handle open, and the close would wait for its end for ever.
        with warnings.catch_warnings():
            warnings.simplefilter("always", ResourceWarning)
            super().close()


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], uvloop.Loop]]:
    return {"uvloop": Loop}
