"""The admin application in this process, and what a test needs to talk to it."""

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from oneapi.runtime.tasks import TaskSet
from oneapi.runtime.telemetry import HeadSampler
from services.admin.application import build
from services.admin.bootstrap import bootstrap
from services.admin.parts import Parts
from services.admin.service import make_parts
from services.admin.settings import Settings
from services.admin.store.database import database_url as resolved
from services.admin.store.migrations.upgrade import upgrade

ADMIN_TOKEN = "integration-first-administrator"
SECRET_KEY = "integration-secret-key"
Answer = TypeVar("Answer")


def settings(data_dir: Path, *, database_url: str | None = None, **replaced: Any) -> Settings:
    """Settings for tests; nothing is at their addresses unless they are replaced."""
    made = Settings(
        host="127.0.0.1",
        port=0,
        data_dir=data_dir,
        database_url=resolved(database_url, data_dir),
        nats_url="nats://127.0.0.1:1",
        nats_replicas=1,
        secret_key=SECRET_KEY,
        admin_token=ADMIN_TOKEN,
        public_url="http://gateway.test",
        router_addresses=("127.0.0.1:1",),
        billing_addresses=("127.0.0.1:1",),
        trusted_proxies=(ipaddress.ip_network("127.0.0.0/8"),),
        allow_private_upstreams=False,
        metrics_port=None,
        trace_sample=0.0,
        otlp_endpoint=None,
        log_level="info",
    )
    return replace(made, **replaced)


class Admin:
    """`client` speaks as the first administrator."""

    def __init__(self, configured: Settings) -> None:
        self.settings = configured
        self.parts: Parts = make_parts(configured)
        self._tasks = TaskSet()
        self._clients: list[httpx2.AsyncClient] = []
        self.application = build(self.parts, HeadSampler(0.0))
        self.client = self.speaking_as(ADMIN_TOKEN)
        self._open = False

    async def open(self, *, bus: bool = False) -> None:
        """Migrates and fills the database; with `bus` it also publishes."""
        self._open = True
        await upgrade(self.parts.database, bootstrap)
        if bus:
            self._tasks.spawn_forever(self.parts.bus.run, "bus")

    async def close(self) -> None:
        await self._tasks.close()
        for client in self._clients:
            await client.aclose()
        self._clients.clear()
        self.parts.public.close()
        await self.parts.reports.close()
        await self.parts.database.close()

    def speaking_as(self, token: str | None) -> httpx2.AsyncClient:
        """A client with this management token, or with none."""
        headers = {"authorization": f"Bearer {token}"} if token is not None else {}
        transport = httpx2.ASGITransport(app=self.application)
        client = httpx2.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers, timeout=30)
        self._clients.append(client)
        return client

    async def create(self, resource: str, **fields: Any) -> dict[str, Any]:
        """POST as the first administrator; the resource as it answers."""
        answer = await self.client.post(f"/api/{resource}", json=fields)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    async def token(self, role: str, account_id: str | None = None) -> httpx2.AsyncClient:
        """A client that speaks with a new management token of this role."""
        fields = {"name": role, "role": role} | ({"account_id": account_id} if account_id else {})
        return self.speaking_as((await self.create("tokens", **fields))["token"])

    async def audit(self, **narrowed: str) -> list[dict[str, Any]]:
        """Audit entries, newest first."""
        found: list[dict[str, Any]] = (await self.client.get("/api/audit", params=narrowed)).json()["data"]
        return found


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem, after checking its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["type"] == f"urn:oneapi:problem:{code}"
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


async def eventually(probe: Callable[[], Awaitable[Answer]], limit_s: float = 10.0) -> Answer:
    """The first true answer of `probe`; AssertionError with the last answer when none came in time."""
    deadline = time.monotonic() + limit_s
    while True:
        answer = await probe()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"still {answer!r} after {limit_s} s"
        await asyncio.sleep(0.02)
