"""Decides which tools of a server the gateway offers at all: the server's `allow` and `deny` lists.

An entry is a tool's exact name, or a pattern with `*`. An empty `allow` allows everything; `deny` wins. It must not
know who calls.
"""

from fnmatch import fnmatchcase

from oneapi.catalog.types import McpServer


def offers(server: McpServer, tool: str) -> bool:
    """Whether the server's tool of this name may be offered."""
    if any(fnmatchcase(tool, _literal(pattern)) for pattern in server.deny):
        return False
    return not server.allow or any(fnmatchcase(tool, _literal(pattern)) for pattern in server.allow)


def _literal(pattern: str) -> str:
    """Only `*` has a meaning: a name may hold the others."""
    return pattern.replace("[", "[[]").replace("?", "[?]")
