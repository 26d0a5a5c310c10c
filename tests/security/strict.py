"""The management API as it is by default, where no private upstream is allowed: in this process.

Names are resolved by what a test says, so that a name can be made to lead anywhere.
"""

import asyncio
import functools
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2

from tests.integration.admin.gateway import Admin, settings


class StrictAdmin:
    """`answers` are the addresses that every name has."""

    def __init__(self) -> None:
        self.answers: Sequence[str] = ()
        self._loop = asyncio.new_event_loop()
        self._loop.getaddrinfo = self._resolved  # type: ignore[method-assign]  # how names become addresses is the attack
        asyncio.set_event_loop(self._loop)  # gRPC looks for one when it is made
        self._admin = Admin(settings(Path(tempfile.mkdtemp(prefix="oneapi-strict-"))))
        self._loop.run_until_complete(self._admin.open())

    def request(self, method: str, path: str, body: dict[str, Any]) -> httpx2.Response:
        """One call by the first administrator."""
        return self._loop.run_until_complete(self._admin.client.request(method, path, json=body))

    async def _resolved(self, host: Any, port: Any, **_: Any) -> list[Any]:
        if not self.answers:
            raise socket.gaierror("no such name")
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, 1, 6, "", (one, port)) for one in self.answers]


@functools.cache
def strict_admin() -> StrictAdmin:
    return StrictAdmin()
