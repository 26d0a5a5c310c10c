"""What an operator may configure as an upstream's address, credential and headers.

Decides it when it is configured, so that the mistake is told to the one who made it; whoever calls the upstream checks
addresses again at every connection. This module must not know channels or MCP servers.
"""

import logging
import re
from collections.abc import Mapping

from oneapi.runtime.egress.addresses import EgressRefused, check_url
from oneapi.runtime.egress.names import resolve_checked

logger = logging.getLogger(__name__)

MAX_SECRET = 4096
MAX_HEADERS = 32
MAX_HEADER_VALUE = 4096
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~\-]{1,128}")
_VISIBLE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")

OURS = frozenset(
    {
        # Framing and routing of the request: the gateway alone writes these.
        "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "keep-alive",
        "te", "trailer", "upgrade", "expect", "accept", "accept-encoding", "via", "forwarded", "traceparent",
        "tracestate", "cookie", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    }
)  # fmt: skip
"""Header names that can't be configured. `authorization` and `x-api-key` can: some upstreams want more than a key."""
OUR_PREFIXES = ("x-forwarded-", "proxy-", "sec-", "mcp-")


async def check_address(url: str, allow_private: bool) -> None:
    """Accepts a URL whose host and addresses may be called. Raises EgressRefused.

    A name that can't be resolved now is accepted: it may exist tomorrow, and it is checked again when it is called.
    """
    if "?" in url:
        raise EgressRefused("the URL must not hold a query")
    address = check_url(url, allow_private)
    if address.is_literal:
        return
    try:
        await resolve_checked(address.host, address.port, allow_private)
    except EgressRefused:
        raise
    except OSError as failure:
        logger.info("a configured host can't be resolved now", extra={"fields": {"why": type(failure).__name__}})


def check_secret(secret: str) -> str:
    """A credential that can travel in a header. ValueError otherwise."""
    if len(secret) > MAX_SECRET or not _VISIBLE.fullmatch(secret):
        raise ValueError(f"must be 1 to {MAX_SECRET} printable ASCII characters without spaces at the ends")
    return secret


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers that may be sent to an upstream, names in lower case. ValueError otherwise."""
    if len(headers) > MAX_HEADERS:
        raise ValueError(f"must be at most {MAX_HEADERS}")
    checked: dict[str, str] = {}
    for name, value in headers.items():
        lowered = name.lower()
        if not _TOKEN.fullmatch(name):
            raise ValueError("must have names that HTTP allows")
        if lowered in OURS or lowered.startswith(OUR_PREFIXES):
            raise ValueError(f"must not set {lowered}: the gateway does")
        if len(value) > MAX_HEADER_VALUE or not _VISIBLE.fullmatch(value):
            raise ValueError(f"must have values of 1 to {MAX_HEADER_VALUE} printable ASCII characters")
        if lowered in checked:
            raise ValueError("must not hold the same name twice")
        checked[lowered] = value
    return checked
