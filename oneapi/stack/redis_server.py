"""Redis, or Valkey: how ours is configured, when it is ready, and what another's must answer.

It must not know where its program came from, nor what is kept in it.
"""

from pathlib import Path

import redis

from oneapi.stack.plan import Login, Plan, write_private
from oneapi.stack.problem import StackProblem
from oneapi.stack.programs import Program

ASK_LIMIT_S = 0.8


def configuration(directory: Path, port: int, login: Login) -> str:
    """The server's file: nothing is evicted, and every change is in the append-only file within a second."""
    return "\n".join(
        [
            "bind 127.0.0.1",
            f"port {port}",
            f'requirepass "{login.password}"',
            f'dir "{directory}"',
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            "",
        ]
    )


def plan(program: Program, directory: Path, port: int, login: Login) -> Plan:
    """Writes the configuration into `directory`, where the data are kept too, and says how to run it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "redis.conf"
    write_private(path, configuration(directory, port, login))
    return Plan(
        name="Redis",
        command=(*program.command, str(path)),
        log=directory / "log",
        ready=lambda: answers(url(port, login)),
    )


def url(port: int, login: Login) -> str:
    """The address with the password in it."""
    return f"redis://:{login.password}@127.0.0.1:{port}/0"


def ask(address: str) -> str:
    """The version of the server at an address; raises what redis-py raises."""
    with redis.Redis.from_url(address, socket_timeout=ASK_LIMIT_S, socket_connect_timeout=ASK_LIMIT_S) as client:
        client.ping()
        about = client.info("server")
    found = about.get("valkey_version") or about.get("redis_version")
    return str(found)


def answers(address: str) -> bool:
    """Whether a server there takes commands (it doesn't while it loads its data)."""
    try:
        ask(address)
    except (redis.RedisError, OSError):
        return False
    return True


def probe(address: str) -> str:
    """The version of the server at an address of the operator's; StackProblem unless we may use it."""
    try:
        return ask(address)
    except (redis.RedisError, OSError, ValueError) as problem:
        raise StackProblem(f"REDIS_URL names a server that can't be used: {problem}.") from problem
