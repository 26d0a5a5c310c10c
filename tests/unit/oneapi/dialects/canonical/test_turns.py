"""Calls and results belong together, and instructions find a place."""

import pytest

from oneapi.dialects.canonical.parts import Message, Reasoning, Text, ToolCall, ToolResult
from oneapi.dialects.canonical.turns import check_pairs, reminded, without_orphans
from oneapi.dialects.errors import GatewayError


def called(*ids: str) -> Message:
    return Message(role="assistant", parts=[ToolCall(id=one, name="f") for one in ids])


def result(*ids: str) -> Message:
    return Message(role="tool", parts=[ToolResult(call_id=one) for one in ids])


@pytest.mark.parametrize(
    "messages",
    [
        [called("a", "b"), result("a"), result("b")],
        [called("a"), called("b"), result("b", "a")],
        [called("a"), result("a"), called("a"), result("a")],
        [],
    ],
)
def test_pairs(messages: list[Message]) -> None:
    check_pairs(messages)


@pytest.mark.parametrize(
    "messages",
    [
        [called("a")],
        [result("a")],
        [called("a"), result("a"), result("a")],
        [called("a", "b"), result("a"), called("c"), result("c"), result("b")],
    ],
)
def test_what_is_no_pair(messages: list[Message]) -> None:
    with pytest.raises(GatewayError):
        check_pairs(messages)


def test_instructions_wait_for_results() -> None:
    system = Message(role="system", parts=[Text(text="s")])
    roles = [message.role for message in reminded([called("a"), system, result("a")])]
    assert roles == ["assistant", "tool", "user"]


def test_reasoning_that_nothing_follows() -> None:
    thought = Message(role="assistant", parts=[Reasoning(texts=["hm"])])
    user = Message(role="user", parts=[Text(text="x")])
    assert without_orphans([thought, user])[1]
    assert not without_orphans([thought, called("a"), result("a")])[1]
