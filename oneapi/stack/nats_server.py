"""NATS with JetStream: how ours is configured, when it is ready, and what another's must offer.

It must not know where its program came from, nor what is published.
"""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import nats

from oneapi.stack.plan import Login, Plan, write_private
from oneapi.stack.problem import StackProblem
from oneapi.stack.programs import Program

ASK_LIMIT_S = 0.8
# Below this, servers ignore what they don't know (message lifetimes, several filters) without saying so.
FULL_FROM = (2, 11)


def configuration(directory: Path, port: int, login: Login) -> str:
    """The server's file. Words are quoted as JSON strings, which its format takes."""
    return "\n".join(
        [
            f"listen: {json.dumps(f'127.0.0.1:{port}')}",
            "server_name: oneapi",
            f"jetstream {{ store_dir: {json.dumps(str(directory / 'jetstream'))} }}",
            f"authorization {{ user: {json.dumps(login.user)}, password: {json.dumps(login.password)} }}",
            "",
        ]
    )


def plan(program: Program, directory: Path, port: int, login: Login) -> Plan:
    """Writes the configuration into `directory`, where the streams are kept too, and says how to run it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "nats.conf"
    write_private(path, configuration(directory, port, login))
    return Plan(
        name="NATS",
        command=(*program.command, "--config", str(path)),
        log=directory / "log",
        ready=lambda: bool(greeting("127.0.0.1", port).get("jetstream")),
    )


def url(port: int, login: Login) -> str:
    """The address with the login in it."""
    return f"nats://{login.user}:{login.password}@127.0.0.1:{port}"


def greeting(host: str, port: int) -> dict[str, Any]:
    """What a server says of itself to everyone who connects; empty when there is none."""
    try:
        with socket.create_connection((host, port), ASK_LIMIT_S) as connection, connection.makefile("rb") as lines:
            word, _, document = lines.readline().partition(b" ")
            found: dict[str, Any] = json.loads(document) if word == b"INFO" else {}
            return found
    except (OSError, ValueError):
        return {}


def probe(address: str) -> str:
    """The version of the server at an address of the operator's; StackProblem unless we may use its JetStream."""

    async def quiet(_: Exception) -> None:
        return

    async def ask() -> str:
        connection = await nats.connect(
            address, connect_timeout=5, max_reconnect_attempts=1, allow_reconnect=False, error_cb=quiet
        )
        try:
            await connection.jetstream().account_info()
            return str(connection.connected_server_version)
        finally:
            await connection.close()

    try:
        return asyncio.run(asyncio.wait_for(ask(), 15))
    except (nats.errors.Error, OSError, TimeoutError, ValueError) as problem:
        why = str(problem) or type(problem).__name__
        raise StackProblem(f"NATS_URL names a server whose JetStream can't be used: {why}.") from problem


def warning(version: str) -> str:
    """What an old server silently lacks, as a sentence; "" for a new one."""
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if len(numbers) == 2 and numbers < FULL_FROM:
        return (
            f"NATS {version} is old: it ignores message lifetimes and stream metadata without saying so. "
            "It is enough for one machine; production needs 2.12 or newer."
        )
    return ""
