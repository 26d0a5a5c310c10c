"""Counts the bytes of content in a whole answer, for when the provider told no usage.

It decides which fields of an answer are content, in the dialects served here. It must not know prices or tokens.
"""

from typing import Any

import msgspec

from oneapi.dialects.usage import UNREADABLE

_TEXTS = frozenset(
    {
        *("text", "content", "refusal", "reasoning_content", "reasoning", "thinking", "arguments", "transcript"),
        *("code", "output"),
    }
)
_TOOL_INPUTS = frozenset({"input", "args"})
_HOLDERS = frozenset(
    {
        *_TEXTS,
        "choices",
        "message",
        "summary",
        "tool_calls",
        "function",
        "function_call",
        "custom",
        "audio",
        "candidates",
        "parts",
        "functionCall",
        "executableCode",
        "codeExecutionResult",
    }
)


def delivered_bytes(body: bytes) -> int:
    """Bytes of text, tool arguments, reasoning and refusals in a JSON answer; 0 for one that isn't readable."""
    try:
        return _count(msgspec.json.decode(body))
    except UNREADABLE:
        return 0


def _count(value: Any) -> int:
    if isinstance(value, list):
        return sum(_count(item) for item in value)
    if not isinstance(value, dict):
        return 0
    total = 0
    for name, item in value.items():
        if isinstance(item, str):
            total += len(item.encode("utf-8", "surrogatepass")) if name in _TEXTS or name in _TOOL_INPUTS else 0
        elif name in _TOOL_INPUTS and isinstance(item, dict):
            total += len(msgspec.json.encode(item))
        elif name in _HOLDERS:
            total += _count(item)
    return total
