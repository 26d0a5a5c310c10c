"""Which format a body is written in that came to another format's address."""

from typing import Any

import pytest

from oneapi.dialects.recognition import CHAT, MESSAGES, RESPONSES, is_foreign, spoken

HI = [{"role": "user", "content": "hi"}]
RESULT = [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "rain"}]}]
OF_CHAT = {"type": "function", "function": {"name": "f"}}
OF_MESSAGES = {"name": "f", "input_schema": {"type": "object"}}

SPEAKS: list[tuple[str, str, dict[str, Any]]] = [
    (CHAT, RESPONSES, {"input": "hi"}),
    (CHAT, RESPONSES, {"input": HI, "tools": [{"type": "function", "name": "f"}]}),
    (MESSAGES, RESPONSES, {"input": "hi", "max_output_tokens": 9}),
    (CHAT, MESSAGES, {"messages": HI, "max_tokens": 9, "system": "be kind"}),
    (CHAT, MESSAGES, {"messages": HI, "max_tokens": 9, "stop_sequences": ["a"]}),
    (CHAT, MESSAGES, {"messages": HI, "max_tokens": 9, "tools": [OF_MESSAGES]}),
    (RESPONSES, MESSAGES, {"messages": RESULT, "max_tokens": 9}),
    (RESPONSES, MESSAGES, {"messages": HI, "max_tokens": 9, "system": "be kind"}),
    (RESPONSES, CHAT, {"messages": HI}),
    (RESPONSES, CHAT, {"messages": HI, "max_tokens": 9}),
    (MESSAGES, CHAT, {"messages": HI, "max_completion_tokens": 9}),
    (MESSAGES, CHAT, {"messages": HI, "response_format": {"type": "json_object"}}),
    (MESSAGES, CHAT, {"messages": [*HI, {"role": "tool", "tool_call_id": "c", "content": "rain"}]}),
    (MESSAGES, CHAT, {"messages": HI, "max_tokens": 9, "tools": [OF_CHAT]}),
]
UNCLEAR: list[tuple[str, dict[str, Any]]] = [
    (CHAT, {}),
    (CHAT, {"messages": []}),
    (CHAT, {"messages": "hi"}),
    (CHAT, {"input": ""}),
    (CHAT, {"input": ["a", "b"], "encoding_format": "float"}),
    (CHAT, {"input": "a", "dimensions": 8}),
    (CHAT, {"messages": HI, "max_tokens": 9}),
    (CHAT, {"messages": HI, "max_tokens": 9, "system": "be kind", "response_format": {"type": "text"}}),
    (CHAT, {"messages": HI, "input": "hi", "max_tokens": 9, "system": "be kind"}),
    (CHAT, {"messages": HI, "system": "be kind"}),
    (MESSAGES, {"messages": HI}),
    (MESSAGES, {"messages": HI, "max_tokens": 9, "system": "be kind"}),
    (MESSAGES, {"messages": [5, {"role": ["tool"]}]}),
    (RESPONSES, {"messages": HI, "input": "hi"}),
    (RESPONSES, {"messages": [], "tools": [5]}),
]


@pytest.mark.parametrize(("address", "format_", "body"), SPEAKS)
def test_what_is_unmistakable(address: str, format_: str, body: dict[str, Any]) -> None:
    assert spoken(address, {"model": "m", **body}) == format_


@pytest.mark.parametrize(("address", "body"), UNCLEAR)
def test_what_is_not(address: str, body: dict[str, Any]) -> None:
    assert spoken(address, {"model": "m", **body}) == address


def test_readable_bodies_are_looked_at_again_only_with_a_mark() -> None:
    assert is_foreign(CHAT, {"messages": HI, "max_tokens": 9, "system": "be kind"})
    assert is_foreign(CHAT, {"messages": HI, "max_tokens": 9, "tools": [OF_MESSAGES]})
    assert is_foreign(MESSAGES, {"messages": HI, "max_tokens": 9, "tools": [OF_CHAT]})
    assert not is_foreign(CHAT, {"messages": HI, "max_tokens": 9, "tools": [OF_CHAT]})
    assert not is_foreign(CHAT, {"messages": HI, "system": "be kind"})
    assert not is_foreign(MESSAGES, {"messages": HI, "max_tokens": 9, "seed": 1, "tools": [OF_MESSAGES]})
    assert not is_foreign(MESSAGES, {"messages": HI, "max_tokens": 9, "tools": []})
    assert not is_foreign(RESPONSES, {"input": "hi", "tools": [OF_CHAT]})
