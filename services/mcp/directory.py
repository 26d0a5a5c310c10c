"""Knows the tools of every configured server, and keeps that knowledge fresh.

It decides when a server is asked again and what is used while it does not answer: what it last said. It must not know
who may use a tool, or how servers are called.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from mcp_types import CallToolResult, Tool

from oneapi.catalog.toolset import Toolset, merge
from oneapi.catalog.types import McpServer
from oneapi.runtime.tasks import TaskSet
from services.mcp.upstream.failures import UpstreamFailure

logger = logging.getLogger(__name__)

FRESH_S = 60.0
RETRY_S = 5.0
FIRST_S = 10.0
"""How long a request waits for servers that have not answered yet."""


class Server(Protocol):
    """A tool server as this module needs it (see `upstream.client.ToolServer`)."""

    server: McpServer

    def is_called_like(self, other: McpServer) -> bool: ...

    async def list_tools(self) -> tuple[Tool, ...]: ...

    async def call_tool(
        self, tool: Tool, arguments: dict[str, Any] | None, *, traceparent: str, limit_s: float
    ) -> CallToolResult: ...

    async def close(self) -> None: ...


class Listener(Protocol):
    """Who wants to know what servers have (see `announcing.Announcer`)."""

    def has(self, server_id: str, tools: tuple[Tool, ...]) -> None: ...

    def gone(self, server_id: str) -> None: ...


class _Listing:
    """What one server said last. `tools` is None until it has answered once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.tools: tuple[Tool, ...] | None = None
        self.tried = False
        self.asked_at: float | None = None
        self.asking: asyncio.Task[None] | None = None

    def age(self, now: float) -> float:
        return float("inf") if self.asked_at is None else now - self.asked_at


class ToolDirectory:
    """The servers of the catalog's newest view. `linger_s` is how long calls to a replaced server may go on."""

    def __init__(
        self,
        configured: Callable[[], Mapping[str, McpServer]],
        connect: Callable[[McpServer], Server],
        clock: Callable[[], float],
        linger_s: float,
        listener: Listener,
    ) -> None:
        self._listener = listener
        self._configured = configured
        self._connect = connect
        self._clock = clock
        self._linger_s = linger_s
        self._listings: dict[str, _Listing] = {}
        self._seen: Mapping[str, McpServer] | None = None
        self._merged: Toolset[Tool] | None = None
        self._tasks = TaskSet()

    def follow(self) -> None:
        """Takes over what the catalog says now, and asks servers that are new or whose list is old."""
        configured = self._configured()
        if configured is not self._seen:
            for server_id in (self._seen or {}).keys() - configured.keys():
                self._listener.gone(server_id)
            self._seen = configured
            self._merged = None
            enabled = {server.id: server for server in configured.values() if server.enabled}
            for server_id in list(self._listings):
                if server_id not in enabled or not self._listings[server_id].server.is_called_like(enabled[server_id]):
                    self._retire(self._listings.pop(server_id))
            for server in enabled.values():
                if server.id in self._listings:
                    self._listings[server.id].server.server = server
                else:
                    self._listings[server.id] = _Listing(self._connect(server))
        for listing in self._listings.values():
            self._ask(listing, FRESH_S if listing.tools is not None else RETRY_S)

    async def tools(self) -> Toolset[Tool]:
        """Every offered tool. Waits only for servers that are asked for the first time."""
        self.follow()
        first = [listing.asking for listing in self._listings.values() if listing.asking and not listing.tried]
        if first:
            await asyncio.wait(first, timeout=FIRST_S)
        return self._merge()

    async def tools_with(self, name: str) -> Toolset[Tool]:
        """The same, and asks again (every 5 s at most) when there is no tool of this name: it may be a new one."""
        found = await self.tools()
        if name in found.offers:
            return found
        for listing in self._listings.values():
            self._ask(listing, RETRY_S)
        running = [listing.asking for listing in self._listings.values() if listing.asking]
        if running:
            await asyncio.wait(running, timeout=FIRST_S)
        return self._merge()

    def known(self) -> Toolset[Tool]:
        """Every tool that is offered as far as is known now."""
        return self._merge()

    def server(self, server_id: str) -> Server | None:
        """The server of this id, if it is still configured."""
        listing = self._listings.get(server_id)
        return None if listing is None else listing.server

    async def close(self) -> None:
        """Stops asking and ends all connections."""
        await self._tasks.close()
        for listing in self._listings.values():
            await listing.server.close()

    def _ask(self, listing: _Listing, older_than_s: float) -> None:
        if listing.asking is None and listing.age(self._clock()) >= older_than_s:
            listing.asked_at = self._clock()
            listing.asking = self._tasks.spawn(self._refresh(listing), f"tools of {listing.server.server.name}")

    async def _refresh(self, listing: _Listing) -> None:
        try:
            tools = await listing.server.list_tools()
        except UpstreamFailure as failure:
            # Its last list is used on. A server that never answered is asked again soon, without anybody waiting.
            fields = {"server": listing.server.server.name, "kind": failure.kind}
            logger.warning("a tool server can't be listed", extra={"fields": fields})
        else:
            # Told also when nothing is new: what was written of it may have been lost.
            self._listener.has(listing.server.server.id, tools)
            if listing.tools != tools:
                _tell_changes(listing.server.server, listing.tools, tools)
                listing.tools = tools
                self._merged = None
        finally:
            listing.tried = True
            listing.asking = None

    def _merge(self) -> Toolset[Tool]:
        if self._merged is None:
            self._merged = merge(
                (listing.server.server, listing.tools)
                for listing in self._listings.values()
                if listing.tools is not None
            )
            for clash in self._merged.clashes:
                fields = {"tool": clash.tool, "offered_of": clash.kept.name, "hidden_of": clash.hidden.name}
                logger.warning("two servers have a tool of the same name", extra={"fields": fields})
        return self._merged

    def _retire(self, listing: _Listing) -> None:
        if listing.asking is not None:
            listing.asking.cancel()
        self._tasks.spawn(self._close_later(listing.server), f"end of {listing.server.server.name}")

    async def _close_later(self, server: Server) -> None:
        try:
            await asyncio.sleep(self._linger_s)
        finally:
            await server.close()


def _tell_changes(server: McpServer, before: tuple[Tool, ...] | None, after: tuple[Tool, ...]) -> None:
    """A tool that means something else than yesterday is worth a look: its users trusted the old one."""
    known = {tool.name: tool for tool in before or ()}
    changed = [tool.name for tool in after if tool.name in known and known[tool.name] != tool]
    if changed:
        fields = {"server": server.name, "tools": changed[:20]}
        logger.warning("definitions of tools have changed", extra={"fields": fields})
    logger.info("the tools of a server are known", extra={"fields": {"server": server.name, "tools": len(after)}})
