"""The whole gateway with two of each replicated service and PostgreSQL, and what these tests ask of it.

It is started the wrong way round: every service before any store, and keeps what `/readyz` said meanwhile.
"""

import asyncio
import http.client
import itertools
import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx2

from oneapi.runtime import rpc
from oneapi.stack import clickhouse_server
from oneapi.stack.processes import end
from proto.router.v1 import router_pb2, router_pb2_grpc
from tests.e2e.gateway import UpstreamServer, eventually
from tests.faults.cluster import LOGIN, Cluster
from tests.ports import free_port
from tests.servers import postgres_plan

EDGES = ("edge-1", "edge-2")
ROUTERS = ("router-1", "router-2")
GRACE_S = 3
CHAT = "/v1/chat/completions"
PRICES = {"input": "2", "output": "8"}


class Stand:
    """One cluster. `waited_for` has each service's `/readyz` from before the stores were there."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="oneapi-replicas-"))
        self.folder.chmod(0o755)  # PostgreSQL runs as another user
        self.upstream = UpstreamServer(self.folder)
        sql = free_port()
        injected = {
            "DATABASE_URL": f"postgresql+asyncpg://oneapi@127.0.0.1:{sql}/postgres",
            "ONEAPI_ROUTER_GRACE_SECONDS": str(GRACE_S),
            "ONEAPI_BILLING_LEASE_SECONDS": "1",
        }
        self.cluster = Cluster(self.folder, self.upstream.port, injected=injected, more=("mcp",), direct=True)
        self.cluster.plans["sql"] = postgres_plan(self.folder)(sql)
        self.stores = ("nats", "redis", "clickhouse", "sql")
        self.waited_for: dict[str, set[str]] = {}
        self._names = itertools.count()
        self._admin = self.cluster.admin()
        self._clients = {name: httpx2.Client(base_url=self.url(name), timeout=30) for name in EDGES}

    # Start and end

    def start(self) -> None:
        """Services first; then the stores one by one, each when the services have noticed the one before."""
        for name in self.cluster.services:
            self.cluster.run(name)
        for name in self.cluster.services:
            self.waited_for[name] = eventually(lambda name=name: self.missing(name), 60)  # type: ignore[misc]
        for store in self.stores:
            self.cluster.run(store)
            self.cluster.wait(store)
            if store == "clickhouse":
                clickhouse_server.create_database(clickhouse_server.url(self.cluster.ports["clickhouse"], LOGIN))
            if store == "nats":
                eventually(lambda: "nats" not in (self.missing("billing-1") or {"nats"}), 30)
        self.ready()

    def close(self) -> None:
        self.cluster.close()
        if "sql" in self.cluster.children:
            end([self.cluster.children["sql"]], 10)
        self.upstream.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ready(self, limit_s: float = 60) -> None:
        """Waits until every process says that it is ready."""
        for name in (*self.stores, *self.cluster.services):
            self.cluster.wait(name, limit_s)

    def mend(self) -> None:
        """Everything runs again."""
        self.cluster.mend()
        self.ready()

    # What processes say

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.cluster.ports[name]}"

    def readiness(self, name: str) -> tuple[int, dict[str, str]]:
        """Status and missing parts of `/readyz`; status 0 without an answer."""
        port = self.cluster.health.get(name, self.cluster.ports[name])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()).get("missing", {})
        except (OSError, http.client.HTTPException):
            return 0, {}
        finally:
            connection.close()

    def missing(self, name: str) -> set[str]:
        """The parts that a service waits for."""
        return set(self.readiness(name)[1])

    def explain(self, router: str, model: str) -> dict[str, tuple[bool, str]]:
        """What one router says of each channel of a model: whether it is chosen, and why."""

        async def ask() -> router_pb2.Explanation:
            channel = rpc.channel((f"127.0.0.1:{self.cluster.ports[router]}",), self.cluster.secret_key)
            async with channel:
                question = router_pb2.PickRequest(model=model, endpoint="chat", dialects=("openai_chat",))
                return await router_pb2_grpc.RouterStub(channel).Explain(question, timeout=20, wait_for_ready=True)

        return {row.channel_id: (row.chosen, row.reason) for row in asyncio.run(ask()).considered}

    def booked(self, key_id: str) -> int:
        """Requests of a key in the ledger."""
        rows = self.cluster.ledger(f"SELECT count() FROM ledger_v WHERE key_id = '{key_id}' AND line = 'main'")
        return int(rows[0][0])

    # Configuration

    def create(self, resource: str, **fields: Any) -> dict[str, Any]:
        answer = self._admin.post(f"/api/{resource}", json=fields)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    def price(self, model: str, **prices: str) -> None:
        self._admin.put(f"/api/prices/{model}", json=prices).raise_for_status()

    def channel(self, models: dict[str, str], *, edges: Iterable[str] = EDGES, **fields: Any) -> str:
        """A channel to the upstream for these models, which have prices; returns when the edges know them."""
        provider = fields.setdefault("provider", "openai-compatible")
        base_url = self.upstream.url + ("" if provider.startswith("anthropic") else "/v1")
        name = f"c{next(self._names)}"
        given = {"name": name, "base_url": base_url, "api_key": "upstream-credential", **fields}
        made = self.create("channels", models=list(models), model_mapping=models, **given)
        for model in models:
            self.price(model, **PRICES)
        key, _ = self.key(edges=edges)
        for edge, model in itertools.product(edges, models):
            eventually(lambda edge=edge, model=model: self.get(edge, key, f"/v1/models/{model}") == 200)  # type: ignore[misc]
        identity: str = made["id"]
        return identity

    def key(self, *, edges: Iterable[str] = EDGES, **fields: Any) -> tuple[str, str]:
        """A relay key that the edges know, and its id."""
        made = self.create("keys", **{"name": f"k{next(self._names)}", **fields})
        for edge in edges:
            eventually(lambda edge=edge: self.get(edge, made["key"], "/v1/models") == 200)  # type: ignore[misc]
        return made["key"], made["id"]

    def delete_key(self, identity: str) -> None:
        self._admin.delete(f"/api/keys/{identity}").raise_for_status()

    # Requests

    def get(self, edge: str, key: str, path: str) -> int:
        return self._clients[edge].get(path, headers={"authorization": f"Bearer {key}"}).status_code

    def ask(self, edge: str, key: str, model: str, *, stream: bool = False, path: str = CHAT) -> httpx2.Response:
        return self._clients[edge].post(
            path, json=body(model, stream=stream), headers={"authorization": f"Bearer {key}"}
        )

    def receipt(self, edge: str, key: str, request_id: str, limit_s: float = 15) -> dict[str, Any]:
        """A request's receipt, once it is there."""

        def read() -> dict[str, Any] | None:
            answer = self._clients[edge].get(f"/v1/receipts/{request_id}", headers={"authorization": f"Bearer {key}"})
            return dict(answer.json()) if answer.status_code == 200 else None

        found = eventually(read, limit_s)
        assert found is not None
        return found


def body(model: str, *, stream: bool = False) -> dict[str, Any]:
    """A request that Chat Completions and Messages both take."""
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": stream, "max_tokens": 4000}
