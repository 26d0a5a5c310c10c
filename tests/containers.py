"""The test servers as containers, where a Docker daemon answers and has the image; nothing is ever pulled.

It decides which images stand for which server. Without Docker `start` gives None, and the caller starts a program.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oneapi.stack.plan import Login

SOCKET = Path("/var/run/docker.sock")
READY_LIMIT_S = 60.0


@dataclass(frozen=True)
class Image:
    """A server's image: its port inside, and what its command and environment are made of for a login."""

    name: str
    port: int
    command: Callable[[Login], str]
    environment: Callable[[Login], dict[str, str]]


IMAGES = {
    "nats": Image(
        os.environ.get("ONEAPI_TEST_NATS_IMAGE", "nats:2.12"),
        4222,
        lambda login: f"--jetstream --user {login.user} --pass {login.password}",
        lambda _: {},
    ),
    "redis": Image(
        os.environ.get("ONEAPI_TEST_REDIS_IMAGE", "redis:8"),
        6379,
        lambda login: (
            f"redis-server --requirepass {login.password} --appendonly yes --save '' --maxmemory-policy noeviction"
        ),
        lambda _: {},
    ),
    "clickhouse": Image(
        os.environ.get("ONEAPI_TEST_CLICKHOUSE_IMAGE", "clickhouse/clickhouse-server:26.9"),
        8123,
        lambda _: "",
        lambda login: {"CLICKHOUSE_USER": login.user, "CLICKHOUSE_PASSWORD": login.password},
    ),
    "postgres": Image(
        os.environ.get("ONEAPI_TEST_POSTGRES_IMAGE", "postgres:18"),
        5432,
        lambda _: "",
        lambda login: {"POSTGRES_USER": login.user, "POSTGRES_HOST_AUTH_METHOD": "trust", "POSTGRES_DB": "postgres"},
    ),
}


class Containers:
    """The containers of one pytest process."""

    def __init__(self) -> None:
        self._running: list[Any] = []

    def start(self, name: str, login: Login) -> int | None:
        """The port on the loopback of a started container, or None where Docker or the image is missing."""
        image = IMAGES[name]
        if not has_image(image.name):
            return None
        # The watchdog that ends containers of a killed pytest is an image too, and may be missing.
        os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "false" if has_image(reaper_image()) else "true")
        from testcontainers.core.container import DockerContainer

        container = DockerContainer(image.name).with_exposed_ports(image.port)
        if command := image.command(login):
            container = container.with_command(command)
        for variable, value in image.environment(login).items():
            container = container.with_env(variable, value)
        container.start()
        self._running.append(container)
        return int(container.get_exposed_port(image.port))

    def close(self) -> None:
        for container in self._running:
            container.stop()


def has_image(name: str) -> bool:
    """Whether a Docker daemon answers and holds the image."""
    if not (os.environ.get("DOCKER_HOST") or SOCKET.is_socket()):
        return False
    from testcontainers.core.docker_client import DockerClient

    try:
        client = DockerClient(timeout=5).client
        try:
            client.images.get(name)
        finally:
            client.close()
    except Exception:  # whatever the client makes of a daemon that doesn't answer, there is no container then
        return False
    return True


def reaper_image() -> str:
    """The watchdog's image."""
    from testcontainers.core.config import testcontainers_config

    return str(testcontainers_config.ryuk_image)


def wait(ready: Callable[[], bool], name: str) -> None:
    """Waits for the server in a container."""
    deadline = time.monotonic() + READY_LIMIT_S
    while not ready():
        assert time.monotonic() < deadline, f"{name} in its container was not ready after {READY_LIMIT_S:g} s"
        time.sleep(0.1)
