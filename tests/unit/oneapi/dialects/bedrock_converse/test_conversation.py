"""Requests of clients as Converse is asked, case by case."""

import base64
import json
from typing import Any

import pytest

from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.errors import GatewayError
from tests.unit.oneapi.dialects.dialogues import CHAT, GEMINI, MESSAGES, RESPONSES, convert, lost, request, sent
from tests.unit.oneapi.dialects.shapes import (
    PDF,
    PNG,
    assistant,
    call,
    called,
    result,
    text,
    tool_result,
    tool_use,
    user,
)

CONVERSE = "bedrock_converse"
CLAUDE = Profile(
    vendor_fields="claude",
    cache_marks=True,
    long_cache_marks=True,
    tool_cache_marks=True,
    images_in_results=True,
)
BUDGET = Profile(vendor_fields="claude", thinking="budget", cache_marks=True, images_in_results=True)
NOVA = Profile(vendor_fields="nova", efforts=("low", "medium"), native_schema=False, images_in_results=True)
PLAIN = Profile(thinking="none", forced_tools=False)
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SPEC = {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": PNG}}
SHOWN = {"image": {"format": "png", "source": {"bytes": PNG}}}


def turns(client: str, *said: Any, profile: Profile = CLAUDE, **more: Any) -> Any:
    return sent(client, CONVERSE, request(client, list(said), **more), profile=profile)["messages"]


def refused(client: str, body: dict[str, Any], **options: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        convert(client, CONVERSE, body, **options)
    assert (caught.value.status, caught.value.kind) == (400, "invalid_request")
    return caught.value


def test_the_simplest_request() -> None:
    hi = {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}
    assert sent(CHAT, CONVERSE, request(CHAT, stream=True)) == hi
    assert sent(MESSAGES, CONVERSE, request(MESSAGES)) == {**hi, "inferenceConfig": {"maxTokens": 4096}}


def test_turns_alternate_and_are_the_users_at_both_ends() -> None:
    found = turns(CHAT, assistant("a"), user("b"), user("c"), {"role": "system", "content": "s"}, assistant("d"))
    reminder = {"text": "<system-reminder>\ns\n</system-reminder>"}
    assert [(one["role"], one["content"]) for one in found] == [
        ("user", [{"text": "Continue."}]),
        ("assistant", [{"text": "a"}]),
        ("user", [{"text": "b"}, {"text": "c"}, reminder]),
        ("assistant", [{"text": "d"}]),
        ("user", [{"text": "Continue."}]),
    ]
    inline = Profile(vendor_fields="claude", inline_system=True)
    later = turns(MESSAGES, user("a"), {"role": "system", "content": "s"}, profile=inline)
    assert later[1] == {"role": "system", "content": [{"text": "s"}]}


def test_blank_text_is_left_out() -> None:
    assert turns(CHAT, user(" \n"), called(call(), content=" "), result())[1:] == [
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "call_a", "name": "f", "input": {}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "call_a", "content": [{"text": "21C"}]}}]},
    ]
    assert "system" not in sent(CHAT, CONVERSE, request(CHAT, [{"role": "system", "content": " "}, user("a")]))


