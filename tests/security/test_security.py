"""What attackers send, to the whole gateway: each attack gets a clear refusal, and costs nothing.

After each group the next good request is answered, every process lives, memory is what it was, and the ledger holds
what the good requests cost and nothing else.
"""

import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.e2e.gateway import Gateway, eventually
from tests.security import attacks
from tests.security.attacks import ANTHROPIC, CHAT, JSON_RPC, NONE, OPENAI, PROBLEM, Attack
from tests.security.hostile import SECRET, TRICKS, Hostile

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
GROWTH_MB = 150
ASKED = {"model": "sandbox", "messages": [{"role": "user", "content": "hi"}]}


class Attacked:
    """The gateway, a key, and what must not change."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.key = gateway.key(name="attacked")
        self._client = gateway.client(self.key)
        self._good = 0
        self._pids = self._children()
        self.answers()
        self._size_mb = self.size_mb()

    def _children(self) -> set[int]:
        process = self.gateway.process
        assert process is not None
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return {int(pid) for pid in children}

    def size_mb(self) -> int:
        """Resident memory of the gateway's own processes: ClickHouse grows by itself."""
        services = [pid for pid in self._children() if b"services." in Path(f"/proc/{pid}/cmdline").read_bytes()]
        assert len(services) == 5
        sizes = [re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()) for pid in services]
        return sum(int(found[1]) for found in sizes if found) // 1024

    def answers(self) -> None:
        """The next good request is answered."""
        answer = self._client.post(CHAT, json=ASKED)
        assert answer.status_code == 200, answer.text
        self._good += 1

    def requests(self) -> int:
        """How many requests of this key the ledger knows."""
        rows = self.gateway.admin.get("/api/usage?group_by=key").json()["data"]
        key_id = next(k["id"] for k in self.gateway.admin.get("/api/keys?name=attacked").json()["data"])
        return sum(row["requests"] for row in rows if row["key_id"] == key_id)

    def unharmed(self) -> None:
        self.answers()
        assert self._children() == self._pids
        assert self.size_mb() < self._size_mb + GROWTH_MB
        eventually(lambda: self.requests() >= self._good)
        assert self.requests() == self._good


@pytest.fixture(scope="module")
def attacked(gateway: Gateway) -> Attacked:
    return Attacked(gateway)


@pytest.fixture(scope="module")
def hostile() -> Iterator[Hostile]:
    server = Hostile()
    yield server
    server.stop()


def send(port: int, attack: Attack, credentials: dict[bytes, bytes]) -> bytes:
    """All that comes back until the gateway closes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        try:
            sent = attack.sent
            for name, value in credentials.items():
                sent = sent.replace(name, value)
            sock.sendall(sent)
            if 0 in attack.statuses:
                sock.shutdown(socket.SHUT_WR)
            while data := sock.recv(65_536):
                answer += data
        except ConnectionError:
            pass
    return answer


def check_shape(attack: Attack, body: bytes) -> None:
    found = json.loads(body)
    if attack.shape == OPENAI:
        assert set(found["error"]) == {"message", "type", "param", "code"}
    elif attack.shape == ANTHROPIC:
        assert found["type"] == "error"
        assert set(found["error"]) >= {"type", "message"}
    elif attack.shape == PROBLEM:
        assert set(found) >= {"type", "title", "status", "code", "detail", "request_id"}
    elif attack.shape == JSON_RPC:
        assert found["jsonrpc"] == "2.0"
        assert set(found["error"]) >= {"code", "message"}
    for told in (b"Traceback", b"/services/", b"sqlalchemy", b"127.0.0.1:"):
        assert told not in body


@pytest.mark.parametrize("group", attacks.ALL)
def test_attacks_on_the_wire(attacked: Attacked, group: str) -> None:
    gateway = attacked.gateway
    credentials = {b"%KEY%": attacked.key.encode(), b"%ADMIN%": gateway.admin_token.encode()}
    wrong = []
    for attack in attacks.ALL[group]:
        answer = send(gateway.port, attack, credentials)
        statuses = [int(status) for status in STATUS.findall(answer)] or [0]
        if len(statuses) > attack.answers or not set(statuses) <= attack.statuses:
            wrong.append((attack.name, statuses, answer[-300:]))
            continue
        head, _, body = answer.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head:
            body = body.partition(b"\r\n")[2].rpartition(b"\r\n0\r\n")[0]
        if answer and attack.shape != NONE:
            assert b"x-request-id: " in head.lower(), attack.name
            check_shape(attack, body)
        assert attacked.key.encode() not in answer
        assert gateway.admin_token.encode() not in answer
    assert not wrong
    attacked.unharmed()


def test_hostile_upstreams(attacked: Attacked, hostile: Hostile) -> None:
    gateway = attacked.gateway
    for name in TRICKS:
        fields = {"provider": "openai-compatible", "base_url": f"http://127.0.0.1:{hostile.port}/v1"}
        gateway.create("channels", name=name, models=[name], api_key="sk-upstream", **fields)
        assert gateway.admin.put(f"/api/prices/{name}", json={"input": "1", "output": "1"}).status_code == 201
    client = gateway.client(gateway.key(name="unlucky"))
    eventually(lambda: set(TRICKS) <= {model["id"] for model in client.get("/v1/models").json()["data"]})
    wrong = []
    for name, (statuses, _) in TRICKS.items():
        for stream in (False, True):
            answer = client.post(CHAT, json={**ASKED, "model": name, "stream": stream})
            # A whole answer is no stream: then a refusal is right as well.
            expected = statuses | {502, 503} if stream else statuses
            if answer.status_code not in expected:
                wrong.append((name, stream, answer.status_code, answer.text[:200]))
            assert SECRET not in answer.text
            assert "10.1.2.3" not in answer.text
            assert "smuggled" not in answer.text
            assert not {"set-cookie", "access-control-allow-origin"} & set(answer.headers)
    assert not wrong
    assert not [head for head in hostile.seen if b"secret" in head]
    attacked.unharmed()


def test_one_idempotency_key_makes_one_thing(attacked: Attacked) -> None:
    gateway = attacked.gateway
    statuses: list[int] = []

    def create() -> None:
        headers = {"idempotency-key": "race", "authorization": f"Bearer {gateway.admin_token}"}
        answer = httpx2.post(f"{gateway.url}/api/keys", json={"name": "race"}, headers=headers)
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=create) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {201, 409}
    assert len(gateway.admin.get("/api/keys?name=race").json()["data"]) == 1
