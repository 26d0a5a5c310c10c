"""Answers one MCP message from the public view, whatever its era.

It decides what the server says it can do and how long clients may keep its answers. Sessions there are none. It must
not know HTTP.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oneapi.runtime.json_rpc import INVALID_PARAMS, METHOD_NOT_FOUND
from oneapi.runtime.mcp_identity import TITLE, server_name
from services.admin.public.ask.answer import Asking
from services.admin.public.document import FIXED_S, LIVE_S, Document
from services.admin.public.mcp_server import protocol
from services.admin.public.mcp_server.protocol import Headers, McpError
from services.admin.public.mcp_server.tools import TOOLS, VIEW_URI, BadArgument
from services.admin.public.site import Public, Site

INSTRUCTIONS = (
    "Read-only: what this AI gateway offers, from its live catalog. `ask` finds endpoints, models, tools and prices; "
    "the resources are the gateway's documents. To call models or tools, use /v1 and /mcp with a relay API key."
)
APPS_EXTENSION = "io.modelcontextprotocol/ui"
VIEW_PATH = "/mcp-apps/public-discovery.html"
VIEW_TYPE = "text/html;profile=mcp-app"
CAPABILITIES = {"tools": {}, "resources": {}, "extensions": {APPS_EXTENSION: {"mimeTypes": [VIEW_TYPE]}}}

Params = Mapping[str, Any]


def server_info(site: Site) -> dict[str, str]:
    """Who answers; the same on every MCP endpoint of this gateway."""
    return {"name": server_name(site.base_url), "title": TITLE, "version": site.version}


class PublicMcpServer:
    """Over `documents`. Keeps what it rendered of the last view, and nothing of its callers."""

    def __init__(self, documents: Sequence[Document], asking: Asking) -> None:
        self._documents = {document.path: document for document in documents if document.group}
        self._view = next((document for document in documents if document.path == VIEW_PATH), None)
        self._asking = asking
        self._rendered: tuple[Public, dict[str, str]] | None = None
        self._both: dict[str, Callable[[Params, Public], tuple[dict[str, Any], int | None]]] = {
            "tools/list": self._list_tools,
            "tools/call": self._call_tool,
            "resources/list": self._list_resources,
            "resources/templates/list": self._list_templates,
            "resources/read": self._read_resource,
        }

    def answer(self, message: Mapping[str, Any], headers: Headers, public: Public) -> tuple[int, dict[str, Any] | None]:
        """The HTTP status and the JSON-RPC answer; None for a notification, which gets none."""
        modern = False
        try:
            modern = protocol.is_modern(message, headers)
            if "id" not in message:
                return 202, None
            result = self._result(message["method"], message.get("params", {}), public, modern=modern)
            return 200, {"jsonrpc": "2.0", "id": message["id"], "result": result}
        except McpError as error:
            return protocol.status_of(error, modern=modern), error.body(message.get("id"))

    def _result(self, method: str, params: Params, public: Public, *, modern: bool) -> dict[str, Any]:
        info = server_info(public.site)
        if modern and method == "server/discover":
            told = {
                "supportedVersions": list(protocol.MODERN_VERSIONS),
                "capabilities": CAPABILITIES,
                "instructions": INSTRUCTIONS,
            }
            return protocol.dressed(told, info, modern=True, ttl_ms=FIXED_S * 1000)
        if not modern and method == "initialize":
            version = protocol.agreed(params.get("protocolVersion"))
            return {
                "protocolVersion": version,
                "capabilities": CAPABILITIES,
                "serverInfo": info,
                "instructions": INSTRUCTIONS,
            }
        if not modern and method == "ping":
            return {}
        handler = self._both.get(method)
        if handler is None:
            raise McpError(METHOD_NOT_FOUND, "There is no such method here.")
        try:
            result, ttl_ms = handler(params, public)
        except _NoSuchResource:
            code = INVALID_PARAMS if modern else protocol.RESOURCE_NOT_FOUND
            raise McpError(code, "There is no such resource here.") from None
        return protocol.dressed(result, info, modern=modern, ttl_ms=ttl_ms)

    def _list_tools(self, params: Params, _public: Public) -> tuple[dict[str, Any], int | None]:
        _one_page(params)
        return {"tools": [tool.described() for tool in TOOLS.values()]}, FIXED_S * 1000

    def _call_tool(self, params: Params, public: Public) -> tuple[dict[str, Any], int | None]:
        name, arguments = params.get("name"), params.get("arguments") or {}
        tool = TOOLS.get(name) if isinstance(name, str) else None
        if tool is None:
            raise McpError(INVALID_PARAMS, "There is no tool of this name.")
        if not isinstance(arguments, dict):
            raise McpError(INVALID_PARAMS, "The arguments must be an object.")
        try:
            told = tool.call(arguments, public, self._asking)
        except BadArgument as problem:
            # The model that made the call can mend it, so it must see it.
            return {"content": [{"type": "text", "text": str(problem)}], "isError": True}, None
        content = [{"type": "text", "text": told.text}]
        return {"content": content, "structuredContent": told.data, "isError": False}, None

    def _list_resources(self, params: Params, public: Public) -> tuple[dict[str, Any], int | None]:
        _one_page(params)
        listed = [
            {
                "uri": public.site.url(path),
                "name": path,
                "title": document.title,
                "description": document.note,
                "mimeType": document.representations[-1].media_type,
            }
            for path, document in self._documents.items()
            if path != VIEW_PATH
        ]
        if self._view is not None:
            view = {"uri": VIEW_URI, "name": VIEW_PATH, "title": self._view.title, "description": self._view.note}
            listed.append(view | {"mimeType": VIEW_TYPE})
        return {"resources": listed}, LIVE_S * 1000

    def _list_templates(self, params: Params, _public: Public) -> tuple[dict[str, Any], int | None]:
        _one_page(params)
        return {"resourceTemplates": []}, FIXED_S * 1000

    def _read_resource(self, params: Params, public: Public) -> tuple[dict[str, Any], int | None]:
        uri = params.get("uri")
        if not isinstance(uri, str):
            raise McpError(INVALID_PARAMS, "The uri must be a text.")
        if uri == VIEW_URI and self._view is not None:
            text = self._render(self._view, public)
            ui = {"ui": {"prefersBorder": True}}
            contents = {"uri": uri, "mimeType": VIEW_TYPE, "text": text, "_meta": ui}
            return {"contents": [contents]}, self._view.max_age_s * 1000
        base = public.site.base_url
        document = self._documents.get(uri.removeprefix(base)) if uri.startswith(base + "/") else None
        if document is None:
            raise _NoSuchResource
        media_type = document.representations[-1].media_type
        contents = {"uri": uri, "mimeType": media_type, "text": self._render(document, public)}
        return {"contents": [contents]}, document.max_age_s * 1000

    def _render(self, document: Document, public: Public) -> str:
        if self._rendered is None or self._rendered[0] is not public:
            self._rendered = (public, {})
        kept = self._rendered[1]
        if document.path not in kept:
            # Of several forms the last is the one for programs.
            kept[document.path] = document.representations[-1].render(public)
        return kept[document.path]


class _NoSuchResource(Exception):
    """Nothing of this address can be read."""


def _one_page(params: Params) -> None:
    if params.get("cursor"):
        raise McpError(INVALID_PARAMS, "The list has one page; there is no such cursor.")
