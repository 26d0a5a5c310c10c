"""Choices of tools, strictness and failed tools between the formats."""

from typing import Any

import pytest

from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    GEMINI,
    MESSAGES,
    PAIRS,
    RESPONSES,
    lost,
    request,
    sent,
)
from tests.unit.oneapi.dialects.shapes import (
    assistant,
    tool_result,
    tool_use,
    user,
)


@pytest.mark.parametrize(
    ("choice", "chat", "responses", "messages"),
    [
        ("auto", "auto", "auto", {"type": "auto"}),
        ("none", "none", "none", {"type": "none"}),
        ("required", "required", "required", {"type": "any"}),
        (
            {"type": "function", "function": {"name": "f"}},
            {"type": "function", "function": {"name": "f"}},
            {"type": "function", "name": "f"},
            {"type": "tool", "name": "f"},
        ),
    ],
)
def test_choices_of_tools(choice: Any, chat: Any, responses: Any, messages: Any) -> None:
    functions = {
        CHAT: {"type": "function", "function": {"name": "f"}},
        RESPONSES: {"type": "function", "name": "f"},
        MESSAGES: {"name": "f", "input_schema": {"type": "object"}},
    }
    spelled = {CHAT: chat, RESPONSES: responses, MESSAGES: messages}
    assert choice == chat
    for client, upstream in PAIRS:
        if GEMINI in (client, upstream):
            continue
        body = request(client, tools=[functions[client]], tool_choice=spelled[client])
        assert sent(client, upstream, body)["tool_choice"] == spelled[upstream]


def test_parallel_calls_and_strictness() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    body = request(CHAT, tools=tools, parallel_tool_calls=False)
    assert sent(CHAT, MESSAGES, body)["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert sent(CHAT, RESPONSES, body)["tools"][0]["strict"] is False
    assert "parallel_tool_calls" not in sent(CHAT, RESPONSES, request(CHAT, parallel_tool_calls=False))
    disabled = {"type": "auto", "disable_parallel_tool_use": True}
    chosen = request(MESSAGES, tools=[{"name": "f", "input_schema": {}}], tool_choice=disabled)
    assert sent(MESSAGES, CHAT, chosen)["parallel_tool_calls"] is False
    thinks = request(CHAT, tools=tools, tool_choice="required", reasoning_effort="high")
    assert sent(CHAT, MESSAGES, thinks)["tool_choice"] == {"type": "auto"}
    assert lost(CHAT, MESSAGES, thinks) == ["forced_tool"]
    some = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": tools}}
    two = [*tools, {"type": "function", "function": {"name": "g"}}]
    allowed = sent(CHAT, MESSAGES, request(CHAT, tools=two, tool_choice=some))
    assert [tool["name"] for tool in allowed["tools"]] == ["f"]
    assert allowed["tool_choice"] == {"type": "any"}


def test_a_failed_tool_says_so() -> None:
    history = [user("x"), assistant([tool_use("a")]), user([tool_result("a", "no such file", is_error=True)])]
    body = request(MESSAGES, history)
    assert sent(MESSAGES, CHAT, body)["messages"][2]["content"] == "ERROR: no such file"
    assert sent(MESSAGES, RESPONSES, body)["input"][2]["output"] == "ERROR: no such file"
    assert lost(MESSAGES, CHAT, body) == ["tool_error"]
