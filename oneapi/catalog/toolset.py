"""Merges the tools of several servers into one list of names.

It decides who has a name that several servers use: the server of higher priority; among equals the one whose name,
then id, comes first. The other's tool is not offered, so that a name never means two things. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from oneapi.catalog.server_lists import offers
from oneapi.catalog.types import McpServer


class Named(Protocol):
    """A tool, as far as this module needs it."""

    @property
    def name(self) -> str: ...


AnyTool = TypeVar("AnyTool", bound=Named)


@dataclass(frozen=True, slots=True)
class Offer(Generic[AnyTool]):
    """A tool and the server that has it."""

    server: McpServer
    tool: AnyTool


@dataclass(frozen=True, slots=True)
class Clash:
    """A tool that is not offered because another server has its name."""

    tool: str
    kept: McpServer
    hidden: McpServer


@dataclass(frozen=True, slots=True)
class Toolset(Generic[AnyTool]):
    """Every offered tool by its name, in the order of names."""

    offers: Mapping[str, Offer[AnyTool]]
    clashes: tuple[Clash, ...] = ()


def merge(listings: Iterable[tuple[McpServer, Iterable[AnyTool]]]) -> Toolset[AnyTool]:
    """The tools of all servers. The order of the arguments does not matter."""
    found: dict[str, Offer[AnyTool]] = {}
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
