"""Real servers for tests: one set per pytest process, from the stack's own resolver or, with Docker, from containers.

Each URL is made when a test first asks for it. Everything listens on a free port of the loopback, keeps its data in a
private folder, and ends with pytest, even when pytest is killed. Import the fixtures into a conftest.
"""

import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from oneapi.stack import clickhouse_server, nats_server, programs, redis_server
from oneapi.stack.machine import Machine
from oneapi.stack.plan import Login, Plan
from oneapi.stack.problem import StackProblem
from oneapi.stack.processes import Child, end
from tests.containers import Containers, wait
from tests.ports import free_port

LOGIN = Login("oneapi", "tests-only")
PREFIX = "oneapi-tests-"
END_LIMIT_S = 5.0
START_ATTEMPTS = 3

_numbers = itertools.count(1)


class Servers:
    """The servers of this pytest process; `close` ends them and deletes what they kept."""

    def __init__(self) -> None:
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.folder.chmod(0o755)  # PostgreSQL runs as another user
        self.machine = Machine()
        self.containers = Containers()
        self._children: list[Child] = []
        self._urls: dict[str, str] = {}

    def url(self, name: str, start: Callable[[], str]) -> str:
        """The URL of a server, started at the first call."""
        if name not in self._urls:
            self._urls[name] = start()
        return self._urls[name]

    def start(self, make: Callable[[], tuple[Plan, str]]) -> str:
        """Starts a plan and waits for it; a port taken in the meantime costs another attempt."""
        for attempt in itertools.count(1):
            plan, url = make()
            child = plan.start()
            self._children.append(child)
            try:
                child.wait_until(plan.ready, plan.ready_limit_s)
            except StackProblem:
                end([child], END_LIMIT_S)
                if attempt == START_ATTEMPTS:
                    raise
            else:
                return url
        raise AssertionError

    def run(
        self,
        name: str,
        url: Callable[[int], str],
        ready: Callable[[int], bool],
        plan: Callable[[], Callable[[int], Plan]],
    ) -> str:
        """The URL of a server: in a container where Docker has it, else as a process.

        `plan` finds the program, and gives what describes it for a port.
        """
        port = self.containers.start(name, LOGIN)
        if port is not None:
            wait(lambda: ready(port), name)
            return url(port)
        describe = plan()

        def make() -> tuple[Plan, str]:
            port = free_port()
            return describe(port), url(port)

        return self.start(make)

    def nats(self) -> str:
        def plan() -> Callable[[int], Plan]:
            program = programs.nats(self.machine)
            return lambda port: nats_server.plan(program, self.folder / "nats", port, LOGIN)

        def ready(port: int) -> bool:
            return bool(nats_server.greeting("127.0.0.1", port).get("jetstream"))

        return self.run("nats", lambda port: nats_server.url(port, LOGIN), ready, plan)

    def redis(self) -> str:
        def plan() -> Callable[[int], Plan]:
            program = programs.redis(self.machine)
            return lambda port: redis_server.plan(program, self.folder / "redis", port, LOGIN)

        def url(port: int) -> str:
            return redis_server.url(port, LOGIN)

        return self.run("redis", url, lambda port: redis_server.answers(url(port)), plan)

    def clickhouse(self) -> str:
        def plan() -> Callable[[int], Plan]:
            program = programs.clickhouse(self.machine)
            return lambda port: clickhouse_server.plan(program, self.folder / "clickhouse", port, LOGIN)

        def url(port: int) -> str:
            return clickhouse_server.url(port, LOGIN, "default")

        return self.run("clickhouse", url, lambda port: clickhouse_server.answers(url(port)), plan)

    def postgres(self) -> str:
        def url(port: int) -> str:
            return f"postgresql+asyncpg://oneapi@127.0.0.1:{port}/postgres"

        return self.run("postgres", url, postgres_answers, lambda: postgres_plan(self.folder))

    def close(self) -> None:
        end(self._children, END_LIMIT_S)
        self.containers.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def postgres_plan(parent: Path) -> Callable[[int], Plan]:
    """Makes an empty cluster; gives how to run it on a port."""
    folder = parent / "postgres"
    folder.mkdir()
    as_user: list[str] = []
    if os.geteuid() == 0:
        # PostgreSQL refuses root. Changing the user clears the tether, so setpriv ties it anew.
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
        identity = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        as_user = ["setpriv", *identity, "--pdeathsig=KILL"]
    program = postgres_program("postgres")
    initialise = [*as_user, str(program.with_name("initdb")), "--no-sync", "-A", "trust", "-U", "oneapi", "-D", "data"]
    subprocess.run(initialise, cwd=folder, check=True, capture_output=True, timeout=60)
    settings = {"fsync": "off", "unix_socket_directories": "", "listen_addresses": "127.0.0.1"}
    options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]

    def plan(port: int) -> Plan:
        return Plan(
            name="PostgreSQL",
            command=(*as_user, str(program), "-D", "data", "-p", str(port), *options),
            log=parent / "postgres.log",
            ready=lambda: postgres_answers(port),
            cwd=folder,
        )

    return plan


