from collections.abc import Callable
from pathlib import Path

import pytest

from oneapi.runtime.egress.dial import Dialer
from tests.integration.egress.callers import ALL, Asking
from tests.upstream.certificates import Authority

Make = Callable[..., Asking]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture(params=ALL, ids=lambda kind: kind.__name__.lower())
def make(request: pytest.FixtureRequest, authority: Authority) -> Make:
    """Makes one of the three callers, which trusts the authority."""

    def made(*, allow_private: bool = True) -> Asking:
        asking: Asking = request.param(Dialer(allow_private=allow_private, trusted=authority.trusted()))
        return asking

    return made
