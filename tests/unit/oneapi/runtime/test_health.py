"""Readiness."""

from typing import Any

import msgspec

from oneapi.runtime.health import Readiness, asgi, ready_answer


async def ask(readiness: Readiness, path: str, method: str = "GET") -> tuple[int, Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError

    await asgi(readiness)({"type": "http", "raw_path": path.encode(), "method": method}, receive, send)
    body = sent[1]["body"]
    return sent[0]["status"], msgspec.json.decode(body) if body else None


async def test_life_does_not_depend_on_readiness() -> None:
    assert await ask(Readiness("nats"), "/healthz") == (200, {"status": "ok"})


async def test_readiness_names_what_is_missing() -> None:
    readiness = Readiness("nats", "redis")
    readiness.set("nats", ok=True)
    readiness.set("catalog", ok=False, why="loading")
    missing = {"redis": "starting", "catalog": "loading"}
    assert await ask(readiness, "/readyz") == (503, {"status": "not ready", "missing": missing})
    assert readiness.missing() == missing
    ready_before = readiness.ready
    for part in missing:
        readiness.set(part, ok=True)
    assert await ask(readiness, "/readyz") == (200, {"status": "ready"})
    assert (ready_before, readiness.ready) == (False, True)
    readiness.set("redis", ok=False)
    assert ready_answer(readiness) == (503, {"status": "not ready", "missing": {"redis": "not ready"}})


async def test_nothing_else_is_answered() -> None:
    assert (await ask(Readiness(), "/metrics"))[0] == 404
    assert await ask(Readiness(), "/readyz", "HEAD") == (200, None)


def test_what_is_missing_is_a_copy() -> None:
    readiness = Readiness("a")
    readiness.missing().clear()
    assert not readiness.ready
