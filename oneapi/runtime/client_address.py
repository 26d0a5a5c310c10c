"""Tells where a request comes from: the socket's peer, or what trusted proxies in front say.

It decides which hops are believed, and must not know what the address is used for.
"""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from oneapi.runtime.environment import Environment, SettingError

SETTING = "ONEAPI_TRUSTED_PROXIES"
BEHIND_THE_EDGE = "127.0.0.0/8,::1"
"""The default of services behind the edge, which says who asks: on one machine it comes from the loopback."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_LONGEST = 64
"""Characters of an address, with its zone. Longer text is none, and isn't remembered either."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks and single addresses, separated by commas. Raises ValueError."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def trusted_proxies(env: Environment, default: str = BEHIND_THE_EDGE) -> tuple[Network, ...]:
    """Whose word about addresses a service believes. Raises SettingError."""
    try:
        return parse_networks(env.optional(SETTING) or default)
    except ValueError:
        raise SettingError(SETTING, "must be addresses or networks, separated by commas") from None


def parse_address(text: str) -> Address | None:
    """The address, None when it is none. An IPv4 address inside IPv6 counts as what it holds."""
    return _parsed(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=4_096)
def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped: Address | None = getattr(address, "ipv4_mapped", None)
    return mapped or address


def is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    """Whether this is the address of one of ours in front; False for what is no address."""
    address = parse_address(text)
    return address is not None and _within(address, trusted)


def client_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The client's address. `X-Forwarded-For` is read from its right end, as far as the hops are trusted ones."""
    if not trusted or not forwarded_for:
        return peer
    believed = peer
    for hop in (peer, *(hop.strip() for hop in reversed(forwarded_for.split(",")))):
        address = parse_address(hop)
        if address is None:
            return believed
        believed = str(address)
        if not _within(address, trusted):
            return believed
    return believed


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)