def test_t20_cache_points_stand_behind_what_they_mark() -> None:
    short, long = {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}
    said = [
        user("x"),
        assistant([tool_use()]),
        user([tool_result(cache_control=short), {**text("y"), "cache_control": long}]),
    ]
    tools = [{"name": "f", "input_schema": {"type": "object"}, "cache_control": long}]
    body = request(MESSAGES, said, system=[{**text("s"), "cache_control": long}], tools=tools)
    found = sent(MESSAGES, CONVERSE, body, profile=CLAUDE)
    point, hour = {"cachePoint": {"type": "default"}}, {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert found["toolConfig"]["tools"] == [SPEC, hour]
    assert found["system"] == [{"text": "s"}, hour]
    told = {"toolResult": {"toolUseId": "toolu_a", "content": [{"text": "21C"}]}}
    assert found["messages"][-1]["content"] == [told, point, {"text": "y"}, point]
    assert lost(MESSAGES, CONVERSE, body, profile=CLAUDE) == ["cache_control(ttl)"]
    plain = sent(MESSAGES, CONVERSE, body, profile=PLAIN)
    assert "cachePoint" not in json.dumps(plain)
    assert lost(MESSAGES, CONVERSE, body, profile=PLAIN) == ["cache_control"]
    brief = Profile(vendor_fields="claude", cache_marks=True, tool_cache_marks=True)
    found = sent(MESSAGES, CONVERSE, body, profile=brief)
    assert (found["toolConfig"]["tools"], found["system"]) == ([SPEC, point], [{"text": "s"}, point])
    assert lost(MESSAGES, CONVERSE, body, profile=brief) == ["cache_control(ttl)"]
    untooled = Profile(vendor_fields="nova", cache_marks=True)
    assert sent(MESSAGES, CONVERSE, body, profile=untooled)["toolConfig"]["tools"] == [SPEC]
    assert lost(MESSAGES, CONVERSE, body, profile=untooled) == ["cache_control(tools)", "cache_control(ttl)"]


def test_results_come_first_and_in_the_order_of_their_calls() -> None:
    said = [
        user("x"),
        assistant([tool_use("t1"), tool_use("t2")]),
        user([text("go on"), tool_result("t2", is_error=True), tool_result("t1", [])]),
    ]
    content = turns(MESSAGES, *said)[-1]["content"]
    assert content == [
        {"toolResult": {"toolUseId": "t1", "content": [{"text": "(no output)"}]}},
        {"toolResult": {"toolUseId": "t2", "content": [{"text": "21C"}], "status": "error"}},
        {"text": "go on"},
    ]
    failed = turns(MESSAGES, *said, profile=PLAIN)[-1]["content"][1]["toolResult"]
    assert failed == {"toolUseId": "t2", "content": [{"text": "ERROR:"}, {"text": "21C"}]}
    assert lost(MESSAGES, CONVERSE, request(MESSAGES, said), profile=PLAIN) == ["tool_error"]


def test_t08_pictures_of_results() -> None:
    said = [user("x"), assistant([tool_use()]), user([tool_result(content=[text("shot"), PICTURE])])]
    assert turns(MESSAGES, *said)[-1]["content"] == [
        {"toolResult": {"toolUseId": "toolu_a", "content": [{"text": "shot"}, SHOWN]}}
    ]
    assert turns(MESSAGES, *said, profile=PLAIN)[-1]["content"] == [
        {"toolResult": {"toolUseId": "toolu_a", "content": [{"text": "shot"}]}},
        SHOWN,
    ]


def test_pictures_are_bytes_of_the_type_that_they_are() -> None:
    assert turns(MESSAGES, user([PICTURE]))[0]["content"] == [SHOWN]
    link = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}
    assert "bytes only" in refused(CHAT, request(CHAT, [user([link])])).message
    heic = {"type": "image_url", "image_url": {"url": "data:image/heic;base64,AAAA"}}
    assert "image/heic" in refused(CHAT, request(CHAT, [user([heic])])).message
    s3 = {"fileData": {"mimeType": "image/png", "fileUri": "s3://bucket/key"}}
    contents = [{"role": "user", "parts": [s3]}]
    assert refused(GEMINI, request(GEMINI, contents)).code == "unsupported_parameter"


def test_documents_have_names_that_differ_and_a_text_beside_them() -> None:
    def file(name: str, data: str, kind: str = "application/pdf") -> dict[str, Any]:
        return {"type": "file", "file": {"filename": name, "file_data": f"data:{kind};base64,{data}"}}

    csv = base64.b64encode(b"a,b").decode()
    content = turns(CHAT, user([file("a/b.pdf", PDF), file("a b pdf", PDF), file("", csv, "text/csv")]))[0]["content"]
    assert content == [
        {"document": {"format": "pdf", "name": "a b pdf", "source": {"bytes": PDF}}},
        {"document": {"format": "pdf", "name": "a b pdf (2)", "source": {"bytes": PDF}}},
        {"document": {"format": "csv", "name": "Document", "source": {"bytes": csv}}},
        {"text": "[attached above]"},
    ]
    plain = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}, "title": "t"}
    shown = {"format": "txt", "name": "t", "source": {"bytes": base64.b64encode(b"hi").decode()}}
    assert turns(MESSAGES, user([plain, text("?")]))[0]["content"] == [{"document": shown}, {"text": "?"}]
    linked = {"type": "document", "source": {"type": "url", "url": "https://x.test/a.pdf"}}
    assert "bytes only" in refused(MESSAGES, request(MESSAGES, [user([linked])])).message
    unknown = file("x.bin", base64.b64encode(b"\xff\xfe\x00").decode(), "application/x-thing")
    assert "application/x-thing" in refused(CHAT, request(CHAT, [user([unknown])])).message


def test_sound() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    assert turns(CHAT, user([sound]))[0]["content"] == [{"audio": {"format": "wav", "source": {"bytes": "AAAA"}}}]
    odd = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "midi"}}
    assert refused(CHAT, request(CHAT, [user([odd])])).param == "input_audio"


