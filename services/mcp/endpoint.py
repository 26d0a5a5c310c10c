"""The MCP server that clients talk to: lists and calls the tools that a key may use.

It decides what a refused or failed call looks like in JSON-RPC, what is traced and what is counted. It must not know
HTTP, or how servers are called.
"""

import time
from typing import Any

from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    Tool,
)
from opentelemetry import trace
from opentelemetry.trace import Span, StatusCode

from oneapi.catalog.toolset import Offer
from oneapi.runtime import semconv
from oneapi.runtime.mcp_identity import TITLE
from oneapi.runtime.metrics import counter, histogram
from oneapi.runtime.telemetry import (
    HeadSampler,
    context_from,
    current_traceparent,
    parse_traceparent,
    release,
    tracer,
)
from services.mcp.authentication import Caller
from services.mcp.directory import ToolDirectory
from services.mcp.policy.key_tools import grants
from services.mcp.upstream.failures import UpstreamFailure

CALLER = "oneapi.caller"
"""The key of the ASGI scope under which the door leaves the `Caller`."""
TOOL_NOT_ALLOWED = -32003
INSTRUCTIONS = "Tools of several servers behind one gateway. What is listed depends on the key."
RESERVED_META = "io.modelcontextprotocol/"

CALLS = counter(semconv.METRIC_TOOL_CALLS, "Tool calls, by server and outcome", ("server", "outcome"))
SECONDS = histogram(semconv.METRIC_TOOL_SECONDS, "Duration of calls that reached a tool server", ("server",))

Context = ServerRequestContext[Any, Any]


class Endpoint:
    """Makes the answers, under the server's `name`. `call_limit_s` bounds one tool call."""

    def __init__(self, name: str, directory: ToolDirectory, sampler: HeadSampler, call_limit_s: float) -> None:
        self._name = name
        self._directory = directory
        self._sampler = sampler
        self._call_limit_s = call_limit_s

    def server(self) -> "Server[Any]":
        """The protocol's own server, to be put behind a door."""
        server: Server[Any] = Server(
            self._name,
            version=release(),
            title=TITLE,
            instructions=INSTRUCTIONS,
            get_tool_input_schema=self._known_schema,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
        )
        # Its own spans would be made for every message, sampled or not.
        server.middleware.clear()
        return server

    async def _list_tools(self, context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        if params is not None and params.cursor:
            raise MCPError(INVALID_PARAMS, "The list has one page; there is no such cursor.")
        toolset = await self._directory.tools()
        key = _caller(context).key
        granted = [offer.tool for name, offer in toolset.offers.items() if grants(key, name)]
        return ListToolsResult(tools=[_shown(tool) for tool in granted], ttl_ms=0, cache_scope="private")

    async def _call_tool(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        caller = _caller(context)
        incoming = context.request.headers.get("traceparent", "") if context.request is not None else ""
        if not self._sampler.decide(incoming):
            # An unsampled trace travels on as it came.
            return await self._call(caller, params, None, incoming if parse_traceparent(incoming) else "")
        attributes = {
            semconv.MCP_METHOD: "tools/call",
            semconv.MCP_PROTOCOL_VERSION: context.protocol_version,
            semconv.GEN_AI_OPERATION: semconv.OPERATION_EXECUTE_TOOL,
            semconv.REQUEST_ID: caller.request_id,
            semconv.KEY_ID: caller.key.id,
            semconv.ACCOUNT_ID: caller.key.account_id,
        }
        with tracer().start_as_current_span(
            semconv.SPAN_TOOL_CALL,
            context=context_from(incoming),
            kind=trace.SpanKind.SERVER,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                return await self._call(caller, params, span, current_traceparent())
            except MCPError as failure:
                span.set_attribute(semconv.ERROR_TYPE, str(failure.error.code))
                span.set_status(StatusCode.ERROR, failure.error.message)
                raise

    async def _call(
        self, caller: Caller, params: CallToolRequestParams, span: Span | None, traceparent: str
    ) -> CallToolResult:
        offer = await self._find(caller, params.name)
        server = self._directory.server(offer.server.id)
        if server is None:
            raise MCPError(INTERNAL_ERROR, "The tool's server was removed just now.")
        if span is not None:
            # Only of a tool that there is: anything else is the client's own words.
            span.set_attribute(semconv.GEN_AI_TOOL_NAME, params.name)
            span.set_attribute(semconv.MCP_SERVER_ID, offer.server.id)
        began = time.perf_counter()
        outcome = "cancelled"
        try:
            result = await server.call_tool(
                offer.tool, params.arguments, traceparent=traceparent, limit_s=self._call_limit_s
            )
            outcome = "tool_error" if result.is_error else "ok"
        except UpstreamFailure as failure:
            outcome = failure.kind
            raise MCPError(failure.code, str(failure)) from None
        finally:
            CALLS.labels(offer.server.name, outcome).inc()
            SECONDS.labels(offer.server.name).observe(time.perf_counter() - began)
        if span is not None and result.is_error:
            span.set_attribute(semconv.ERROR_TYPE, "tool_error")
            span.set_status(StatusCode.ERROR)
        return result.model_copy(update={"meta": _without_reserved(result.meta)})

    async def _find(self, caller: Caller, name: str) -> Offer[Tool]:
        if not grants(caller.key, name):
            CALLS.labels("", "not_allowed").inc()
            raise MCPError(TOOL_NOT_ALLOWED, "tool_not_allowed: this key may not use a tool of this name.")
        toolset = await self._directory.tools_with(name)
        offer = toolset.offers.get(name)
        if offer is None:
            CALLS.labels("", "unknown").inc()
            raise MCPError(INVALID_PARAMS, "There is no tool of this name.")
        return offer

    def _known_schema(self, name: str) -> dict[str, Any] | None:
        """By which the library checks the headers that repeat a call's arguments."""
        offer = self._directory.known().offers.get(name)
        return None if offer is None else offer.tool.input_schema


def _caller(context: Context) -> Caller:
    caller = context.request.scope[CALLER] if context.request is not None else None
    if not isinstance(caller, Caller):
        raise MCPError(INTERNAL_ERROR, "The request has no caller.")
    return caller


def _shown(tool: Tool) -> Tool:
    """The tool as clients see it: without what its server said to the gateway only."""
    return tool.model_copy(update={"meta": _without_reserved(tool.meta), "execution": None})


def _without_reserved(meta: Any) -> dict[str, Any] | None:
    if not meta:
        return None
    return {name: value for name, value in meta.items() if not name.startswith(RESERVED_META)} or None
