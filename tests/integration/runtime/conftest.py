"""Every test of this folder runs on uvloop."""

from tests.integration.on_uvloop import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
