"""Which addresses an upstream may have."""

import pytest

from oneapi.runtime.egress.addresses import EgressRefused, check_link, check_url, refuse_reason

PUBLIC = ["1.1.1.1", "8.8.8.8", "104.18.7.192", "2606:4700::6812:7c0", "2a00:1450:4001:81b::200a"]
PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd12::1",
]
FORBIDDEN = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::127.0.0.1",
    "::2",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:53aa:64c:0:0:0:1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
    "",
]


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_addresses_are_fine(ip: str) -> None:
    assert refuse_reason(ip) is None
    assert refuse_reason(ip, True) is None


@pytest.mark.parametrize("ip", PRIVATE)
def test_private_addresses_need_the_operators_word(ip: str) -> None:
    assert refuse_reason(ip) is not None
    assert refuse_reason(ip, True) is None


@pytest.mark.parametrize("ip", FORBIDDEN)
def test_forbidden_addresses_are_never_fine(ip: str) -> None:
    assert refuse_reason(ip) is not None
    assert refuse_reason(ip, True) is not None


def test_a_good_url() -> None:
    checked = check_url("https://api.openai.com/v1", False)
    assert (checked.scheme, checked.host, checked.port, checked.is_literal) == ("https", "api.openai.com", 443, False)
    assert str(checked.url) == "https://api.openai.com/v1"
    assert check_url("https://API.OpenAI.com:443/v1?api-version=1", False).host == "api.openai.com"
    assert check_url("https://1.1.1.1/", False).is_literal
    assert check_url("https://[2606:4700::6812:7c0]/", False).host == "2606:4700::6812:7c0"


HOSTILE = [
    "",
    "https://",
    "https:///v1",
    "//host.example/v1",
    "/v1",
    "file:///etc/passwd",
    "gopher://host.example/",
    "ftp://host.example/",
    "javascript:alert(1)",
    "https://user@host.example/",
    "https://user:pass@host.example/",
    "https://@host.example/",
    "https://:@host.example/",
    "https://a.example@b.example/",
    "https://host.example./",
    "https://host.example#fragment",
    "https://host.example#@127.0.0.1/",
    "https://host.example:0/",
    "https://host.example:99999/",
    "https://host.example:x/",
    "https://127.1/",
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://127.0.0.1.:443/",
    "https://１２７。0。0。1/",
    "https://①②⑦.0.0.1/",
    "https://hоst.example/",
    "https://host.example\\@127.0.0.1/",
    "https://host.example\\.evil.example/",
    "https://127.0.0.1%2f.example/",
    "https://%31%32%37.0.0.1/",
    "https://host..example/",
    "https://-host.example/",
    "https://host .example/",
    "https://host.example/\r\nX: y",
    "https://host.example/\x00",
    " https://host.example/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:a9fe:a9fe::]/",
    "https://[::127.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    "https://[1.1.1.1]/",
    "https://[::1/",
    "https://169.254.169.254/",
    "https://0.0.0.0/",
    "https://metadata.google.internal/",
    "https://" + "a" * 64 + ".example/",
    "https://host.example/" + "a" * 3000,
]


@pytest.mark.parametrize("url", HOSTILE)
@pytest.mark.parametrize("allow_private", [False, True])
def test_hostile_urls_are_refused(url: str, allow_private: bool) -> None:
    with pytest.raises(EgressRefused) as refusal:
        check_url(url, allow_private)
    assert refusal.value.reason


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/v1",
        "https://api.example.com:8443/v1",
        "https://api.example.com:80/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://redis/",
        "https://router.default.svc.cluster.local/",
        "https://db.internal/",
    ],
)
def test_private_upstreams_need_the_operators_word(url: str) -> None:
    with pytest.raises(EgressRefused):
        check_url(url, False)
    check_url(url, True)


def test_any_port_and_http_with_the_operators_word() -> None:
    checked = check_url("http://127.0.0.1:11434/v1", True)
    assert (checked.scheme, checked.host, checked.port, checked.is_literal) == ("http", "127.0.0.1", 11434, True)
    assert check_url("http://ollama:11434", True).host == "ollama"
    assert check_url("http://host.example/", True).port == 80


# What Python takes for public or not private, though it leads inside.
HOLES = [
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "::127.0.0.1",
    "192.0.0.8",
    "192.88.99.1",
    "224.0.0.1",
    "168.63.129.16",
    "100.64.0.1",
    "100.100.100.200",
]


@pytest.mark.parametrize("ip", HOLES)
def test_addresses_that_pythons_own_check_lets_pass(ip: str) -> None:
    assert refuse_reason(ip) is not None
    literal = f"[{ip}]" if ":" in ip else ip
    with pytest.raises(EgressRefused):
        check_url(f"https://{literal}/", False)
    with pytest.raises(EgressRefused):
        check_link(f"https://{literal}/x.png", False)


@pytest.mark.parametrize(
    "url",
    [
        "https://images.example/a.png",
        "HTTPS://Images.Example:8443/a|b c.png?x=http://127.0.0.1/",
        "http://images.example?a",
        "http://1.1.1.1/x",
        "https://[2606:4700::6812:7c0]:443/x",
        "https://images.example/" + "a" * 5_000,
    ],
)
def test_links_that_others_may_open(url: str) -> None:
    check_link(url, False)


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "images.example/a.png", "//images.example/a", "file:///etc/passwd", "FILE:/etc/passwd",
        "gopher://127.0.0.1/", "ftp://images.example/", "javascript:alert(1)", "ht\ntp://images.example/",
        " https://images.example/", "https:/images.example/", "https:\\\\images.example", "https:///x", "https://",
        "https://localhost/x", "http://redis:6379/", "https://127.0.0.1/", "http://127.1/", "http://0x7f.1/",
        "http://2130706433/", "http://0177.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/",
        "http://[::ffff:127.0.0.1]/", "http://metadata.google.internal/", "http://db.internal/", "http://user@a.example/",
        "http://a.example@127.0.0.1/", "http://a.example:80@127.0.0.1/", "http://a.example\\@127.0.0.1/",
        "http://127.0.0.1./", "http://a.example:0/", "http://a.example:99999/", "http://a.example:x/",
        "http://１２７。0。0。1/", "http://127.0.0.1%2f.example/", "http://127.0\n.0.1/", "http://[fe80::1%25eth0]/",
    ],
)  # fmt: skip
def test_links_that_nobody_should_open(url: str) -> None:
    with pytest.raises(EgressRefused):
        check_link(url, False)


def test_links_inside_need_the_operators_word() -> None:
    check_link("http://127.0.0.1:9000/a.png", True)
    check_link("http://minio:9000/a.png", True)
    for url in ("file:///etc/passwd", "http://169.254.169.254/", "http://127.1/"):
        with pytest.raises(EgressRefused):
            check_link(url, True)
