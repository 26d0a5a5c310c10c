"""Where a request names what a provider keeps for its account: earlier answers, conversations, files, stores, prompts.

All tenants of a channel share its provider's account, so whoever knows such an id could use what another tenant left
there. It decides which fields name such things. It must not know whose they are.
"""

from collections.abc import Mapping
from typing import Any

from oneapi.dialects.stored_files import is_stored

_FIELDS = (
    *("previous_response_id", "conversation", "prompt", "container"),
    *("cachedContent", "cached_content"),
)
_OF_PARTS = ("file_id", "file_ids", "vector_store_ids")
_OF_GOOGLES_TOOLS = ("fileSearch", "file_search", "retrieval")
_REFERENCE = "item_reference"
_MAX_NESTING = 6
"""Message, tool result, document, its parts: nothing nests deeper."""


def reference(raw: Mapping[str, Any]) -> str:
    """The name of a field that names something which is kept; empty when there is none.

    A `prompt` that is text, as completions have it, names nothing.
    """
    for field in _FIELDS:
        value = raw.get(field)
        if value and not (field == "prompt" and isinstance(value, str | list)):
            return field
    for field in ("messages", "input", "tools", "attachments"):
        found = _look_in(raw.get(field), 0)
        if found:
            return found
    return _at_google(raw)


def _at_google(raw: Mapping[str, Any]) -> str:
    """Google's contents, whose names have two spellings, and those of its tools that search what it stores."""
    contents = raw.get("contents")
    told = [raw.get("systemInstruction"), raw.get("system_instruction")]
    found = _in_contents([*(contents if isinstance(contents, list) else ()), *told], 0)
    tools = raw.get("tools")
    for tool in tools if isinstance(tools, list) and not found else ():
        found = next((name for name in _OF_GOOGLES_TOOLS if isinstance(tool, dict) and tool.get(name)), "")
        if found:
            break
    return found


def _in_contents(contents: list[Any], depth: int) -> str:
    for content in contents if depth < 2 else ():
        parts = content.get("parts") if isinstance(content, dict) else None
        for part in parts if isinstance(parts, list) else ():
            if not isinstance(part, dict):
                continue
            for file in (part.get("fileData"), part.get("file_data")):
                for field in ("fileUri", "file_uri"):
                    uri = file.get(field) if isinstance(file, dict) else None
                    if isinstance(uri, str) and is_stored(uri):
                        return field
            for response in (part.get("functionResponse"), part.get("function_response")):
                found = _in_contents([response], depth + 1)
                if found:
                    return found
    return ""


def _look_in(value: Any, depth: int) -> str:
    if depth > _MAX_NESTING:
        return ""
    if isinstance(value, list):
        return next(filter(None, (_look_in(part, depth) for part in value)), "")
    if not isinstance(value, dict):
        return ""
    for field in _OF_PARTS:
        if value.get(field):
            return field
    if value.get("type") == _REFERENCE:
        return _REFERENCE
    container = value.get("container")
    if isinstance(container, str) and container:
        return "container"
    inner = (value.get(field) for field in ("content", "file", "source", "output", "container", "image_url"))
    return next(filter(None, (_look_in(part, depth + 1) for part in inner)), "")
