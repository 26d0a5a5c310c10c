import pytest

from oneapi.runtime.client_address import client_address, is_trusted, parse_address, parse_networks

PROXIES = parse_networks("127.0.0.0/8, 10.0.0.0/8, ::1, 2001:db8::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "127.0.0.1, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "198.51.100.7, nonsense", "10.0.0.1"),
        ("10.0.0.1", "fe80::1%eth0", "fe80::1%eth0"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("2001:db8::1", "2001:db8:5::7", "2001:db8:5::7"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("", "198.51.100.7", ""),
    ],
)
def test_only_trusted_hops_are_believed(peer: str, forwarded: str, expected: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == expected


def test_without_trusted_proxies_the_peer_counts() -> None:
    assert client_address("127.0.0.1", "198.51.100.7", ()) == "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "trusted"),
    [("127.0.0.9", True), ("::ffff:10.1.2.3", True), ("::1", True), ("203.0.113.9", False), ("", False), ("x", False)],
)
def test_what_is_no_address_is_never_trusted(text: str, trusted: bool) -> None:
    assert is_trusted(text, PROXIES) is trusted


@pytest.mark.parametrize("text", ["nonsense", "10.0.0.1/8", "10.0.0.0/33"])
def test_networks_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_networks(text)
    assert parse_networks(" , ") == ()


def test_text_that_is_too_long_for_an_address_is_none() -> None:
    assert parse_address("fe80::1%eth0") is not None
    assert parse_address("fe80::1%" + "e" * 60) is None
    assert parse_address("1" * 100_000) is None