@pytest.mark.parametrize(
    ("choice", "names", "told"),
    [
        ("auto", ["f", "g"], {"auto": {}}),
        (None, ["f", "g"], None),
        ("required", ["f", "g"], {"any": {}}),
        ("none", [], None),
        ({"type": "function", "function": {"name": "g"}}, ["f", "g"], {"tool": {"name": "g"}}),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]},
            },
            ["f"],
            {"any": {}},
        ),
    ],
)
def test_choices(choice: Any, names: list[str], told: Any) -> None:
    two = [TOOL, {"type": "function", "function": {"name": "g"}}]
    body = request(CHAT, tools=two, **({"tool_choice": choice} if choice else {}))
    config = sent(CHAT, CONVERSE, body, profile=CLAUDE).get("toolConfig", {})
    assert [tool["toolSpec"]["name"] for tool in config.get("tools", ())] == names
    assert config.get("toolChoice") == told
    if told not in (None, {"auto": {}}):
        assert sent(CHAT, CONVERSE, body, profile=PLAIN)["toolConfig"]["toolChoice"] == {"auto": {}}
        assert lost(CHAT, CONVERSE, body, profile=PLAIN) == ["forced_tool"]


def test_a_conversation_with_calls_declares_tools() -> None:
    said = [user("x"), called(call()), result()]
    assert sent(CHAT, CONVERSE, request(CHAT, said))["toolConfig"] == {"tools": [SPEC]}
    forbidden = request(CHAT, said, tools=[TOOL], tool_choice="none")
    assert sent(CHAT, CONVERSE, forbidden)["toolConfig"] == {"tools": [SPEC]}
    assert lost(CHAT, CONVERSE, forbidden) == ["tool_choice"]


def test_tools() -> None:
    strict = {"type": "function", "function": {"name": "f", "description": " ", "strict": True}}
    (tool,) = sent(CHAT, CONVERSE, request(CHAT, tools=[strict]))["toolConfig"]["tools"]
    schema = {"type": "object", "properties": {}}
    assert tool == {"toolSpec": {"name": "f", "inputSchema": {"json": schema}, "strict": True}}
    assert lost(CHAT, CONVERSE, request(CHAT, tools=[strict]), profile=NOVA) == ["strict"]
    search = [{"type": "web_search"}]
    assert lost(RESPONSES, CONVERSE, request(RESPONSES, tools=search)) == ["built_in_tool(web_search)"]


def test_output_by_a_schema() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "description": "d"}}
    told = sent(CHAT, CONVERSE, request(CHAT, response_format=form))["outputConfig"]["textFormat"]
    assert told["type"] == "json_schema"
    given = told["structure"]["jsonSchema"]
    assert (given["name"], given["description"]) == ("n", "d")
    assert json.loads(given["schema"]) == {**schema, "additionalProperties": False}
    assert lost(CHAT, CONVERSE, request(CHAT, response_format=form)) == []
    for body, profile in (
        (request(CHAT, response_format=form), NOVA),
        (request(CHAT, response_format={"type": "json_object"}), CLAUDE),
    ):
        found = sent(CHAT, CONVERSE, body, profile=profile)
        assert found["toolConfig"]["toolChoice"] == {"tool": {"name": "json_tool_call"}}
        assert "outputConfig" not in found


def test_settings() -> None:
    body = request(CHAT, temperature=1.5, top_p=0.5, stop=["a", " ", *"bcde"], max_completion_tokens=50, user="u")
    assert sent(CHAT, CONVERSE, body, profile=CLAUDE) | {"messages": 0} == {
        "messages": 0,
        "inferenceConfig": {"maxTokens": 50, "temperature": 1.0, "stopSequences": list("abcd")},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
    }
    assert lost(CHAT, CONVERSE, body, profile=CLAUDE) == ["temperature", "top_p", "stop", "user"]
    assert sent(CHAT, CONVERSE, body, profile=NOVA)["inferenceConfig"]["topP"] == 0.5
    assert sent(CHAT, CONVERSE, body, max_output=20)["inferenceConfig"]["maxTokens"] == 20
    top = request(MESSAGES, top_k=5)
    assert sent(MESSAGES, CONVERSE, top, profile=CLAUDE)["additionalModelRequestFields"] == {"top_k": 5}
    nova = {"inferenceConfig": {"topK": 5}}
    assert sent(MESSAGES, CONVERSE, top, profile=NOVA)["additionalModelRequestFields"] == nova
    assert lost(MESSAGES, CONVERSE, top, profile=PLAIN) == ["top_k"]
    assert refused(CHAT, request(CHAT, n=2)).param == "n"
    assert refused(CHAT, request(CHAT, logprobs=True)).param == "logprobs"
    tier = request(CHAT, service_tier="flex")
    assert sent(CHAT, CONVERSE, tier, profile=PLAIN)["serviceTier"] == {"type": "flex"}
    assert lost(CHAT, CONVERSE, tier, profile=CLAUDE) == ["service_tier"]


