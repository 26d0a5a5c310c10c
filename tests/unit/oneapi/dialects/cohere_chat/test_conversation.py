"""Requests of clients as Cohere is asked, case by case."""

import base64
import json
from typing import Any

import pytest

from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.errors import GatewayError
from tests.unit.oneapi.dialects.dialogues import CHAT, MESSAGES, RESPONSES, convert, lost, request, sent
from tests.unit.oneapi.dialects.shapes import PDF, PNG, call, called, result, tool_result, tool_use, user

COHERE = "cohere_chat"
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "required": ["a"]}}}
THINKS = Profile(thinking="budget")


def messages(client: str, *said: Any, **more: Any) -> Any:
    return sent(client, COHERE, request(client, list(said), **more))["messages"]


def refused(client: str, body: dict[str, Any], **options: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        convert(client, COHERE, body, **options)
    assert (caught.value.status, caught.value.kind) == (400, "invalid_request")
    return caught.value


def test_the_simplest_request() -> None:
    assert sent(CHAT, COHERE, request(CHAT)) == {"model": "upstream-model", "messages": [user("hi")]}
    streamed = sent(CHAT, COHERE, request(CHAT, stream=True, stream_options={"include_usage": True}))
    assert (streamed["stream"], "stream_options" in streamed) == (True, False)


def test_instructions_stand_where_they_are() -> None:
    system = {"role": "developer", "content": "s"}
    assert messages(CHAT, system, user("a"), {"role": "system", "content": "t"}, user("b")) == [
        {"role": "system", "content": "s"},
        user("a"),
        {"role": "system", "content": "t"},
        user("b"),
    ]


def test_a_conversation_ends_with_the_user() -> None:
    assert messages(CHAT, user("a"), {"role": "assistant", "content": "b"})[-1] == user("Continue.")
    assert messages(CHAT, {"role": "system", "content": "s"})[-1] == user("Continue.")
    assert messages(CHAT, user("")) == [user("Continue.")]


def test_t07_results_come_after_their_calls_and_before_the_user() -> None:
    found = messages(CHAT, called(call("a"), call("b", arguments="")), result("a"), result("b", "22C"), user("go on"))
    assert found[0] == {"role": "assistant", "tool_calls": [call("a"), call("b")]}
    assert found[1:] == [result("a"), result("b", "22C"), user("go on")]


def test_results_with_several_texts_are_documents() -> None:
    texts = [{"type": "text", "text": text} for text in ("a", "b")]
    body = request(
        MESSAGES, [user("x"), {"role": "assistant", "content": [tool_use()]}, user([tool_result(content=texts)])]
    )
    (told,) = [one for one in sent(MESSAGES, COHERE, body)["messages"] if one["role"] == "tool"]
    documents = [{"type": "document", "document": {"data": {"content": text}}} for text in ("a", "b")]
    assert told == {"role": "tool", "tool_call_id": "toolu_a", "content": documents}


def test_t08_pictures_of_results_follow_them() -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    turns = [
        user("x"),
        {"role": "assistant", "content": [tool_use("t1"), tool_use("t2")]},
        user([tool_result("t1", [picture]), tool_result("t2", is_error=True), {"type": "text", "text": "look"}]),
    ]
    found = sent(MESSAGES, COHERE, request(MESSAGES, turns))["messages"][2:]
    url = f"data:image/png;base64,{PNG}"
    assert found == [
        {"role": "tool", "tool_call_id": "t1", "content": "[attached below]"},
        {"role": "tool", "tool_call_id": "t2", "content": "ERROR: 21C"},
        user([{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "look"}]),
    ]
    assert lost(MESSAGES, COHERE, request(MESSAGES, turns)) == ["tool_error"]
    empty = request(
        MESSAGES, [*turns[:1], {"role": "assistant", "content": [tool_use()]}, user([tool_result(content=[])])]
    )
    assert sent(MESSAGES, COHERE, empty)["messages"][-1]["content"] == "(no output)"


def test_pictures_and_documents() -> None:
    link = {"type": "image_url", "image_url": {"url": "https://x.test/a.png", "detail": "high"}}
    assert messages(CHAT, user([link])) == [user([link])]
    data = base64.b64encode(b"a,b").decode()
    csv = {"type": "file", "file": {"filename": "t.csv", "file_data": f"data:text/csv;base64,{data}"}}
    assert messages(CHAT, user([csv])) == [user("t.csv\na,b")]
    pdf = {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF}"}}
    assert "plain text" in refused(CHAT, request(CHAT, [user([pdf])])).message
    stored = {"type": "file", "file": {"file_id": "f"}}
    assert refused(CHAT, request(CHAT, [user([stored])])).code == "unsupported_parameter"
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    assert refused(CHAT, request(CHAT, [user([sound])])).param == "input_audio"


@pytest.mark.parametrize(
    ("choice", "tools", "told"),
    [
        ("auto", ["f", "g"], None),
        ("none", ["f", "g"], "NONE"),
        ("required", ["f", "g"], "REQUIRED"),
        ({"type": "function", "function": {"name": "g"}}, ["g"], "REQUIRED"),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
            },
            ["f"],
            None,
        ),
    ],
)
def test_choices(choice: Any, tools: list[str], told: str | None) -> None:
    two = [TOOL, {"type": "function", "function": {"name": "g"}}]
    body = sent(CHAT, COHERE, request(CHAT, tools=two, tool_choice=choice))
    assert [tool["function"]["name"] for tool in body["tools"]] == tools
    assert body.get("tool_choice") == told
    assert body["tools"][-1]["function"]["parameters"]["type"] == "object"


