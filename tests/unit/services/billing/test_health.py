"""Readiness says whether this replica writes."""

from collections.abc import MutableMapping
from typing import Any

import msgspec
import pytest

from oneapi.runtime.health import Readiness
from services.billing.health import app


async def ask(readiness: Readiness, writer: bool, path: str) -> tuple[int, dict[str, Any]]:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request"}

    await app(readiness, lambda: writer)({"type": "http", "raw_path": path.encode(), "method": "GET"}, receive, send)
    return sent[0]["status"], msgspec.json.decode(sent[1]["body"])


@pytest.mark.parametrize(("writer", "role"), [(True, "writer"), (False, "standby")])
async def test_the_role_is_shown(writer: bool, role: str) -> None:
    status, body = await ask(Readiness(), writer, "/readyz")
    assert (status, body["role"]) == (200, role)


async def test_what_is_waited_for_is_named() -> None:
    readiness = Readiness("nats")
    readiness.set("clickhouse", False, "waiting for ClickHouse")
    status, body = await ask(readiness, False, "/readyz")
    assert status == 503
    assert body["missing"]["clickhouse"] == "waiting for ClickHouse"
    status, body = await ask(readiness, False, "/healthz")
    assert (status, "role" in body) == (200, False)
