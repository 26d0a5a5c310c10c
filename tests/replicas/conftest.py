"""One cluster for all tests of this folder; each test finds it whole."""

from collections.abc import Iterator

import pytest

from tests.replicas.stand import Stand


@pytest.fixture(scope="session")
def started() -> Iterator[Stand]:
    stand = Stand()
    try:
        stand.start()
        yield stand
    finally:
        stand.close()


@pytest.fixture
def stand(started: Stand) -> Iterator[Stand]:
    """The cluster; what a test has stopped runs again afterwards."""
    yield started
    started.mend()
