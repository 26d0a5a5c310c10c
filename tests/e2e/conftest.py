"""One gateway, one upstream and one trace collector for all end-to-end tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.collector import Collector
from tests.e2e.gateway import Gateway, UpstreamServer


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.stop()


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpstreamServer]:
    server = UpstreamServer(tmp_path_factory.mktemp("upstream"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Gateway]:
    data_dir: Path = tmp_path_factory.mktemp("gateway") / "data"
    gateway = Gateway(data_dir, {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint})
    gateway.start()
    yield gateway
    took = gateway.stop()
    assert took < 10, f"stopping took {took} s"
