"""Which addresses an upstream may have."""

from typing import Any

import pytest

from oneapi.runtime.egress_addresses import CheckedResolver, EgressRefused, check_url, refuse_reason, resolve_checked

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


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What each name resolves to; the tests ask no resolver."""
    found: dict[str, list[str]] = {}

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [(2, 1, 6, "", (ip, port)) for ip in found[host]]

    monkeypatch.setattr(
        "asyncio.base_events.BaseEventLoop.getaddrinfo", lambda _, *args, **kw: getaddrinfo(*args, **kw)
    )
    return found


async def test_every_address_of_a_name_must_be_fine(names: dict[str, list[str]]) -> None:
    names["good.example"] = ["1.1.1.1", "8.8.8.8", "1.1.1.1"]
    names["mixed.example"] = ["1.1.1.1", "127.0.0.1"]
    names["rebound.example"] = ["169.254.169.254"]
    names["empty.example"] = []
    assert await resolve_checked("good.example", 443, False) == ["1.1.1.1", "8.8.8.8"]
    with pytest.raises(EgressRefused, match=r"127\.0\.0\.1 is loopback"):
        await resolve_checked("mixed.example", 443, False)
    assert await resolve_checked("mixed.example", 443, True) == ["1.1.1.1", "127.0.0.1"]
    with pytest.raises(EgressRefused):
        await resolve_checked("rebound.example", 443, True)
    with pytest.raises(OSError, match="no address"):
        await resolve_checked("empty.example", 443, False)


async def test_the_resolver_of_the_http_client_checks_too(names: dict[str, list[str]]) -> None:
    names["good.example"] = ["1.1.1.1"]
    names["bad.example"] = ["10.0.0.1"]
    resolver = CheckedResolver(allow_private=False)
    (result,) = await resolver.resolve("good.example", 443)
    assert (result["hostname"], result["host"], result["port"]) == ("good.example", "1.1.1.1", 443)
    # An OSError, which the client reports as a failed connection.
    with pytest.raises(OSError, match="private network"):
        await resolver.resolve("bad.example", 443)
    await resolver.close()
