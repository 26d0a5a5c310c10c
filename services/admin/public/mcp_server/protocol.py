"""MCP on the wire, in both of its eras: which one a message is of, what its headers must say, how results are dressed.

Since 2026-07-28 each request carries its version and repeats in headers what it is about; before that a handshake opens
the talk. It decides which versions are spoken, and must not know tools or resources. Pure.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oneapi.runtime.json_rpc import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR

MODERN_VERSIONS = ("2026-07-28",)
HANDSHAKE_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
VERSIONS = (*MODERN_VERSIONS, *HANDSHAKE_VERSIONS)

HEADER_MISMATCH = -32020
UNSUPPORTED_VERSION = -32022
RESOURCE_NOT_FOUND = -32002
"""Of the handshake's era; since then it is INVALID_PARAMS."""

VERSION_HEADER = "mcp-protocol-version"
METHOD_HEADER = "mcp-method"
NAME_HEADER = "mcp-name"
ROUTING_HEADERS = (VERSION_HEADER, METHOD_HEADER, NAME_HEADER)
NAMED = {"tools/call": "name", "resources/read": "uri", "prompts/get": "name"}
"""Methods whose Mcp-Name repeats a parameter."""

_META = "io.modelcontextprotocol/"
VERSION_META = f"{_META}protocolVersion"
CAPABILITIES_META = f"{_META}clientCapabilities"
SERVER_META = f"{_META}serverInfo"
_STATUSES = {
    PARSE_ERROR: 400,
    INVALID_REQUEST: 400,
    INVALID_PARAMS: 400,
    HEADER_MISMATCH: 400,
    UNSUPPORTED_VERSION: 400,
    METHOD_NOT_FOUND: 404,
}
_ENCODED = re.compile(r"=\?base64\?(.*)\?=")


class McpError(Exception):
    """A JSON-RPC error; `status` is None where the era decides."""

    def __init__(self, code: int, message: str, data: Any = None, status: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data, self.status = code, message, data, status

    def body(self, request_id: object) -> dict[str, Any]:
        """The error as a JSON-RPC message."""
        error = {"code": self.code, "message": self.message} | ({} if self.data is None else {"data": self.data})
        return {"jsonrpc": "2.0", "id": request_id, "error": error}


@dataclass(frozen=True, slots=True)
class Headers:
    """Those that count, each with all of its values."""

    values: Mapping[str, Sequence[str]]

    def one(self, name: str) -> str | None:
        """Its value; None without one. Raises McpError for several, of which readers would take different ones."""
        given = self.values.get(name, ())
        if len(given) > 1:
            raise McpError(HEADER_MISMATCH, f"The header {name} is there more than once.", status=400)
        return given[0] if given else None


def is_modern(message: Mapping[str, Any], headers: Headers) -> bool:
    """Whether a message carries its version. Raises McpError unless it is one that is spoken, as its headers say."""
    version = headers.one(VERSION_HEADER)
    meta = message.get("params", {}).get("_meta")
    enveloped = isinstance(meta, dict) and VERSION_META in meta
    if not enveloped and (version is None or version in HANDSHAKE_VERSIONS):
        return False
    if version is not None and version not in VERSIONS and not enveloped:
        raise _unsupported(version)
    if "id" not in message:
        return True
    if not isinstance(meta, dict) or VERSION_META not in meta or CAPABILITIES_META not in meta:
        missing = f"params._meta must have {VERSION_META} and {CAPABILITIES_META}."
        raise McpError(INVALID_PARAMS, missing, status=400)
    if version != meta[VERSION_META]:
        raise _mismatch(VERSION_HEADER)
    _check_routing(message, headers)
    if version not in MODERN_VERSIONS:
        raise _unsupported(version)
    return True


def dressed(result: dict[str, Any], server: Mapping[str, str], *, modern: bool, ttl_ms: int | None) -> dict[str, Any]:
    """A result as its era has it. `ttl_ms` is how long it may be kept; None for one that may not."""
    if not modern:
        return result
    kept = {} if ttl_ms is None else {"ttlMs": ttl_ms, "cacheScope": "public"}
    return {**result, "resultType": "complete", **kept, "_meta": {SERVER_META: dict(server)}}


def status_of(error: McpError, *, modern: bool) -> int:
    """The HTTP status of an error."""
    if error.status is not None:
        return error.status
    return _STATUSES.get(error.code, 200) if modern else 200


def agreed(wanted: object) -> str:
    """What a handshake ends with: the version asked for, or the newest of its era."""
    return wanted if isinstance(wanted, str) and wanted in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[0]


def _check_routing(message: Mapping[str, Any], headers: Headers) -> None:
    method = message["method"]
    if headers.one(METHOD_HEADER) != method:
        raise _mismatch(METHOD_HEADER)
    wanted = NAMED.get(method)
    if wanted is not None and _decoded(headers.one(NAME_HEADER)) != message["params"].get(wanted):
        raise _mismatch(NAME_HEADER)


def _decoded(value: str | None) -> str | None:
    """A header's text, which may be base64 in a wrapping; None when it can't be read."""
    wrapped = None if value is None else _ENCODED.fullmatch(value)
    if wrapped is None:
        return value
    try:
        return base64.b64decode(wrapped[1], validate=True).decode()
    except ValueError:
        return None


def _mismatch(name: str) -> McpError:
    return McpError(HEADER_MISMATCH, f"The header {name} does not say what the body says.", status=400)


def _unsupported(version: object) -> McpError:
    data = {"supported": list(MODERN_VERSIONS), "requested": version}
    return McpError(UNSUPPORTED_VERSION, "This version of MCP is not spoken here.", data, status=400)
