"""The world of the attack table: the whole gateway, watched, with tenants in it. Each file has its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.collector import Collector
from tests.e2e.conftest import collector, upstream
from tests.e2e.gateway import Gateway, UpstreamServer
from tests.ports import free_port, free_ports
from tests.security.proxies import PROXIES
from tests.security.world import METRICS, World

__all__ = ["collector", "gateway", "ports", "upstream", "world"]

WATCHING = Path(__file__).parent / "watching"


@pytest.fixture(scope="module")
def watch_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("watch") / "watched.jsonl"


SERVICES = ("edge", "router", "billing", "mcp", "admin")
"""In the order of their metrics' ports."""


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """The listeners beside the public one."""
    metrics = free_ports(len(SERVICES))
    shown = {service + METRICS: port for service, port in zip(SERVICES, metrics, strict=True)}
    return {"mcp": free_port(), "admin": free_port(), **shown}


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector, watch_file: Path, ports: dict[str, int]
) -> Iterator[Gateway]:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "PYTHONPATH": str(WATCHING),
        "WATCH_FILE": str(watch_file),
        "ONEAPI_MCP_PORT": str(ports["mcp"]),
        "ONEAPI_ADMIN_PORT": str(ports["admin"]),
        "ONEAPI_METRICS_PORT": str(ports["edge" + METRICS]),
        **PROXIES,
    }
    gateway = Gateway(tmp_path_factory.mktemp("attacked") / "data", environment)
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def world(
    gateway: Gateway, upstream: UpstreamServer, collector: Collector, watch_file: Path, ports: dict[str, int]
) -> World:
    return World(gateway, upstream, collector, watch_file, ports)
