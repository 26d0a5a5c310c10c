import json
from typing import Any

import pytest

from oneapi.dialects.errors import GatewayError
from services.edge.sandbox import question
from services.edge.sandbox.scenarios import SCENARIOS

CHAT, RESPONSES, MESSAGES = "openai_chat", "openai_responses", "anthropic_messages"
TURNS = [{"role": "user", "content": "hi"}]
GOOD: dict[str, dict[str, Any]] = {
    CHAT: {"model": "any/model", "messages": TURNS},
    RESPONSES: {"model": "any/model", "input": "hi"},
    MESSAGES: {"model": "any/model", "messages": TURNS, "max_tokens": 50},
}
FUNCTION = {"type": "function", "function": {"name": "a", "parameters": {}}}


def read(dialect: str, **more: Any) -> question.Question:
    return question.read(dialect, json.dumps({**GOOD[dialect], **more}).encode())


@pytest.mark.parametrize("dialect", GOOD)
def test_the_same_request_has_the_same_seed_and_another_has_another(dialect: str) -> None:
    plain = read(dialect)
    turned = json.dumps(dict(reversed(GOOD[dialect].items())), indent=2).encode()
    assert question.read(dialect, turned) == plain
    seeds = {plain.seed, read(dialect, stream=True).seed, read(dialect, model="b").seed, read(dialect, user="u").seed}
    assert len(seeds) == 4
    assert all(len(seed) == 32 for seed in seeds)


@pytest.mark.parametrize("dialect", GOOD)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_read_in_every_format(dialect: str, name: str) -> None:
    found = read(dialect, metadata={"sandbox": name})
    assert found.scenario is SCENARIOS[name]
    assert found.raw["metadata"] == {"sandbox": name}


@pytest.mark.parametrize(
    ("dialect", "change", "param"),
    [
        (CHAT, {"model": ""}, "model"),
        (CHAT, {"model": None}, "model"),
        (CHAT, {"messages": []}, "messages"),
        (CHAT, {"messages": "hi"}, "messages"),
        (CHAT, {"messages": [1]}, "messages"),
        (CHAT, {"n": 5}, "n"),
        (CHAT, {"stream": "yes"}, "stream"),
        (CHAT, {"tool_choice": "required"}, "tool_choice"),
        (CHAT, {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "b"}}}, "tool_choice"),
        (CHAT, {"metadata": {"sandbox": "nothing"}}, "metadata.sandbox"),
        (RESPONSES, {"input": None}, "input"),
        (RESPONSES, {"input": [1]}, "input"),
        (RESPONSES, {"store": "yes"}, "store"),
        (RESPONSES, {"background": True}, "background"),
        (RESPONSES, {"previous_response_id": "resp_1"}, "previous_response_id"),
        (RESPONSES, {"conversation": {"id": "conv_1"}}, "conversation"),
        (RESPONSES, {"input": None, "prompt": {"id": "pmpt_1"}}, "prompt"),
        (RESPONSES, {"input": [{"type": "item_reference", "id": "msg_1"}]}, "input"),
        (MESSAGES, {"max_tokens": None}, "max_tokens"),
        (MESSAGES, {"messages": []}, "messages"),
        (MESSAGES, {"tool_choice": {"type": "tool", "name": "a"}}, "tool_choice"),
    ],
)
def test_what_is_wrong_is_named(dialect: str, change: dict[str, Any], param: str) -> None:
    with pytest.raises(GatewayError) as refused:
        read(dialect, **change)
    assert (refused.value.status, refused.value.param) == (400, param)


@pytest.mark.parametrize("change", [{"store": True}, {"store": False}, {"store": None}])
def test_whether_to_store_is_no_question(change: dict[str, Any]) -> None:
    assert read(RESPONSES, **change).raw["input"] == "hi"


@pytest.mark.parametrize(
    ("dialect", "change"),
    [
        (CHAT, {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "a"}}}),
        (CHAT, {"tools": [FUNCTION], "tool_choice": "required"}),
        (CHAT, {"tool_choice": "auto"}),
        (RESPONSES, {"tools": [{"type": "function", "name": "a"}], "tool_choice": {"type": "function", "name": "a"}}),
        (RESPONSES, {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}}),
        (MESSAGES, {"tools": [{"name": "a", "input_schema": {}}], "tool_choice": {"type": "tool", "name": "a"}}),
    ],
)
def test_choices_of_tools_that_are_offered(dialect: str, change: dict[str, Any]) -> None:
    assert read(dialect, **change)


def test_requests_of_very_many_values_are_refused() -> None:
    body = {**GOOD[CHAT], "messages": TURNS * question.MAX_VALUES}
    with pytest.raises(GatewayError) as refused:
        question.read(CHAT, json.dumps(body).encode())
    assert refused.value.code == "json_too_complex"
    text = {**GOOD[CHAT], "messages": [{"role": "user", "content": "[1, 2]" * question.MAX_VALUES}]}
    assert question.read(CHAT, json.dumps(text).encode())
