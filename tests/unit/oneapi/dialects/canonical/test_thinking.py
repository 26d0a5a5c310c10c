"""Reasoning across turns and formats, and how much of it is asked for: T15, T23 to T30."""

import json
from typing import Any

import pytest

from oneapi.dialects.canonical.profile import Profile
from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    MESSAGES,
    RESPONSES,
    answered,
    lost,
    request,
    sent,
)
from tests.unit.oneapi.dialects.shapes import (
    BUDGET,
    assistant,
    message,
    result,
    text,
    tool_result,
    tool_use,
    user,
)


def replayed(client: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """What a client sends in its next turn: the answer as it came, and the results of its calls."""
    if client == CHAT:
        said = answer["choices"][0]["message"]
        return [user("x"), said, *(result(one["id"]) for one in said.get("tool_calls", []))]
    if client == MESSAGES:
        uses = [block for block in answer["content"] if block["type"] == "tool_use"]
        return [user("x"), assistant(answer["content"]), user([tool_result(one["id"]) for one in uses])]
    calls = [item for item in answer["output"] if item["type"] == "function_call"]
    results = [{"type": "function_call_output", "call_id": one["call_id"], "output": "21C"} for one in calls]
    return [user("x"), *answer["output"], *results]


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
REASONED = {
    "status": "completed",
    "output": [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "gA",
        },
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"},
    ],
}


@pytest.mark.parametrize("client", [CHAT, MESSAGES])
def test_t23_reasoning_of_responses_comes_back_with_its_call(client: str) -> None:
    history = replayed(client, answered(client, RESPONSES, REASONED))
    items = sent(client, RESPONSES, request(client, history))["input"]
    assert [item["type"] for item in items[1:]] == ["reasoning", "function_call", "function_call_output"]
    assert (items[1]["encrypted_content"], items[1]["id"]) == ("gA", "rs_1")
    if client == MESSAGES:
        blocks = [block for block in history[1]["content"] if block["type"] != "tool_use"]
        dropped = sent(client, RESPONSES, request(client, [user("x"), assistant(blocks), user("y")]))["input"]
        assert [item["type"] for item in dropped] == ["message", "message"]
        elsewhere = request(client, history)
        assert "encrypted_content" not in json.dumps(sent(client, RESPONSES, elsewhere, origin="elsewhere"))
        assert "reasoning_history" in lost(client, RESPONSES, elsewhere, origin="elsewhere")


@pytest.mark.parametrize("client", [CHAT, RESPONSES])
@pytest.mark.parametrize(
    "thought",
    [THOUGHT, {"type": "redacted_thinking", "data": "xyz"}, {"type": "thinking", "thinking": "", "signature": "c2ln"}],
)
def test_t24_t25_thinking_comes_back_as_it_was(client: str, thought: dict[str, Any]) -> None:
    answer = answered(client, MESSAGES, message([thought, tool_use("toolu_1")], "tool_use"))
    history = replayed(client, answer)
    asked = {"reasoning_effort": "high"} if client == CHAT else {"reasoning": {"effort": "high"}}
    body = sent(client, MESSAGES, request(client, history, **asked), profile=BUDGET)
    assert body["messages"][1]["content"] == [thought, tool_use("toolu_1")]
    assert body["thinking"]["type"] == "enabled"
    if client == CHAT:
        assert ("reasoning_content" in history[1]) is bool(thought.get("thinking"))
        plain = {name: history[1][name] for name in ("role", "content", "tool_calls")}
        forgotten = request(client, [history[0], plain, *history[2:]], **asked)
        assert "thinking" not in sent(client, MESSAGES, forgotten, profile=BUDGET)
        assert lost(client, MESSAGES, forgotten, profile=BUDGET) == ["thinking"]


def test_t28_state_of_another_provider_goes_nowhere() -> None:
    foreign = {"type": "reasoning", "id": "rs_x", "summary": [], "encrypted_content": "gAAAA"}
    items = [user("x"), foreign, {"role": "assistant", "content": "y"}, user("z")]
    body = request(RESPONSES, items)
    assert "gAAAA" not in json.dumps(sent(RESPONSES, MESSAGES, body))
    assert lost(RESPONSES, MESSAGES, body) == ["reasoning_history"]
    native = request(MESSAGES, [user("x"), assistant([THOUGHT, text("y")]), user("z")])
    for upstream in (CHAT, RESPONSES):
        assert "c2ln" not in json.dumps(sent(MESSAGES, upstream, native))
        assert lost(MESSAGES, upstream, native) == ["reasoning_history"]


