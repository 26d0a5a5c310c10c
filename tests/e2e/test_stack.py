"""`oneapi up` as an operator meets it: a second start, a killed child, a restart with the same data."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.e2e.gateway import Gateway, eventually

CHAT = {"model": "sandbox", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path_factory.mktemp("own") / "data")
    gateway.start()
    yield gateway
    if gateway.process is not None and gateway.process.poll() is None:
        gateway.stop()


def children(gateway: Gateway) -> dict[str, int]:
    """The services' processes below the supervisor, by service."""
    assert gateway.process is not None
    found: dict[str, int] = {}
    pending = [gateway.process.pid]
    while pending:
        pid = pending.pop()
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                pending += [int(child) for child in (task / "children").read_text().split()]
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        for part in command:
            if part.startswith(b"services."):
                found[part.decode().removeprefix("services.")] = pid
    return found


def answered(gateway: Gateway, key: str) -> bool:
    try:
        return gateway.client(key).post("/v1/chat/completions", json=CHAT).status_code == 200
    except httpx2.TransportError:
        return False


def test_what_it_prints_works_when_pasted(own: Gateway) -> None:
    text = own.log.read_text()
    for name in ("NATS", "Redis", "ClickHouse", own.url, own.admin_token):
        assert name.lower() in text.lower(), name
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.lstrip().startswith("curl "))
    command = lines[start].strip()
    while command.endswith("\\"):
        start += 1
        command = command[:-1] + lines[start].strip()
    answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    assert '"choices"' in answer.stdout


def test_a_second_start_on_the_same_data_is_refused(own: Gateway) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "oneapi", "up"],
        env={**os.environ, "ONEAPI_DATA_DIR": str(own.data_dir), "ONEAPI_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode != 0
    assert "Traceback" not in second.stderr + second.stdout
    assert str(own.data_dir) in second.stderr + second.stdout


def test_a_port_in_use_is_one_clear_sentence(own: Gateway, tmp_path: Path) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "oneapi", "up"],
        env={**os.environ, "ONEAPI_DATA_DIR": str(tmp_path / "data"), "ONEAPI_PORT": str(own.port)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode != 0
    assert str(own.port) in second.stderr + second.stdout
    assert "Traceback" not in second.stderr + second.stdout


@pytest.mark.parametrize("service", ["edge", "router", "billing", "mcp", "admin"])
def test_a_killed_service_comes_back(own: Gateway, service: str) -> None:
    key = own.key()
    before = children(own)[service]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: children(own).get(service, before) != before, 20)
    eventually(lambda: own.ready_or_dead() and answered(own, key), 30)
    eventually(lambda: own.admin.get("/api/accounts").status_code == 200, 30)
    assert service in own.log.read_text()


def test_data_survive_a_restart(own: Gateway) -> None:
    key = own.key()
    answer = own.client(key).post("/v1/chat/completions", json=CHAT)
    receipt = own.receipt(key, answer.headers["x-request-id"])
    assert own.stop() < 10
    own.start()
    eventually(lambda: answered(own, key), 30)
    assert own.receipt(key, receipt["request_id"]) == receipt
    assert own.oneapi("ledger", "verify").returncode == 0


def test_sigint_ends_everything(own: Gateway) -> None:
    pids = list(children(own).values())
    assert len(pids) == 5
    assert own.process is not None
    own.process.send_signal(signal.SIGINT)
    own.process.wait(10)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
