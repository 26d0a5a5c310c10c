"""Asks one tool server: lists its tools and calls them.

Each exchange is a client of its own, so that nothing of one caller (a session, a cookie, a JSON-RPC id) is ever seen
by another; only connections are kept. The server's own credential is sent, never the caller's. It must not know who may
call what.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.inbound import mcp_param_headers, x_mcp_header_map
from mcp_types import (
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    DiscoverResult,
    Implementation,
    InputRequiredResult,
    PaginatedRequestParams,
    Tool,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import TypeAdapter

from oneapi.catalog.types import McpServer
from oneapi.runtime.egress.addresses import EgressRefused, check_url
from oneapi.runtime.egress.client import ServerTransport, make_client
from oneapi.runtime.egress.dial import Dialer
from oneapi.runtime.sealing import Sealer, SealError
from services.mcp.upstream.failures import BAD_ANSWER, CREDENTIAL_REFUSED, UpstreamFailure, failure_of, timed_out
from services.mcp.upstream.transport import ENVELOPE_BYTES, MAX_RESULT_BYTES, ExchangeTransport

logger = logging.getLogger(__name__)

CONNECT_S = 3.0
LIST_S = 10.0
MAX_PAGES = 50
MAX_TOOLS = 2_000

_OURSELVES = Implementation(name="one-api", version="1")
_RESULT: TypeAdapter[CallToolResult | InputRequiredResult] = TypeAdapter(CallToolResult | InputRequiredResult)
_UNSURE = frozenset({"bad_answer", "status"})
"""Failures after which the server may speak another revision of MCP than it did."""

Answer = TypeVar("Answer")


class ToolServer:
    """One configured server, as it is called. A changed address or credential makes another.

    `limit_s` is the longest that an exchange may take.
    """

    def __init__(self, server: McpServer, sealer: Sealer, dialer: Dialer, limit_s: float) -> None:
        self.server = server
        self._sealer = sealer
        self._dialer = dialer
        self._limit_s = max(limit_s, LIST_S)
        self._pool: ServerTransport | None = None
        self._url = ""
        self._spoken: DiscoverResult | str | None = None
        """What it was found to speak: a revision without handshake, "legacy" for one with, None when not known."""

    def is_called_like(self, other: McpServer) -> bool:
        """Whether the other configuration has the same address and credential."""
        mine = self.server
        return (mine.id, mine.url, mine.auth_sealed, mine.headers_sealed) == (
            other.id, other.url, other.auth_sealed, other.headers_sealed,
        )  # fmt: skip

    async def close(self) -> None:
        """Ends its connections, also those in use."""
        if self._pool is not None:
            await self._pool.aclose()

    async def list_tools(self) -> tuple[Tool, ...]:
        """Every tool that it has. Raises UpstreamFailure."""

        async def ask(client: Client) -> tuple[Tool, ...]:
            self._spoken = client.session.discover_result or "legacy"
            tools: list[Tool] = []
            cursor: str | None = None
            for _ in range(MAX_PAGES):
                page = await client.session.list_tools(params=PaginatedRequestParams(cursor=cursor))
                tools += page.tools
                cursor = page.next_cursor
                if not cursor or len(tools) > MAX_TOOLS:
                    break
            return tuple(tools[:MAX_TOOLS])

        return await self._exchange(ask, LIST_S, {}, None)

    async def call_tool(
        self, tool: Tool, arguments: dict[str, Any] | None, *, traceparent: str, limit_s: float
    ) -> CallToolResult:
        """The tool's own answer, its errors included. Raises UpstreamFailure. `limit_s` bounds the whole exchange."""
        headers = {"traceparent": traceparent} if traceparent else {}
        spoken = self._spoken
        if isinstance(spoken, DiscoverResult):
            headers |= mcp_param_headers(x_mcp_header_map(tool.input_schema), arguments or {})
        request = CallToolRequest(params=CallToolRequestParams(name=tool.name, arguments=arguments))

        async def ask(client: Client) -> CallToolResult:
            # Not `Client.call_tool`: it would list the tools again to check the answer, which is the caller's to do.
            answer = await client.session.send_request(request, _RESULT)
            if isinstance(answer, InputRequiredResult):
                raise UpstreamFailure(
                    BAD_ANSWER, "input_required", f"The tool server {self.server.name!r} asks for input from a user."
                )
            return answer

        try:
            return await self._exchange(ask, limit_s, headers, spoken)
        except UpstreamFailure as failure:
            if failure.kind in _UNSURE:
                self._spoken = None
            raise

    async def _exchange(
        self,
        ask: Callable[[Client], Awaitable[Answer]],
        limit_s: float,
        headers: Mapping[str, str],
        spoken: DiscoverResult | str | None,
    ) -> Answer:
        name = self.server.name
        try:
            transport = ExchangeTransport(self._connections())
        except EgressRefused as refusal:
            raise failure_of(refusal, name, 0, MAX_RESULT_BYTES, limit_s) from None
        answers: list[Answer] = []
        try:
            with anyio.fail_after(limit_s):
                async with self._client(transport, limit_s, headers, spoken) as client:
                    answers.append(await ask(client))
        except Exception as problem:  # noqa: BLE001 - whatever the layers below raise, alone or in groups, becomes one failure
            if not answers:
                failure = failure_of(transport.cause or problem, name, transport.status, MAX_RESULT_BYTES, limit_s)
                logger.info(
                    "a tool server failed",
                    extra={"fields": {"server": name, "kind": failure.kind, "why": type(problem).__name__}},
                )
                raise failure from None
        if not answers:
            raise timed_out(name, limit_s)
        return answers[0]

    def _connections(self) -> ServerTransport:
        """Raises EgressRefused when the server's URL is one that must not be called."""
        if self._pool is None:
            address = check_url(self.server.url, self._dialer.allow_private)
            self._url = str(address.url)
            self._pool = ServerTransport(
                address,
                self._dialer,
                max_bytes=MAX_RESULT_BYTES + ENVELOPE_BYTES,
                limit_s=self._limit_s,
                connect_s=CONNECT_S,
            )
        return self._pool

    @asynccontextmanager
    async def _client(
        self,
        transport: ExchangeTransport,
        limit_s: float,
        headers: Mapping[str, str],
        spoken: DiscoverResult | str | None,
    ) -> AsyncIterator[Client]:
        # The name of a parameter's header is the server's word.
        try:
            http = make_client(transport, headers=self._own_headers() | dict(headers), silence_s=limit_s)
        except ValueError:
            raise UpstreamFailure(
                CREDENTIAL_REFUSED, "headers", f"The headers for the tool server {self.server.name!r} can't be sent."
            ) from None
        async with http:
            connection = Client(
                streamable_http_client(self._url, http_client=http, max_sse_event_size=MAX_RESULT_BYTES),
                mode=_mode(spoken),
                prior_discover=spoken if isinstance(spoken, DiscoverResult) else None,
                read_timeout_seconds=limit_s,
                client_info=_OURSELVES,
                cache=None,
            )
            async with connection as client:
                yield client

    def _own_headers(self) -> dict[str, str]:
        server = self.server
        headers: dict[str, str] = {}
        try:
            for name, sealed in server.headers_sealed.items():
                headers[name.lower()] = self._sealer.open(sealed, bound_to=f"mcp_server/{server.id}/headers/{name}")
            if server.auth_sealed:
                auth = self._sealer.open(server.auth_sealed, bound_to=f"mcp_server/{server.id}/auth")
                # A scheme that is written out is kept; a bare token is a bearer's.
                headers["authorization"] = auth if " " in auth else f"Bearer {auth}"
        except SealError as problem:
            logger.error("a credential can't be opened", extra={"fields": {"server": server.name, "why": str(problem)}})
            raise UpstreamFailure(
                CREDENTIAL_REFUSED, "sealed", f"The credential of the tool server {server.name!r} can't be used here."
            ) from None
        return headers


def _mode(spoken: DiscoverResult | str | None) -> str:
    if isinstance(spoken, DiscoverResult):
        return next(version for version in reversed(MODERN_PROTOCOL_VERSIONS) if version in spoken.supported_versions)
    return spoken or "auto"
