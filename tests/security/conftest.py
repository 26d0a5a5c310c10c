"""The world of the attack table: the whole gateway, watched, with tenants in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.collector import Collector
from tests.e2e.conftest import collector, upstream
from tests.e2e.gateway import Gateway, UpstreamServer
from tests.security.world import World

__all__ = ["collector", "gateway", "upstream", "world"]

WATCHING = Path(__file__).parent / "watching"


@pytest.fixture(scope="session")
def watch_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("watch") / "watched.jsonl"


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory, collector: Collector, watch_file: Path) -> Iterator[Gateway]:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "PYTHONPATH": str(WATCHING),
        "WATCH_FILE": str(watch_file),
    }
    gateway = Gateway(tmp_path_factory.mktemp("attacked") / "data", environment)
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.fixture(scope="session")
def world(gateway: Gateway, upstream: UpstreamServer, collector: Collector, watch_file: Path) -> World:
    return World(gateway, upstream, collector, watch_file)
