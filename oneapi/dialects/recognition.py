"""Which conversation format a body is written in, when it came to another format's address.

It decides what makes a body unmistakable: what its own format requires is there, and something that the address's
format doesn't have. Everything else is taken for what its address says. It must not know any address.
"""

from collections.abc import Mapping
from typing import Any

CHAT, RESPONSES, MESSAGES = "openai_chat", "openai_responses", "anthropic_messages"

_EMBEDDING = frozenset({"encoding_format", "dimensions"})
_ONLY_MESSAGES = frozenset({"system", "stop_sequences"})
_ONLY_CHAT = frozenset(
    {
        "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens", "n",
        "parallel_tool_calls", "presence_penalty", "reasoning_effort", "response_format", "seed", "stop",
        "stream_options", "top_logprobs",
    }
)  # fmt: skip
_CHAT_ROLES = frozenset({"developer", "tool", "function"})
_MESSAGES_BLOCKS = frozenset({"tool_use", "tool_result", "thinking", "redacted_thinking"})


def spoken(address: str, raw: Mapping[str, Any]) -> str:
    """The format of a body that its address's format can't read; the address's own when it isn't clear."""
    turns = raw.get("messages")
    given = raw.get("input")
    if turns is None and isinstance(given, str | list) and given:
        return RESPONSES if _EMBEDDING.isdisjoint(raw) else address
    if not isinstance(turns, list) or not turns or given is not None:
        return address
    if _is_messages(raw, turns):
        return MESSAGES
    if address == RESPONSES or _is_chat(raw, turns):
        return CHAT
    return address


def is_foreign(address: str, raw: Mapping[str, Any]) -> bool:
    """Whether a body that its address's format can read has something that only another one has.

    Asked for each request, so it looks at a few of the body's own fields only, and at its first tool.
    """
    if address == CHAT:
        return "max_tokens" in raw and (
            "system" in raw or "stop_sequences" in raw or ("tools" in raw and _first_tool_has(raw, "input_schema"))
        )
    return address == MESSAGES and "tools" in raw and _first_tool_has(raw, "function")


def _is_messages(raw: Mapping[str, Any], turns: list[Any]) -> bool:
    """`max_tokens` is required there, and nothing of Chat's may be in it."""
    if not isinstance(raw.get("max_tokens"), int) or _is_chat(raw, turns):
        return False
    if not _ONLY_MESSAGES.isdisjoint(raw) or _first_tool_has(raw, "input_schema"):
        return True
    return any(isinstance(kind, str) and kind in _MESSAGES_BLOCKS for turn in turns for kind in _kinds(turn))


def _is_chat(raw: Mapping[str, Any], turns: list[Any]) -> bool:
    if not _ONLY_CHAT.isdisjoint(raw) or _first_tool_has(raw, "function"):
        return True
    return any(_is_of_chat(turn) for turn in turns if isinstance(turn, dict))


def _is_of_chat(turn: Mapping[str, Any]) -> bool:
    role = turn.get("role")
    return "tool_calls" in turn or (isinstance(role, str) and role in _CHAT_ROLES)


def _first_tool_has(raw: Mapping[str, Any], field: str) -> bool:
    tools = raw.get("tools")
    return isinstance(tools, list) and bool(tools) and isinstance(tools[0], dict) and field in tools[0]


def _kinds(turn: Any) -> list[Any]:
    content = turn.get("content") if isinstance(turn, dict) else None
    return [part.get("type") for part in content if isinstance(part, dict)] if isinstance(content, list) else []
