import logging
import resource

import pytest

from oneapi.runtime import descriptors


def test_the_soft_limit_becomes_the_hard_one() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        assert descriptors.limit() == 256
        descriptors.raise_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(("limit", "told"), [(1024, True), (100_000, False)])
def test_few_are_told(
    limit: int, told: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(descriptors, "limit", lambda: limit)
    with caplog.at_level(logging.WARNING):
        descriptors.tell_few()
    assert bool(caplog.records) is told
