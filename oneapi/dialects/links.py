"""Where a request asks its provider to fetch something: pictures, sound, files, tool servers, in every dialect.

It decides which fields hold such URLs. It must not know which URLs are acceptable.
"""

from collections.abc import Mapping
from typing import Any

from oneapi.dialects.stored_files import is_name

_FIELDS = ("image_url", "file_url", "video_url", "audio_url")
_HOLDERS = frozenset({*_FIELDS, "file", "source", "output"})
"""A part that has none of these, and no parts of its own, holds no link: most messages are just text."""
_MAX_NESTING = 4
"""Message, tool result, document, its own parts: nothing nests deeper."""


def links(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The field's name and the URL of each; data that is sent inline is none."""
    found: list[tuple[str, str]] = []
    _look_in(raw.get("messages"), found, 0)
    _look_in(raw.get("input"), found, 0)
    _look_in_contents(raw.get("contents"), found)
    _look_in_contents([raw.get("systemInstruction"), raw.get("system_instruction")], found)
    prompt = raw.get("prompt")
    if isinstance(prompt, dict):
        variables = prompt.get("variables")
        _look_in(list(variables.values()) if isinstance(variables, dict) else None, found, 0)
    tools = raw.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict) and "server_url" in tool:
            _take("server_url", tool["server_url"], found)
        _look_in_servers(tool, found)
    servers = raw.get("mcp_servers")
    for server in servers if isinstance(servers, list) else ():
        _take("url", _member(server, "url"), found)
    return found


def _look_in_contents(contents: Any, found: list[tuple[str, str]], depth: int = 0) -> None:
    """Google's contents, and its functions' responses, hold parts; names have two spellings. What is stored there has a
    name and no URL."""
    for content in contents if isinstance(contents, list) and depth < 2 else ():
        parts = content.get("parts") if isinstance(content, dict) else None
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                for name in ("fileData", "file_data"):
                    for field in ("fileUri", "file_uri"):
                        uri = _member(part.get(name), field)
                        if isinstance(uri, str) and not is_name(uri):
                            _take(field, uri, found)
                for name in ("functionResponse", "function_response"):
                    _look_in_contents([part.get(name)], found, depth + 1)


def _look_in_servers(tool: Any, found: list[tuple[str, str]]) -> None:
    """Google's tool servers, and a search of one's own."""
    for name in ("mcpServers", "mcp_servers"):
        servers = _member(tool, name)
        for server in servers if isinstance(servers, list) else ():
            for transport in ("streamableHttpTransport", "streamable_http_transport"):
                _take("url", _member(_member(server, transport), "url"), found)
    for name in ("externalApi", "external_api"):
        _take("endpoint", _member(_member(_member(tool, "retrieval"), name), "endpoint"), found)


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _look_in(parts: Any, found: list[tuple[str, str]], depth: int) -> None:
    """Looks in a part or in a list of them."""
    if isinstance(parts, dict):
        parts = [parts]
    if not isinstance(parts, list) or depth > _MAX_NESTING:
        return
    for part in parts:
        if not isinstance(part, dict):
            continue
        if not _HOLDERS.isdisjoint(part):
            _open(part, found, depth)
        content = part.get("content")
        if not isinstance(content, str):
            _look_in(content, found, depth + 1)


def _open(part: Mapping[str, Any], found: list[tuple[str, str]], depth: int) -> None:
    for field in _FIELDS:
        given = part.get(field)
        _take(field, given.get("url") if isinstance(given, dict) else given, found)
    file, source = part.get("file"), part.get("source")
    if isinstance(file, dict):
        _take("file_url", file.get("file_url"), found)
    if isinstance(source, dict):
        _take("image_url" if part.get("type") == "image" else "file_url", source.get("url"), found)
        _look_in(source.get("content"), found, depth + 1)
    _look_in(part.get("output"), found, depth + 1)


def _take(field: str, url: Any, found: list[tuple[str, str]]) -> None:
    if isinstance(url, str) and url[:5].lower() != "data:":
        found.append((field, url))
