"""What goes on when something else is gone, and that the order of starting doesn't matter."""

from collections.abc import Iterable
from pathlib import Path

import httpx2
import pytest

from tests.e2e.gateway import eventually
from tests.e2e.tool_server import ToolServer
from tests.replicas.stand import EDGES, GRACE_S, ROUTERS, Stand


def serve(stand: Stand, key: str, model: str, count: int = 6) -> list[tuple[str, httpx2.Response]]:
    """Requests over both edges, streams and not; each must be answered whole."""
    answers = []
    for turn in range(count):
        edge, stream = EDGES[turn % 2], turn % 4 >= 2
        answer = stand.ask(edge, key, model, stream=stream)
        assert answer.status_code == 200, (edge, answer.text)
        assert not stream or answer.text.endswith("data: [DONE]\n\n")
        answers.append((edge, answer))
    return answers


def stop(stand: Stand, names: Iterable[str]) -> None:
    for name in names:
        stand.cluster.kill(name)


def spooled(stand: Stand) -> int:
    """Bytes in the spools of both edges."""
    files: list[Path] = [path for edge in EDGES for path in (stand.folder / edge / "spool").rglob("*")]
    return sum(path.stat().st_size for path in files if path.is_file())


def test_services_that_start_before_the_stores_say_what_they_wait_for(started: Stand) -> None:
    waited = started.waited_for
    for name in EDGES:
        assert {"nats", "catalog", "redis", "router"} <= waited[name]
    for name in (*ROUTERS, "mcp"):
        assert waited[name] == {"catalog"}
    for name in ("billing-1", "billing-2"):
        assert {"nats", "redis", "clickhouse"} <= waited[name]
    assert {"sql", "nats"} <= waited["admin"]
    assert {name: started.readiness(name)[0] for name in started.cluster.services} == dict.fromkeys(
        started.cluster.services, 200
    )


def test_models_are_served_without_admin_mcp_and_sql(stand: Stand) -> None:
    stand.channel({"unmanaged": "play:tokens=3"})
    key, _ = stand.key()
    stop(stand, ("admin", "mcp", "sql"))
    for edge, answer in serve(stand, key, "unmanaged"):
        assert stand.receipt(edge, key, answer.headers["x-request-id"])["usage"] == {"input": 11, "output": 3}
    for edge in EDGES:
        assert stand.readiness(edge)[0] == 200
        for path in ("/mcp", "/api/status"):
            away = httpx2.get(stand.url(edge) + path, headers={"authorization": f"Bearer {key}"})
            assert away.status_code == 503
            assert int(away.headers["retry-after"]) >= 1


async def test_tools_are_served_without_edges_and_admin(stand: Stand) -> None:
    tools = ToolServer()
    try:
        stand.create("mcp-servers", name="alone", url=tools.url)
        key, _ = stand.key()
        stop(stand, (*EDGES, "admin", "sql"))
        url = stand.url("mcp")
        assert await tools.call_through(url, {"authorization": f"Bearer {key}"}, "add", {"a": 2, "b": 3}) == "5"
        assert stand.readiness("mcp")[0] == 200
    finally:
        tools.stop()


def test_without_routers_the_last_plan_serves_for_the_grace(stand: Stand) -> None:
    stand.channel({"planned": "play:tokens=3"})
    key, _ = stand.key()
    serve(stand, key, "planned")
    stop(stand, ROUTERS)
    serve(stand, key, "planned")
    for edge in EDGES:
        refused = eventually(lambda edge=edge: turned_away(stand, edge, key), GRACE_S + 5)  # type: ignore[misc]
        assert refused is not None
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["error"]["code"] == "router_unavailable"
        assert eventually(lambda edge=edge: stand.readiness(edge)[1]) == {"router": "no router answers"}  # type: ignore[misc]
    stand.mend()
    serve(stand, key, "planned")


def turned_away(stand: Stand, edge: str, key: str) -> httpx2.Response | None:
    """The refusal, once an edge refuses."""
    answer = stand.ask(edge, key, "planned")
    assert answer.status_code in {200, 503}, answer.text
    return answer if answer.status_code == 503 else None


@pytest.mark.parametrize("store", ["nats", "clickhouse"])
def test_models_are_served_without_the_way_to_the_ledger(stand: Stand, store: str) -> None:
    model = f"without-{store}"
    stand.channel({model: "play:tokens=3"})
    key, identity = stand.key()
    for edge, answer in serve(stand, key, model):
        stand.receipt(edge, key, answer.headers["x-request-id"])
    stop(stand, (store,))
    before = spooled(stand)
    answers = serve(stand, key, model, 20)
    assert spooled(stand) > before
    assert [stand.readiness(edge)[0] for edge in EDGES] == [200, 200]
    stand.mend()
    for edge, answer in answers:
        assert stand.receipt(edge, key, answer.headers["x-request-id"])["usage"] == {"input": 11, "output": 3}
    assert stand.booked(identity) == 6 + 20
