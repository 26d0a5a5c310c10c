"""Tells whether a browser may have sent a request for another site.

It decides which origins are ours. It must not know who is allowed in.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from oneapi.runtime.environment import Environment

SETTING = "ONEAPI_MCP_ALLOWED_ORIGINS"
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def origins_of(env: Environment) -> tuple[str, ...]:
    """Those that the operator allows."""
    return tuple(part.strip() for part in env.text(SETTING, "").split(",") if part.strip())


def own_origins(public_url: str, allowed: Iterable[str]) -> frozenset[str]:
    """The values of `Origin` that are not foreign: the public URL's own and those that the operator allows.

    The names of the loopback are one host: a browser on this machine may use any of them.
    """
    parts = urlsplit(public_url)
    own = f"{parts.scheme}://{parts.netloc}".lower()
    origins = {own, *(origin.lower().rstrip("/") for origin in allowed)}
    host, colon, port = parts.netloc.lower().partition(":") if "[" not in parts.netloc else _split_v6(parts.netloc)
    if host in LOOPBACK_HOSTS:
        origins |= {f"{parts.scheme}://{name}{colon}{port}" for name in LOOPBACK_HOSTS}
    return frozenset(origins)


def _split_v6(netloc: str) -> tuple[str, str, str]:
    host, _, port = netloc.rpartition("]")
    return f"{host}]", port[:1], port[1:]
