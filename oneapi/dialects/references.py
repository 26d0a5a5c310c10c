"""Where a request names what a provider keeps for its account: earlier answers, conversations, files, stores, prompts.

All tenants of a channel share its provider's account, so whoever knows such an id could use what another tenant left
there. It decides which fields name such things. It must not know whose they are.
"""

from collections.abc import Mapping
from typing import Any

_FIELDS = ("previous_response_id", "conversation", "prompt", "container")
_OF_PARTS = ("file_id", "file_ids", "vector_store_ids")
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
