"""Merges the tools of several servers into one list of names.

It decides who has a name that several servers use: the server of higher priority; among equals the one whose name,
then id, comes first. The other's tool is not offered, so that a name never means two things. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mcp_types import Tool

from oneapi.catalog.types import McpServer
from services.mcp.policy.server_lists import offers


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool and the server that has it."""

    server: McpServer
    tool: Tool


@dataclass(frozen=True, slots=True)
class Clash:
    """A tool that is not offered because another server has its name."""

    tool: str
    kept: McpServer
    hidden: McpServer


@dataclass(frozen=True, slots=True)
class Toolset:
    """Every offered tool by its name, in the order of names."""

    offers: Mapping[str, Offer]
    clashes: tuple[Clash, ...] = ()


NOTHING = Toolset(MappingProxyType({}))


def merge(listings: Iterable[tuple[McpServer, Iterable[Tool]]]) -> Toolset:
    """The tools of all servers. The order of the arguments does not matter."""
    found: dict[str, Offer] = {}
    clashes: list[Clash] = []
    ranked = sorted(listings, key=lambda listing: (-listing[0].priority, listing[0].name, listing[0].id))
    for server, tools in ranked:
        for tool in tools:
            if not offers(server, tool.name):
                continue
            kept = found.setdefault(tool.name, Offer(server, tool))
            if kept.tool is not tool:
                clashes.append(Clash(tool.name, kept.server, server))
    return Toolset(MappingProxyType(dict(sorted(found.items()))), tuple(clashes))