def test_strict_tools_are_strict_together() -> None:
    strict = {"type": "function", "function": {**TOOL["function"], "strict": True}}  # type: ignore[dict-item]
    free = {"type": "function", "function": {"name": "g", "parameters": {}, "strict": True}}
    assert sent(CHAT, COHERE, request(CHAT, tools=[strict]))["strict_tools"] is True
    assert "strict_tools" not in sent(CHAT, COHERE, request(CHAT, tools=[strict, free]))
    assert lost(CHAT, COHERE, request(CHAT, tools=[strict, free])) == ["strict"]
    assert lost(CHAT, COHERE, request(CHAT, tools=[TOOL], parallel_tool_calls=False)) == ["parallel_tool_calls"]


def test_output_by_a_schema_and_beside_tools() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    body = sent(CHAT, COHERE, request(CHAT, response_format=form))
    assert body["response_format"] == {"type": "json_object", "json_schema": {"type": "object"}}
    assert sent(CHAT, COHERE, request(CHAT, response_format={"type": "json_object"}))["response_format"] == {
        "type": "json_object"
    }
    beside = sent(CHAT, COHERE, request(CHAT, response_format=form, tools=[TOOL]))
    assert [tool["function"]["name"] for tool in beside["tools"]] == ["f", "json_tool_call"]
    assert "response_format" not in beside


def test_settings() -> None:
    body = request(CHAT, temperature=0.2, top_p=1, stop=list("abcdef"), max_completion_tokens=50, seed=7, user="u")
    found = sent(CHAT, COHERE, body)
    assert {name: found[name] for name in ("temperature", "p", "stop_sequences", "max_tokens")} == {
        "temperature": 0.2,
        "p": 0.99,
        "stop_sequences": list("abcde"),
        "max_tokens": 50,
    }
    assert found["seed"] == 7
    assert lost(CHAT, COHERE, body) == ["user"]
    penalties = request(CHAT, frequency_penalty=0.5, presence_penalty=-1, seed=-1)
    found = sent(CHAT, COHERE, penalties)
    assert (found["frequency_penalty"], found["presence_penalty"], "seed" in found) == (0.5, 0, False)
    assert lost(CHAT, COHERE, penalties) == ["presence_penalty", "seed"]
    assert sent(CHAT, COHERE, body, max_output=20)["max_tokens"] == 20
    assert sent(MESSAGES, COHERE, request(MESSAGES, top_k=700))["k"] == 500
    assert lost(MESSAGES, COHERE, request(MESSAGES, top_k=700)) == ["top_k"]
    assert refused(CHAT, request(CHAT, n=2)).param == "n"
    assert refused(CHAT, request(CHAT, logprobs=True)).param == "logprobs"


def test_thinking_has_a_budget() -> None:
    body = request(CHAT, reasoning_effort="high", max_completion_tokens=10_000)
    assert sent(CHAT, COHERE, body, profile=THINKS)["thinking"] == {"type": "enabled", "token_budget": 8_000}
    assert sent(CHAT, COHERE, request(CHAT, reasoning_effort="none"), profile=THINKS)["thinking"] == {
        "type": "disabled"
    }
    assert lost(CHAT, COHERE, body, profile=Profile(thinking="none")) == ["effort"]
    own = request(MESSAGES, thinking={"type": "enabled", "budget_tokens": 2_000})
    assert sent(MESSAGES, COHERE, own, profile=THINKS)["thinking"] == {"type": "enabled", "token_budget": 2_000}
    assert "thinking" not in sent(CHAT, COHERE, request(CHAT), profile=THINKS)
    small = request(CHAT, reasoning_effort="high", max_completion_tokens=500)
    assert lost(CHAT, COHERE, small, profile=THINKS) == ["thinking"]


def turn(client: str) -> dict[str, Any]:
    """A client's next request, after an answer with thoughts, a plan and a call."""
    message = {
        "content": [{"type": "thinking", "thinking": "hm"}],
        "tool_plan": "I will look.",
        "tool_calls": [call("a")],
    }
    answer = {"id": "c", "message": message, "finish_reason": "TOOL_CALL"}
    raw = convert(client, COHERE, request(client), origin="here").response(json.dumps(answer).encode()).body
    told = json.loads(raw)
    if client == RESPONSES:
        output = {"type": "function_call_output", "call_id": "a", "output": "21C"}
        return request(client, [user("x"), *told["output"], output])
    if client == CHAT:
        return request(client, [user("x"), told["choices"][0]["message"], result("a")])
    return request(client, [user("x"), {"role": "assistant", "content": told["content"]}, user([tool_result("a")])])


@pytest.mark.parametrize("client", [CHAT, RESPONSES, MESSAGES])
def test_thoughts_and_plans_go_back_to_where_they_stood(client: str) -> None:
    body = turn(client)
    (back,) = [one for one in sent(client, COHERE, body, origin="here")["messages"] if one["role"] == "assistant"]
    assert back == {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "hm"}],
        "tool_calls": [call("a")],
        "tool_plan": "I will look.",
    }
    assert lost(client, COHERE, body, origin="here") == []
    (elsewhere,) = [one for one in sent(client, COHERE, body, origin="there")["messages"] if one["role"] == "assistant"]
    assert elsewhere == {"role": "assistant", "tool_calls": [call("a")]}
    assert lost(client, COHERE, body, origin="there") == ["reasoning_history"]


def test_what_is_marked_for_a_cache_is_lost() -> None:
    marked = [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]
    assert lost(MESSAGES, COHERE, request(MESSAGES, [user(marked)])) == ["cache_control"]
