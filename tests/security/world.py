"""The gateway under attack: two tenants, what must not change, and what is looked at after each row."""

import dataclasses
import json
import re
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from services.edge.tokenizer.client import PROGRAM
from tests.e2e.collector import Collector
from tests.e2e.gateway import Gateway, UpstreamServer, eventually

CHAT = "/v1/chat/completions"
ASKED: dict[str, Any] = {"model": "sandbox", "messages": [{"role": "user", "content": "hi"}]}
SERVICES = 5
METRICS = " metrics"
GROWTH_MB = 300
"""Several lines of 32 MiB from upstreams may be on their way at a time."""
MORE_DESCRIPTORS = 200
BILLED_LIMIT_S = 10.0


@dataclasses.dataclass(frozen=True)
class Tenant:
    """An account with a relay key, and a management token of its administrator."""

    account_id: str
    key: str
    key_id: str
    token: str
    token_id: str


class Watch:
    """Reads what `tests.security.watching` writes down: whom the gateway's processes talked to."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0
        file.touch()

    def new(self) -> list[dict[str, Any]]:
        """What was written since the last call."""
        with self._file.open("rb") as lines:
            lines.seek(self._read)
            data = lines.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


class World:
    """`key` and the tenants' keys make good requests only through `chat`, so what they cost is known."""

    def __init__(
        self,
        gateway: Gateway,
        upstream: UpstreamServer,
        collector: Collector,
        watch_file: Path,
        ports: Mapping[str, int] | None = None,
    ) -> None:
        self.gateway = gateway
        self.ports = {"edge": gateway.port, **(ports or {})}
        """The gateway's listeners: edge, mcp and admin; and where each of the five shows its metrics."""
        self.upstream = upstream
        self.collector = collector
        self.canaries: set[str] = {gateway.admin_token}
        """Texts that must never be in a log, in an answer to anybody else, or at anybody's who was not meant."""
        self._watch = Watch(watch_file)
        self._good: dict[str, int] = {}
        self._ids: dict[str, str] = {}
        self.key = self.new_key(name="attacked")
        self.key_id = self._ids[self.key]
        self.tenants = (self._tenant("a"), self._tenant("b"))
        for key in (self.key, *(tenant.key for tenant in self.tenants)):
            self.chat(key)
        self.gateway.client(self.key).post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "ping"})
        self.gateway.admin.get("/api/status")
        eventually(self._all_billed, BILLED_LIMIT_S)
        self._pids = self._children()
        self._sizes_mb, self._descriptors = self.sizes_mb(), self.descriptors()
        self._peers = {(row["kind"], row["host"], row["port"]) for row in self._watch.new() if row["kind"] != "program"}
        self._peers.add(("connect", "127.0.0.1", upstream.port))
        # The one program that a service may start: it has neither secrets nor an environment.
        self._peers.add(("program", repr([sys.executable, "-m", PROGRAM]), None))
        self._log_ends = {path: path.stat().st_size for path in self._logs()}

    # What rows use

    def new_key(self, **fields: Any) -> str:
        """A relay key that the edge knows, whose requests are counted by `chat`."""
        made = self.gateway.create("keys", **{"name": f"k-{uuid.uuid4().hex[:8]}", **fields})
        key = str(made["key"])
        self._ids[key] = str(made["id"])
        self._good[self._ids[key]] = 0
        self.canaries.add(key)
        eventually(lambda: self.client(key).get("/v1/models").status_code == 200)
        return key

    def client(self, credential: str) -> httpx2.Client:
        """A client of the public port with this bearer credential."""
        return self.gateway.client(credential)

    def chat(self, key: str, **fields: Any) -> httpx2.Response:
        """A good request, which is billed."""
        answer = self.client(key).post(CHAT, json={**ASKED, **fields})
        assert answer.status_code == 200, answer.text
        self._good[self._ids[key]] += 1
        return answer

    def bills(self, key: str, count: int) -> None:
        """Says that the row has made good requests by itself."""
        self._good[self._ids[key]] += count

    def allow(self, port: int, host: str = "127.0.0.1") -> None:
        """Lets the gateway connect to a server of the row's own from now on."""
        self._peers.add(("connect", host, port))
        self._peers.add(("resolve", host, port))

    def environment(self) -> dict[str, str]:
        """Where the stores are, with logins."""
        found: dict[str, str] = json.loads((self.gateway.data_dir / "stack.json").read_text())["environment"]
        return found

    def metrics(self) -> dict[str, str]:
        """What each service shows to Prometheus."""
        ports = {name: port for name, port in self.ports.items() if name.endswith(METRICS)}
        return {name: httpx2.get(f"http://127.0.0.1:{port}/metrics").text for name, port in ports.items()}

    # The probes

    def unharmed(self) -> None:
        """Looks at everything that an attack must leave as it was. Raises AssertionError."""
        self.chat(self.key)
        assert self._children() == self._pids, "a process was replaced"
        sizes = self.sizes_mb()
        grown = sum(sizes.values()) - sum(self._sizes_mb.values())
        assert grown < GROWTH_MB, f"memory has grown: {self._sizes_mb} to {sizes}"
        eventually(lambda: self.descriptors() < self._descriptors + MORE_DESCRIPTORS)
        self._nobody_else_was_called()
        self._logs_are_clean()
        eventually(self._all_billed, BILLED_LIMIT_S)

    def size_mb(self) -> int:
        """All of them together."""
        return sum(self.sizes_mb().values())

    def sizes_mb(self) -> dict[str, int]:
        """Resident memory of the gateway's own processes: ClickHouse grows by itself."""
        told = {name: Path(f"/proc/{pid}/status").read_text() for name, pid in self.services().items()}
        found = {name: re.search(r"VmRSS:\s+(\d+)", text) for name, text in told.items()}
        return {name: int(size[1]) // 1024 for name, size in found.items() if size}

    def descriptors(self) -> int:
        """Open descriptors of the gateway's own processes."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.services().values())

    def services(self) -> dict[str, int]:
        """Process ids by the service's name."""
        found = {}
        for pid in self._children():
            named = re.search(rb"services\.(\w+)", Path(f"/proc/{pid}/cmdline").read_bytes())
            if named:
                found[named[1].decode()] = pid
        assert len(found) == SERVICES, found
        return found

    def _children(self) -> set[int]:
        process = self.gateway.process
        assert process is not None
        return {int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()}

    def _nobody_else_was_called(self) -> None:
        for row in self._watch.new():
            place = (row["kind"], row["host"], row["port"])
            assert place in self._peers, f"{row['argv']} {row['kind']} {row['host']}:{row['port']}"

    def _logs(self) -> list[Path]:
        return [self.gateway.log, *(self.gateway.data_dir / "logs").glob("*.log")]

    def _logs_are_clean(self) -> None:
        for path in self._logs():
            with path.open("rb") as file:
                file.seek(self._log_ends.get(path, 0))
                text = file.read()
            self._log_ends[path] = self._log_ends.get(path, 0) + len(text)
            for canary in self.canaries:
                assert canary.encode() not in text, f"a secret is in {path.name}"

    def _all_billed(self) -> bool:
        """Whether the ledger has every good request of the watched keys and nothing else of theirs."""
        rows = self.gateway.admin.get("/api/usage?group_by=key").json()["data"]
        seen = {row["key_id"]: row["requests"] for row in rows}
        for key_id, count in self._good.items():
            assert seen.get(key_id, 0) <= count, f"{key_id} was billed {seen[key_id]} requests, not {count}"
        return all(seen.get(key_id, 0) == count for key_id, count in self._good.items())

    def _tenant(self, name: str) -> Tenant:
        account = self.gateway.create("accounts", name=f"tenant {name}", unlimited=True)["id"]
        token = self.gateway.create("tokens", name=f"admin of {name}", role="admin", account_id=account)
        key = self.new_key(account_id=account)
        self.canaries.add(str(token["token"]))
        return Tenant(str(account), key, self._ids[key], str(token["token"]), str(token["id"]))
