"""Two edges, two routers, two billings, admin and the stores, each a process of its own, joined through the proxy.

What a fault needs is here: kill, suspend, restart, and the proxy's toxics by hop.
"""

import contextlib
import dataclasses
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import nats
import redis
from nats.js import JetStreamContext

from oneapi.stack import clickhouse_server, nats_server, programs, redis_server
from oneapi.stack.machine import Machine
from oneapi.stack.plan import Login, Plan
from oneapi.stack.problem import StackProblem
from oneapi.stack.processes import Child, end
from oneapi.stack.service_plans import readiness
from tests.e2e.gateway import ROOT
from tests.ports import free_port

LOGIN = Login("oneapi", "faults-only")
SERVICES = ("admin", "router-1", "router-2", "billing-1", "billing-2", "edge-1", "edge-2")
HOPS = {
    "edge-redis": "redis",
    "edge-nats": "nats",
    "billing-nats": "nats",
    "billing-redis": "redis",
    "billing-clickhouse": "clickhouse",
}


INJECTION = Path(__file__).with_name("injection")
EDGES = ("edge-1", "edge-2")
BILLINGS = ("billing-1", "billing-2")


class Cluster:
    """Starts everything in its constructor's order; `close` ends all of it.

    `root` is the project whose services are run. With more than one of `nats_nodes` they form a cluster, which is not
    reached through the proxy. `injected` is put into every service's environment. `more` services may run beside the
    usual ones. With `direct` they reach the stores without the proxy.
    """

    edges = EDGES

    def __init__(
        self,
        folder: Path,
        upstream_port: int,
        root: Path = ROOT,
        *,
        nats_nodes: int = 1,
        injected: Mapping[str, str] | None = None,
        more: tuple[str, ...] = (),
        direct: bool = False,
    ) -> None:
        self.folder = folder
        self.services = (*SERVICES, *more)
        self._direct = direct
        self.root = root
        self.nats_names = ("nats",) if nats_nodes == 1 else tuple(f"nats-{n + 1}" for n in range(nats_nodes))
        self.stores = (*self.nats_names, "redis", "clickhouse")
        self.injected = dict(injected or {})
        self.ports = {name: free_port() for name in (*self.stores, *self.services, *HOPS, "edge-upstream")}
        self.health = {name: free_port() for name in ("router-1", "router-2", "billing-1", "billing-2")}
        self.admin_token = f"faults-{secrets.token_hex(16)}"
        self.secret_key = secrets.token_hex(32)
        self.upstream_port = upstream_port
        self.children: dict[str, Child] = {}
        self.plans: dict[str, Plan] = {}
        self._proxy = self._start_proxy()
        self._plan_stores()
        self._plan_services()

    def start(self) -> None:
        """Every store, then every service; returns when all are ready."""
        for name in (*self.stores, *self.services):
            self.run(name)
            if name == "clickhouse":
                self.wait(name)
                clickhouse_server.create_database(self._clickhouse(self.ports["clickhouse"]))
        for name in (*self.stores, *self.services):
            self.wait(name)

    def run(self, name: str, extra: Mapping[str, str] | None = None) -> None:
        """Starts one process, without waiting; `extra` is for its environment, this time only."""
        plan = self.plans[name]
        if extra:
            plan = dataclasses.replace(plan, env={**(plan.env or {}), **extra})
        self.children[name] = plan.start()

    def restart(self, name: str, extra: Mapping[str, str] | None = None) -> None:
        """Kills a process and starts it again; returns when it is ready."""
        self.kill(name)
        self.run(name, extra)
        self.wait(name)

    def runs(self, name: str) -> bool:
        return self.children[name].exit_code() is None

    def wait(self, name: str, limit_s: float = 60) -> None:
        """Until one process says that it is ready."""
        self.children[name].wait_until(self.plans[name].ready, limit_s)

    def kill(self, name: str) -> None:
        """kill -9, and the end of it seen."""
        self.children[name].signal(signal.SIGKILL)
        self.children[name].reap()

    def terminate(self, name: str, limit_s: float = 60) -> None:
        """SIGTERM, as a rolling restart does."""
        end([self.children[name]], limit_s)

    def suspend(self, name: str) -> None:
        self.children[name].signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        self.children[name].signal(signal.SIGCONT)

    def poison(self, hop: str, toxic: str, seconds: float = 0, *, needle: str = "", count: int = 1) -> int:
        """Applies one of the proxy's toxics to a hop; how many replies it still has to drop."""
        assert self._proxy.stdin is not None
        assert self._proxy.stdout is not None
        command = {"hop": hop, "toxic": toxic, "seconds": seconds, "needle": needle, "count": count}
        self._proxy.stdin.write(json.dumps(command).encode() + b"\n")
        self._proxy.stdin.flush()
        return int(self._proxy.stdout.readline())

    @contextlib.asynccontextmanager
    async def jetstream(self) -> AsyncIterator[JetStreamContext]:
        """A connection of its own to the bus, not through the proxy."""
        client = await nats.connect(self._nats_urls(), connect_timeout=5, max_reconnect_attempts=20)
        try:
            yield client.jetstream(timeout=10)
        finally:
            await client.close()

    def writer(self) -> str:
        """The billing that writes; "" while there is none."""
        for name in BILLINGS:
            with contextlib.suppress(httpx2.TransportError):
                answer = httpx2.get(f"http://127.0.0.1:{self.health[name]}/readyz", timeout=2).json()
                if answer.get("role") == "writer":
                    return name
        return ""

    def mend(self) -> None:
        """Everything runs again, as it does without faults."""
        for name, child in self.children.items():
            child.signal(signal.SIGCONT)
            if not self.runs(name):
                self.run(name)
        for hop, store in HOPS.items():
            if store in self.stores:
                self.poison(hop, "heal")

    def redis(self) -> "redis.Redis":
        """A client of its own to Redis, not through the proxy."""
        url = redis_server.url(self.ports["redis"], LOGIN)
        return redis.Redis.from_url(url, decode_responses=True, socket_timeout=5)

    def ledger(self, query: str) -> list[list[Any]]:
        """Rows of a query on ClickHouse."""
        text = clickhouse_server.ask(self._clickhouse(self.ports["clickhouse"]), f"{query} FORMAT JSONCompact")
        rows: list[list[Any]] = json.loads(text)["data"]
        return rows

    def edge_urls(self) -> list[str]:
        return [f"http://127.0.0.1:{self.ports[name]}" for name in EDGES]

    def admin(self) -> httpx2.Client:
        headers = {"authorization": f"Bearer {self.admin_token}"}
        return httpx2.Client(base_url=f"http://127.0.0.1:{self.ports['admin']}", headers=headers, timeout=30)

    def verify(self) -> "subprocess.CompletedProcess[str]":
        """`oneapi ledger verify` on this cluster."""
        environment = self._environment("billing-1", direct=True)
        command = [sys.executable, "-m", "services.billing.verify"]
        return subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def close(self) -> None:
        for child in self.children.values():
            child.signal(signal.SIGCONT)
        end([self.children[name] for name in self.services if name in self.children], 20)
        end([self.children[name] for name in self.stores if name in self.children], 10)
        self._proxy.kill()
        self._proxy.wait()

    def _start_proxy(self) -> "subprocess.Popen[bytes]":
        hops = [f"{hop}={self.ports[hop]}:{self.ports[store]}" for hop, store in HOPS.items() if store in self.stores]
        hops.append(f"edge-upstream={self.ports['edge-upstream']}:{self.upstream_port}")
        command = [sys.executable, "-m", "tests.faults.proxy", *hops]
        proxy = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert proxy.stdout is not None
        assert proxy.stdout.readline() == b"ready\n"
        return proxy

    def _plan_stores(self) -> None:
        machine = Machine()
        for name in self.nats_names:
            self.plans[name] = nats_server.plan(programs.nats(machine), self.folder / name, self.ports[name], LOGIN)
        if len(self.nats_names) > 1:
            self._join_nats()
        self.plans["redis"] = redis_server.plan(
            programs.redis(machine), self.folder / "redis", self.ports["redis"], LOGIN
        )
        self.plans["clickhouse"] = clickhouse_server.plan(
            programs.clickhouse(machine), self.folder / "clickhouse", self.ports["clickhouse"], LOGIN
        )

    def _plan_services(self) -> None:
        for name in self.services:
            service = name.partition("-")[0]
            port = self.health.get(name, self.ports[name])
            self.plans[name] = Plan(
                name=name,
                command=(sys.executable, "-m", f"services.{service}"),
                log=self.folder / f"{name}.log",
                ready=lambda port=port: readiness("127.0.0.1", port)[0] == 200,  # type: ignore[misc]
                env=self._environment(name, direct=self._direct),
                cwd=self.root,
            )

    def _join_nats(self) -> None:
        """Makes one cluster of the NATS servers."""
        ports = {name: free_port() for name in self.nats_names}
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports.values())
        for name, port in ports.items():
            path = self.folder / name / "nats.conf"
            text = path.read_text().replace("server_name: oneapi", f"server_name: {name}")
            path.write_text(f'{text}cluster {{ name: faults, listen: "127.0.0.1:{port}", routes: [{routes}] }}\n')

    def _nats_urls(self) -> list[str]:
        return [nats_server.url(self.ports[name], LOGIN) for name in self.nats_names]

    def _clickhouse(self, port: int) -> str:
        return clickhouse_server.url(port, LOGIN)

    def _environment(self, name: str, *, direct: bool = False) -> dict[str, str]:
        service = name.partition("-")[0]

        def hop(store: str) -> int:
            through = f"{service}-{store}"
            return self.ports[store if direct or through not in self.ports else through]

        address = "127.0.0.1:{}".format
        clustered = len(self.nats_names) > 1
        return {
            **self.injected,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{INJECTION}{os.pathsep}{self.root}",
            "ONEAPI_DATA_DIR": str(self.folder / name),
            "ONEAPI_SECRET_KEY": self.secret_key,
            "ONEAPI_ADMIN_TOKEN": self.admin_token,
            "ONEAPI_ALLOW_PRIVATE_UPSTREAMS": "1",
            "ONEAPI_DRAIN_SECONDS": "20",
            "ONEAPI_EDGE_ID": name,
            "ONEAPI_TRACE_SAMPLE": "0",
            "NATS_URL": ",".join(self._nats_urls()) if clustered else nats_server.url(hop("nats"), LOGIN),
            "ONEAPI_NATS_REPLICAS": str(len(self.nats_names)),
            "ONEAPI_BILLING_REPLICA": name,
            "REDIS_URL": f"redis://:{quote(LOGIN.password)}@127.0.0.1:{hop('redis')}/0",
            "CLICKHOUSE_URL": self._clickhouse(hop("clickhouse")),
            "ONEAPI_ROUTER_ADDR": ",".join(address(self.ports[f"router-{i}"]) for i in (1, 2)),
            "ONEAPI_BILLING_ADDR": ",".join(address(self.ports[f"billing-{i}"]) for i in (1, 2)),
            "ONEAPI_ADMIN_URL": f"http://{address(self.ports['admin'])}",
            "ONEAPI_MCP_URL": f"http://{address(self.ports.get('mcp', 0))}",
            f"ONEAPI_{'' if service == 'edge' else service.upper() + '_'}PORT": str(self.ports[name]),
            f"ONEAPI_{service.upper()}_HEALTH_PORT": str(self.health.get(name, 0)),
        }


def quiet(cluster: Cluster, limit_s: float = 90) -> list[str]:
    """Waits until every process is ready, every spool is shipped and nothing is open in Redis any more.

    What had not happened within `limit_s` is returned in words.
    """
    missing: list[str] = []
    for name in (*cluster.stores, *cluster.services):
        try:
            cluster.wait(name, limit_s)
        except StackProblem as problem:
            missing.append(str(problem))

    def held() -> list[str]:
        client = cluster.redis()
        found = [f"{key} holds {client.zcard(key)}" for key in client.scan_iter("z:*") if client.zcard(key)]
        rebuilt = [f"{key} is not open" for key in client.scan_iter("b:*") if not client.hexists(key, "epoch")]
        return [*found, *rebuilt]

    deadline = time.monotonic() + limit_s
    while found := held():
        if time.monotonic() > deadline:
            return [*missing, *found]
        time.sleep(0.05)
    return missing
