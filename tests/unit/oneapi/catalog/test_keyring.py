"""What may be wrong with a key."""

import pytest

from oneapi.catalog.keyring import find_problem
from oneapi.catalog.types import RelayKey


def key(**fields: object) -> RelayKey:
    return RelayKey(**({"id": "key_1", "name": "k", "account_id": "acc_1"} | fields))  # type: ignore[arg-type]


def test_a_good_key() -> None:
    assert find_problem(key(), now_ms=1, ip="192.0.2.1") is None
    assert find_problem(key(expires_at_ms=2), now_ms=1, ip="") is None


def test_problems() -> None:
    assert find_problem(None, now_ms=1, ip="192.0.2.1") == "unknown"
    assert find_problem(key(enabled=False), now_ms=1, ip="192.0.2.1") == "disabled"
    assert find_problem(key(expires_at_ms=1), now_ms=1, ip="192.0.2.1") == "expired"
    assert find_problem(key(allowed_ips=("198.51.100.0/24",)), now_ms=1, ip="192.0.2.1") == "wrong_address"


@pytest.mark.parametrize(
    ("allowed", "ip", "fine"),
    [
        (("192.0.2.1",), "192.0.2.1", True),
        (("192.0.2.0/24", "2001:db8::/32"), "2001:db8::7", True),
        (("192.0.2.7/24",), "192.0.2.1", True),
        (("192.0.2.0/24",), "::ffff:192.0.2.9", True),
        ((" 192.0.2.0/24 ",), "192.0.2.9", True),
        (("192.0.2.0/24",), "192.0.3.1", False),
        (("0.0.0.0/0",), "2001:db8::1", False),
        (("192.0.2.0/24",), "", False),
        (("192.0.2.0/24",), "unix", False),
        (("nonsense",), "192.0.2.1", False),
        (("nonsense", "192.0.2.1"), "192.0.2.1", True),
    ],
)
def test_allowed_addresses(allowed: tuple[str, ...], ip: str, fine: bool) -> None:
    assert find_problem(key(allowed_ips=allowed), now_ms=1, ip=ip) == (None if fine else "wrong_address")