def postgres_program(name: str) -> Path:
    """A PostgreSQL server program: where Debian keeps it, the newest, or on PATH."""
    found = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]), reverse=True
    )
    on_path = shutil.which(name)
    if found:
        return found[0]
    if on_path:
        return Path(on_path)
    outcome = Machine().apt_install("postgresql")
    if not outcome.done:
        raise StackProblem(f"These tests need PostgreSQL ({outcome.why}).", "sudo apt-get install postgresql")
    return postgres_program(name)


def postgres_answers(port: int) -> bool:
    """Whether a PostgreSQL server lets our user in there; while it starts it answers with an error."""
    startup = b"\x00\x03\x00\x00user\x00oneapi\x00database\x00postgres\x00\x00"
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall((len(startup) + 4).to_bytes(4, "big") + startup)
            return connection.recv(1) == b"R"
    except OSError:
        return False


def sweep() -> None:
    """Deletes what the tests of a killed pytest left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def unique_name(prefix: str = "t") -> str:
    """A name that no other test of this run uses: letters, digits and underscores."""
    return f"{prefix}_{os.getpid()}_{next(_numbers)}"


def new_clickhouse_database(url: str, prefix: str = "t") -> str:
    """Makes an empty database on the server of a ClickHouse URL and returns the URL of it."""
    name = unique_name(prefix)
    clickhouse_server.create_database(url, name)
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """This process's servers; ask for the URL fixtures rather."""
    found = Servers()
    yield found
    found.close()


@pytest.fixture(scope="session")
def nats_url(servers: Servers) -> str:
    """A NATS server with JetStream: nats://user:password@host:port."""
    return servers.url("nats", servers.nats)


@pytest.fixture(scope="session")
def redis_url(servers: Servers) -> str:
    """A Redis server with an append-only file: redis://:password@host:port/0."""
    return servers.url("redis", servers.redis)


@pytest.fixture(scope="session")
def clickhouse_url(servers: Servers) -> str:
    """A ClickHouse server with an empty database: http://user:password@host:port/database."""
    return servers.url("clickhouse", lambda: new_clickhouse_database(servers.clickhouse(), "session"))


@pytest.fixture(scope="session")
def postgres_url(servers: Servers) -> str:
    """A PostgreSQL server: postgresql+asyncpg://user@host:port/postgres."""
    return servers.url("postgres", servers.postgres)


@pytest.fixture
def clickhouse_database(clickhouse_url: str) -> Iterator[str]:
    """The URL of an empty ClickHouse database of this test's own, dropped at its end."""
    url = new_clickhouse_database(clickhouse_url)
    yield url
    clickhouse_server.ask(clickhouse_url, f"DROP DATABASE `{urlsplit(url).path[1:]}` SYNC")
