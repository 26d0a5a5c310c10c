"""Under which name this gateway's MCP endpoints report: one name for all of them, as one card describes them.

It decides the name, made of the public address as MCP's server cards want it, and must not know any endpoint. Pure.
"""

import re
from urllib.parse import urlsplit

TITLE = "One API"
_FOREIGN = re.compile("[^a-z0-9.-]")


def server_name(public_url: str) -> str:
    """A reverse-DNS name and one slash: `example.gw/gateway` for https://gw.example."""
    host = (urlsplit(public_url).hostname or "localhost").lower()
    return f"{_FOREIGN.sub('-', '.'.join(reversed(host.split('.'))))}/gateway"
