"""Decides which addresses a configured upstream may have, so that nobody reaches the inside through the gateway.

It has its own table, because Python's idea of "global" lets tunnelled and cloud-internal addresses pass. It must not
know what is asked of an upstream.

Two kinds of addresses are refused. *Private* ones (loopback, local networks) are allowed when the operator says so;
*forbidden* ones (link-local with the clouds' metadata services, tunnels, multicast and other special ranges) never.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec
from yarl import URL

HTTPS_PORT = 443
MAX_URL = 2_048

_PRIVATE = {
    "10.0.0.0/8": "a private network",
    "100.64.0.0/10": "a carrier's private network",
    "127.0.0.0/8": "loopback",
    "172.16.0.0/12": "a private network",
    "192.168.0.0/16": "a private network",
    "::1/128": "loopback",
    "fc00::/7": "a private network",
}
_FORBIDDEN = {
    "0.0.0.0/8": "this host",
    "100.100.100.200/32": "a cloud metadata service",
    "168.63.129.16/32": "a cloud metadata service",
    "169.254.0.0/16": "link-local, where cloud metadata services are",
    "192.0.0.0/24": "a protocol assignment",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "a special network",
    "192.52.193.0/24": "a special network",
    "192.88.99.0/24": "a 6to4 relay",
    "192.175.48.0/24": "a special network",
    "198.18.0.0/15": "benchmarks",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
    "::/96": "an IPv4 address inside IPv6",
    "::ffff:0:0/96": "an IPv4 address inside IPv6",
    "::ffff:0:0:0/96": "an IPv4 address inside IPv6",
    "64:ff9b::/96": "a NAT64 tunnel",
    "64:ff9b:1::/48": "a NAT64 tunnel",
    "100::/64": "discarded",
    "2001::/23": "a protocol assignment or a tunnel",
    "2001:db8::/32": "documentation",
    "2002::/16": "a 6to4 tunnel",
    "2620:4f:8000::/48": "a special network",
    "3fff::/20": "documentation",
    "5f00::/16": "segment routing",
    "fd00:ec2::/32": "a cloud metadata service",
    "fe80::/10": "link-local",
    "fec0::/10": "a private network of old",
    "ff00::/8": "multicast",
}
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PRIVATE_NETWORKS = tuple((ipaddress.ip_network(text), why) for text, why in _PRIVATE.items())
_FORBIDDEN_NETWORKS = tuple((ipaddress.ip_network(text), why) for text, why in _FORBIDDEN.items())

_URL_CHARACTERS = re.compile(r"[!#-;=?-\[\]_a-z~]+")
_AUTHORITY_END = re.compile(r"[/?#]")
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_INTERNAL_NAMES = (
    "localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "localdomain", "arpa", "onion",
)  # fmt: skip


class EgressRefused(OSError):
    """An address that must not be called. It is an OSError, so that HTTP clients report it like a failed connection."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Place(msgspec.Struct, frozen=True):
    """A server, as far as connections to it can stand for each other. `host` has no brackets."""

    host: str
    port: int
    tls: bool
    is_literal: bool


@dataclass(frozen=True, slots=True)
class UpstreamAddress:
    """A checked URL. `url` is what clients must use: they parse it as it was parsed here. `host` has no brackets."""

    url: URL
    scheme: str
    host: str
    port: int
    is_literal: bool

    @property
    def place(self) -> Place:
        """Where connections go."""
        return Place(self.host, self.port, self.scheme == "https", self.is_literal)


def _reason_in(networks: Sequence[tuple[_Network, str]], address: _Address) -> str | None:
    for network, why in networks:
        if network.version == address.version and address in network:
            return why
    return None