def test_t26_t29_reasoning_fields_of_chat() -> None:
    for told in (
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"reasoning": "hm", "reasoning_content": "hm"},
        {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, text("X")]},
    ):
        answer = {"choices": [{"message": {"role": "assistant", "content": "X", **told}, "finish_reason": "stop"}]}
        content = answered(MESSAGES, CHAT, answer)["content"]
        assert [block["type"] for block in content] == ["thinking", "text"]
        assert (content[0]["thinking"], content[1]["text"]) == ("hm", "X")
        assert content[0]["signature"]
        output = answered(RESPONSES, CHAT, answer)["output"]
        assert [item["type"] for item in output] == ["reasoning", "message"]
        history = replayed(MESSAGES, {"content": content})
        again = sent(MESSAGES, CHAT, request(MESSAGES, [*history[:2], user("y")]))["messages"]
        assert (again[1]["reasoning_content"], again[1]["content"]) == ("hm", "X")


def test_t26_reasoning_that_a_server_insists_on() -> None:
    history = [user("x"), assistant([tool_use()]), user([tool_result()])]
    body = sent(MESSAGES, CHAT, request(MESSAGES, history), profile=Profile(reasoning_required=True))
    assert body["messages"][1]["reasoning_content"] == " "
    assert "reasoning_content" not in sent(MESSAGES, CHAT, request(MESSAGES, history))["messages"][1]


def test_t30_thinking_is_an_item_of_its_own() -> None:
    output = answered(RESPONSES, MESSAGES, message([THOUGHT, text("hi")], "end_turn"))["output"]
    assert [item["type"] for item in output] == ["reasoning", "message"]
    assert output[0]["summary"] == [{"type": "summary_text", "text": "hm"}]


@pytest.mark.parametrize(
    ("asked", "cap", "budget"),
    [
        ({"reasoning_effort": "max", "max_completion_tokens": 4096, "temperature": 0.2}, 4096, 3891),
        ({"reasoning_effort": "max", "max_completion_tokens": 1200}, 1200, 1140),
        ({"reasoning_effort": "high", "max_completion_tokens": 1000}, 1000, None),
        ({"reasoning_effort": "low"}, 32_000, 6400),
        ({"max_tokens": 100}, 100, None),
    ],
)
def test_t15_effort_as_a_budget(asked: dict[str, Any], cap: int, budget: int | None) -> None:
    body = sent(CHAT, MESSAGES, request(CHAT, **asked), profile=BUDGET)
    assert body["max_tokens"] == cap
    assert body.get("thinking") == (budget and {"type": "enabled", "budget_tokens": budget})
    assert "temperature" not in body
    losses = lost(CHAT, MESSAGES, request(CHAT, **asked), profile=BUDGET)
    assert ("thinking" in losses) is ("reasoning_effort" in asked and budget is None)


def test_effort_between_the_formats() -> None:
    effort = sent(CHAT, MESSAGES, request(CHAT, reasoning_effort="minimal"))
    assert (effort["thinking"], effort["output_config"]) == ({"type": "adaptive"}, {"effort": "low"})
    shown = sent(RESPONSES, MESSAGES, request(RESPONSES, reasoning={"effort": "high", "summary": "auto"}))
    assert shown["thinking"] == {"type": "adaptive", "display": "summarized"}
    budget = request(MESSAGES, thinking={"type": "enabled", "budget_tokens": 2048})
    assert sent(MESSAGES, CHAT, budget)["reasoning_effort"] == "medium"
    asked = sent(MESSAGES, RESPONSES, budget)
    assert asked["reasoning"] == {"effort": "medium", "summary": "auto"}
    assert asked["include"] == ["reasoning.encrypted_content"]
    assert asked["store"] is False
    high = request(MESSAGES, thinking={"type": "adaptive"}, output_config={"effort": "max"})
    some = Profile(efforts=("low", "medium", "high"))
    assert sent(MESSAGES, CHAT, high, profile=some)["reasoning_effort"] == "high"
    assert lost(MESSAGES, CHAT, high, profile=some) == ["effort(max:high)"]
    off = request(MESSAGES, thinking={"type": "disabled"})
    assert sent(MESSAGES, CHAT, off)["reasoning_effort"] == "none"
    assert "reasoning_effort" not in sent(MESSAGES, CHAT, high, profile=Profile(thinking="none"))