def test_t16_efforts_and_budgets_in_the_vendors_spelling() -> None:
    low = request(RESPONSES, reasoning={"effort": "low", "summary": "auto"}, max_output_tokens=10_000)

    def told(profile: Profile, body: dict[str, Any] = low) -> Any:
        found = sent(RESPONSES, CONVERSE, body, profile=profile)
        assert "reasoning" not in found
        return found.get("additionalModelRequestFields"), found.get("outputConfig")

    adaptive = {"thinking": {"type": "adaptive", "display": "summarized"}}
    assert told(CLAUDE) == (adaptive, {"effort": "low"})
    assert told(BUDGET) == ({"thinking": {"type": "enabled", "budget_tokens": 2_000}}, None)
    assert told(NOVA) == ({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}, None)
    assert told(Profile(vendor_fields="openai")) == ({"reasoning_effort": "low"}, None)
    assert told(PLAIN) == (None, None)
    assert lost(RESPONSES, CONVERSE, low, profile=PLAIN) == ["effort"]
    none = request(RESPONSES, reasoning={"effort": "none"})
    assert told(CLAUDE, none) == ({"thinking": {"type": "disabled"}}, None)
    for profile in (BUDGET, NOVA, PLAIN):
        assert told(profile, none) == (None, None)
        assert lost(RESPONSES, CONVERSE, none, profile=profile) == []
    high = request(RESPONSES, reasoning={"effort": "high"})
    assert lost(RESPONSES, CONVERSE, high, profile=NOVA) == ["effort(high:medium)"]


def test_a_model_that_thinks_is_not_forced_and_not_sampled() -> None:
    body = request(
        CHAT, tools=[TOOL], tool_choice="required", reasoning_effort="high", temperature=0.2, max_tokens=4096
    )
    found = sent(CHAT, CONVERSE, body, profile=BUDGET)
    assert found["toolConfig"]["toolChoice"] == {"auto": {}}
    assert found["inferenceConfig"] == {"maxTokens": 4096}
    assert lost(CHAT, CONVERSE, body, profile=BUDGET) == ["temperature", "forced_tool"]
    small = request(CHAT, reasoning_effort="high", max_tokens=1000)
    assert lost(CHAT, CONVERSE, small, profile=BUDGET) == ["thinking"]


def turn(client: str, reasoning: dict[str, Any]) -> dict[str, Any]:
    """A client's next request, after an answer with thoughts and a call; it thinks."""
    content = [{"reasoningContent": reasoning}, {"toolUse": {"toolUseId": "a", "name": "f", "input": {}}}]
    answer = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "tool_use"}
    told = json.loads(convert(client, CONVERSE, request(client)).response(json.dumps(answer).encode()).body)
    if client == RESPONSES:
        output = {"type": "function_call_output", "call_id": "a", "output": "21C"}
        return request(client, [user("x"), *told["output"], output], reasoning={"effort": "high"})
    if client == CHAT:
        said = [user("x"), told["choices"][0]["message"], result("a")]
        return request(client, said, reasoning_effort="high")
    said = [user("x"), assistant(told["content"]), user([tool_result("a")])]
    return request(client, said, thinking={"type": "adaptive"}, output_config={"effort": "high"})


@pytest.mark.parametrize(
    "reasoning",
    [
        {"reasoningText": {"text": "hm", "signature": "sig"}},
        {"reasoningText": {"text": "", "signature": "sig"}},
        {"redactedContent": "c2VjcmV0"},
    ],
)
@pytest.mark.parametrize("client", [CHAT, RESPONSES, MESSAGES])
def test_t24_signed_thoughts_go_back_as_they_were(client: str, reasoning: dict[str, Any]) -> None:
    body = turn(client, reasoning)
    found = sent(client, CONVERSE, body, profile=CLAUDE)
    assert found["messages"][1]["content"][0] == {"reasoningContent": reasoning}
    assert found["additionalModelRequestFields"]["thinking"]["type"] == "adaptive"
    assert lost(client, CONVERSE, body, profile=CLAUDE) == []
    elsewhere = sent(client, CONVERSE, body, profile=CLAUDE, origin="there")
    assert "reasoningContent" not in json.dumps(elsewhere)
    assert "additionalModelRequestFields" not in elsewhere
    assert sorted(lost(client, CONVERSE, body, profile=CLAUDE, origin="there")) == ["reasoning_history", "thinking"]


def test_words_that_nobody_signed_do_not_go_back() -> None:
    body = turn(MESSAGES, {"reasoningText": {"text": "hm"}})
    assert "reasoningContent" not in json.dumps(sent(MESSAGES, CONVERSE, body, profile=PLAIN))
    assert "reasoning_history" in lost(MESSAGES, CONVERSE, body, profile=PLAIN)
