"""Requests that have something of everything, and how values are damaged."""

import copy
import random
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    GEMINI,
    MESSAGES,
    RESPONSES,
    request,
)

leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)
)
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
)

_PICTURE = "data:image/png;base64,iVBORw0KGgo="
RICH: dict[str, dict[str, Any]] = {
    CHAT: request(
        CHAT,
        [
            {"role": "system", "content": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]},
            {"role": "user", "name": "u", "content": [{"type": "image_url", "image_url": {"url": _PICTURE}}]},
            {
                "role": "assistant",
                "reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "s", "format": "x"}],
                "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "a", "content": "r"},
            {"role": "user", "content": [{"type": "file", "file": {"file_data": "data:text/csv;base64,YQ=="}}]},
        ],
        tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        tool_choice={"type": "function", "function": {"name": "f"}},
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
        stop=["x"],
        reasoning={"effort": "low"},
    ),
    RESPONSES: request(
        RESPONSES,
        [
            {"role": "user", "content": [{"type": "input_image", "image_url": _PICTURE}]},
            {
                "type": "reasoning",
                "id": "rs",
                "summary": [{"type": "summary_text", "text": "t"}],
                "encrypted_content": "g",
            },
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "r"}]},
            {"type": "web_search_call", "action": {"type": "search", "query": "q"}},
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "x", "annotations": []}],
            },
        ],
        instructions="s",
        tools=[
            {"type": "function", "name": "f", "parameters": {}},
            {"type": "namespace", "name": "ns", "tools": [{"type": "custom", "name": "g", "format": {"type": "text"}}]},
            {"type": "web_search", "filters": {"allowed_domains": ["x.test"]}},
        ],
        tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        text={"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}, "verbosity": "low"},
        reasoning={"effort": "high", "summary": "auto"},
        include=["reasoning.encrypted_content"],
    ),
    MESSAGES: request(
        MESSAGES,
        [
            {"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": "d"}, "title": "t"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "t", "signature": "s"},
                    {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [], "is_error": True}]},
            {"role": "system", "content": "later"},
        ],
        system=[{"type": "text", "text": "s"}],
        tools=[
            {"name": "f", "input_schema": {}, "cache_control": {"type": "ephemeral"}},
            {"type": "web_search_20250305"},
        ],
        tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 2000},
        output_config={"effort": "low", "format": {"type": "json_schema", "schema": {}}},
        metadata={"user_id": "u"},
        stop_sequences=["x"],
    ),
    GEMINI: request(
        GEMINI,
        [
            {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}]},
            {
                "role": "model",
                "parts": [
                    {"text": "t", "thought": True},
                    {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"},
                    {"functionCall": {"name": "g"}},
                ],
            },
            {
                "parts": [
                    {"functionResponse": {"name": "g", "response": {"result": "r"}}},
                    {"functionResponse": {"id": "a", "name": "f", "response": {"error": "e"}}},
                ]
            },
            {"role": "user", "parts": [{"file_data": {"file_uri": "https://x.test/a.pdf"}}, {"text": "x"}]},
        ],
        system_instruction={"parts": [{"text": "s"}]},
        tools=[
            {"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "nullable": True}}]},
            {"googleSearch": {}},
        ],
        toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        generationConfig={
            "responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
            "thinkingConfig": {"thinkingBudget": 2000, "includeThoughts": True},
            "stopSequences": ["x"],
            "topK": 4,
        },
        safetySettings=[{"category": "c", "threshold": "t"}],
    ),
}


def damaged(value: Any, generator: random.Random, draw: Callable[[], Any]) -> Any:
    """The value with one place of it replaced, or left out."""
    value = copy.deepcopy(value)
    places: list[tuple[Any, Any]] = []

    def walk(inner: Any) -> None:
        pairs = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        for key, item in pairs:
            places.append((inner, key))
            walk(item)

    walk(value)
    holder, key = generator.choice(places)
    if generator.random() < 0.3 and isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = draw()
    return value
