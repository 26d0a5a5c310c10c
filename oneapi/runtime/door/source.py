"""What else an address says: by which scheme its client came, and with whom it counts.

It decides whose word about the scheme is believed and who are neighbours. It must not know what either is used for.
"""

from collections.abc import Sequence

from oneapi.runtime.client_address import Network, is_trusted, parse_address

_SOURCE_BITS = {4: 24, 6: 56}
"""Who counts as one source of failures: neighbours in these prefixes share a provider or a site."""


def client_scheme(peer: str, forwarded_proto: bytes, trusted: Sequence[Network]) -> str:
    """What the client used, by the word of a trusted proxy: http or https; empty when there is no such word."""
    if not trusted or forwarded_proto not in {b"http", b"https"} or not is_trusted(peer, trusted):
        return ""
    return forwarded_proto.decode()


def source_of(address: str) -> str:
    """A name of the network that an address counts with; the text itself when it is no address."""
    parsed = parse_address(address)
    if parsed is None:
        return address
    return f"{parsed.version}:{int(parsed) >> (parsed.max_prefixlen - _SOURCE_BITS[parsed.version]):x}"
