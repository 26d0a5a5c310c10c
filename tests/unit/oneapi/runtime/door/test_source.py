from oneapi.runtime.client_address import parse_networks
from oneapi.runtime.door.source import client_scheme, source_of

PROXIES = parse_networks("10.0.0.0/8, 2001:db8::1")


def test_neighbours_are_one_source() -> None:
    assert source_of("203.0.113.9") == source_of("203.0.113.200")
    assert source_of("203.0.113.9") != source_of("203.0.114.9")
    assert source_of("2001:db8:0:aa00::1") == source_of("2001:db8:0:aaff::2")
    assert source_of("2001:db8:0:aa00::1") != source_of("2001:db8:0:ab00::1")
    assert source_of("::ffff:203.0.113.9") == source_of("203.0.113.1")
    assert source_of("") == ""


def test_the_scheme_is_a_trusted_proxys_word() -> None:
    assert client_scheme("10.0.0.1", b"https", PROXIES) == "https"
    assert client_scheme("203.0.113.9", b"https", PROXIES) == ""
    assert client_scheme("10.0.0.1", b"gopher", PROXIES) == ""
    assert client_scheme("10.0.0.1", b"https", ()) == ""