@lru_cache(maxsize=4_096)
def refuse_reason(ip: str, allow_private: bool = False) -> str | None:
    """Why this IP address must not be called, or None when it may be."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "it is not an IP address"
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        return f"{ip} is link-local"
    if address == ipaddress.IPv6Address("::1"):
        # It lies inside ::/96, where everything else is forbidden.
        return None if allow_private else f"{ip} is loopback"
    why = _reason_in(_FORBIDDEN_NETWORKS, address)
    if why is not None:
        return f"{ip} is {why}"
    why = _reason_in(_PRIVATE_NETWORKS, address)
    if why is not None:
        return None if allow_private else f"{ip} is {why}"
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_V6:
        return f"{ip} is not a public address"
    return None


def check_url(url: str, allow_private: bool) -> UpstreamAddress:
    """Parses the URL once and checks everything that needs no resolving. Raises EgressRefused.

    With `allow_private` also http, any port, and private addresses and names are allowed.
    """
    if not url or len(url) > MAX_URL:
        raise EgressRefused("the URL is empty or too long")
    # Before any parser: they disagree about everything else, and turn some of it into other hosts.
    if not _URL_CHARACTERS.fullmatch(url.lower()):
        raise EgressRefused("the URL has characters that do not belong in one")
    try:
        parsed = URL(url)
        port = parsed.port
    except ValueError:
        raise EgressRefused("the URL is malformed") from None
    if parsed.scheme not in ({"https", "http"} if allow_private else {"https"}):
        raise EgressRefused("the scheme must be https" if not allow_private else "the scheme must be https or http")
    # An empty user part is lost by the parser, so the text is asked as well.
    authority = url.split("://", 1)[1].split("/", 1)[0].split("?", 1)[0].split("#", 1)[0] if "://" in url else ""
    if parsed.user is not None or parsed.password is not None or "@" in authority:
        raise EgressRefused("the URL must not hold a user or password")
    if parsed.fragment or "#" in url:
        raise EgressRefused("the URL must not hold a fragment")
    host = parsed.host
    if not host or not authority:
        raise EgressRefused("the URL has no host")
    if port is None or port == 0:
        raise EgressRefused("the URL has no usable port")
    if not allow_private and port != HTTPS_PORT:
        raise EgressRefused("the port must be 443")
    return UpstreamAddress(parsed, parsed.scheme, host, port, _check_host(host, authority, allow_private))


def check_link(url: str, allow_private: bool) -> None:
    """Checks a URL that somebody else is asked to open, and that nobody here does. Raises EgressRefused.

    What follows the host is that server's own affair. A name that leads inside can't be seen: nothing is resolved.
    """
    scheme, _, rest = url.partition(":")
    if scheme.lower() not in {"https", "http"} or not rest.startswith("//"):
        raise EgressRefused("the scheme must be https or http")
    authority = _AUTHORITY_END.split(rest[2:], 1)[0]
    host, port = authority, ""
    if not authority.endswith("]"):
        host, _, port = authority.rpartition(":") if ":" in authority else (authority, "", "")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
        raise EgressRefused("the URL has no usable port")
    _check_host(host.removeprefix("[").removesuffix("]").lower(), host, allow_private)


def _check_host(host: str, authority: str, allow_private: bool) -> bool:
    """Whether the host is an IP literal; raises EgressRefused when it is a bad one or a bad name."""
    if ":" in host or authority.startswith("["):
        check_ip(host, allow_private)
        return True
    if "%" in authority or "\\" in authority:
        raise EgressRefused("the host must be plain text")
    if not host.isascii() or host.startswith("xn--.") or not _HOST_NAME.fullmatch(host) or len(host) > 253:
        raise EgressRefused("the host is not a plain host name")
    labels = host.split(".")
    if _NUMBER_LABEL.fullmatch(labels[-1]):
        # Resolvers read 127.1, 0x7f.1 and 2130706433 as addresses; only the usual form may be one.
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise EgressRefused("the host looks like an IP address in an unusual form") from None
        check_ip(host, allow_private)
        return True
    if not allow_private and (len(labels) == 1 or labels[-1] in _INTERNAL_NAMES):
        raise EgressRefused("the host is an internal name")
    if host == "metadata.google.internal":
        raise EgressRefused("the host is a cloud metadata service")
    return False


def check_ip(ip: str, allow_private: bool) -> None:
    """Raises EgressRefused for an address that must not be called."""
    reason = refuse_reason(ip, allow_private)
    if reason is not None:
        raise EgressRefused(reason)
