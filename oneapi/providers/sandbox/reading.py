"""What a request asks of the built-in model, read leniently from any dialect's JSON.

The body has been through its dialect's own checks before; whatever is of another shape here is passed over.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from oneapi.providers.sandbox.reply import BYTES_PER_TOKEN, Ask, Tool

ATTACHMENT_BYTES = 400
_FILES = frozenset({"data", "file_data"})


def read(dialect: str, body: Mapping[str, Any]) -> tuple[Ask, int]:
    """The question and how many input tokens the request counts."""
    size = sum(_size(body.get(name)) for name in ("messages", "input", "system", "instructions"))
    size += len(msgspec.json.encode(body["tools"])) if body.get("tools") else 0
    return _READERS[dialect](body), max(-(-size // BYTES_PER_TOKEN), 1)


def choices(body: Mapping[str, Any]) -> int:
    """How many answers a chat completion shall have."""
    wanted = body.get("n")
    return wanted if isinstance(wanted, int) and wanted > 0 else 1


def _size(value: Any, *, file: bool = False) -> int:
    """Bytes that count as text: those of all strings, but of one that holds a file `ATTACHMENT_BYTES` at most."""
    if isinstance(value, str):
        size = len(value.encode("utf-8", "replace"))
        return min(size, ATTACHMENT_BYTES) if file or value.startswith("data:") else size
    if isinstance(value, list):
        return sum(_size(item) for item in value)
    if isinstance(value, dict):
        return sum(_size(item, file=name in _FILES) for name, item in value.items())
    return 0 if value is None else BYTES_PER_TOKEN


def _chat(body: Mapping[str, Any]) -> Ask:
    messages = [item for item in _list(body.get("messages")) if isinstance(item, dict)]
    choice = body.get("tool_choice")
    wanted = body.get("response_format")
    schema = _get(wanted, "json_schema", "schema") if _get(wanted, "type") == "json_schema" else None
    if _get(wanted, "type") == "json_object":
        schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    caps = [cap for cap in (body.get("max_completion_tokens"), body.get("max_tokens")) if isinstance(cap, int)]
    return Ask(
        text=_last_text(messages),
        tools=tuple(
            Tool(str(_get(item, "function", "name")), _mapping(_get(item, "function", "parameters")))
            for item in _list(body.get("tools"))
            if isinstance(_get(item, "function", "name"), str) and choice != "none"
        ),
        forced="*" if choice == "required" else str(_get(choice, "function", "name") or ""),
        schema=schema if isinstance(schema, dict) else None,
        max_output=min(caps) if caps else None,
        answered_tool=bool(messages) and messages[-1].get("role") == "tool",
    )


def _responses(body: Mapping[str, Any]) -> Ask:
    given = body.get("input")
    items = [item for item in _list(given) if isinstance(item, dict)]
    choice = body.get("tool_choice")
    wanted = _get(body.get("text"), "format")
    schema = _get(wanted, "schema") if _get(wanted, "type") == "json_schema" else None
    cap = body.get("max_output_tokens")
    return Ask(
        text=given if isinstance(given, str) else _last_text(items),
        tools=tuple(
            Tool(item["name"], _mapping(item.get("parameters")))
            for item in _list(body.get("tools"))
            if _get(item, "type") == "function" and isinstance(item.get("name"), str) and choice != "none"
        ),
        forced="*" if choice == "required" else str(_get(choice, "name") or ""),
        schema=schema if isinstance(schema, dict) else None,
        max_output=cap if isinstance(cap, int) else None,
        answered_tool=bool(items) and items[-1].get("type") == "function_call_output",
    )


def _messages(body: Mapping[str, Any]) -> Ask:
    messages = [item for item in _list(body.get("messages")) if isinstance(item, dict)]
    choice = body.get("tool_choice")
    wanted = _get(body.get("output_config"), "format") or body.get("output_format")
    schema = _get(wanted, "schema") if _get(wanted, "type") == "json_schema" else None
    cap = body.get("max_tokens")
    last = _list(messages[-1].get("content")) if messages else []
    return Ask(
        text=_last_text(messages),
        tools=tuple(
            Tool(item["name"], _mapping(item.get("input_schema")))
            for item in _list(body.get("tools"))
            if isinstance(_get(item, "name"), str) and _get(choice, "type") != "none"
        ),
        forced="*" if _get(choice, "type") == "any" else str(_get(choice, "name") or ""),
        schema=schema if isinstance(schema, dict) else None,
        max_output=cap if isinstance(cap, int) else None,
        answered_tool=any(_get(part, "type") == "tool_result" for part in last),
    )


def _embeddings(body: Mapping[str, Any]) -> Ask:
    del body
    return Ask(text="")


_READERS = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _messages,
    "openai_embeddings": _embeddings,
}


def _last_text(messages: list[dict[str, Any]]) -> str:
    """The text of the last message that a user wrote."""
    for message in reversed(messages):
        if message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, str):
                return content
            parts = [_get(part, "text") for part in _list(content)]
            return " ".join(part for part in parts if isinstance(part, str))
    return ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _get(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
