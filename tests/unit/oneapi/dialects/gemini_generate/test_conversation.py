"""Requests between Gemini's format and the others, case by case."""

import base64
import json
from typing import Any

import pytest

from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.gemini_generate.signatures import UNSIGNED
from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    GEMINI,
    MESSAGES,
    RESPONSES,
    answered,
    lost,
    request,
    sent,
)
from tests.unit.oneapi.dialects.gemini_generate.shapes import FUNCTION, answer, call, chat_call, model, result, user
from tests.unit.oneapi.dialects.shapes import BUDGET, PDF, PNG, refused


def test_a_request_in_either_spelling() -> None:
    body = request(
        GEMINI,
        [user({"inline_data": {"mime_type": "image/png", "data": PNG}}, "see"), model(call("f", a=1)), user(result())],
        system_instruction={"parts": [{"text": "s"}]},
        generation_config={"max_output_tokens": 9, "stop_sequences": ["x"], "temperature": 1.5},
        tools=[{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]}],
        tool_config={"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
    )
    del body["generationConfig"]
    out = sent(GEMINI, CHAT, body)
    system, said, called, told = out["messages"]
    assert system == {"role": "system", "content": "s"}
    assert [part["type"] for part in said["content"]] == ["image_url", "text"]
    assert called["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a":1}'}
    assert told["tool_call_id"] == called["tool_calls"][0]["id"]
    assert (out["max_tokens"], out["stop"], out["temperature"]) == (9, ["x"], 1.5)
    assert out["tools"] == [FUNCTION]
    assert out["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert lost(GEMINI, CHAT, body) == []


def test_a_request_for_gemini() -> None:
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{PNG}"}}]},
        {"role": "assistant", "content": "look", "tool_calls": [chat_call("a", arguments='{"x":1}'), chat_call("b")]},
        {"role": "tool", "tool_call_id": "b", "content": "B"},
        {"role": "tool", "tool_call_id": "a", "content": "A"},
        {"role": "user", "content": "go on"},
    ]
    asked = {"max_tokens": 7, "stop": "END", "top_p": 0.5, "n": 1, "tools": [FUNCTION], "parallel_tool_calls": True}
    body = sent(CHAT, GEMINI, request(CHAT, messages, **asked), profile=BUDGET)
    assert body == {
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [
            user({"inlineData": {"mimeType": "image/png", "data": PNG}}),
            model("look", call("f", "a", x=1), call("f", "b")),
            user(result("f", "a", output="A"), result("f", "b", output="B")),
            user("go on"),
        ],
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]}],
        "generationConfig": {"maxOutputTokens": 7, "stopSequences": ["END"], "topP": 0.5},
    }


def test_conversations_begin_and_end_with_the_user() -> None:
    spoken = [{"role": "assistant", "content": "a"}]
    contents = sent(CHAT, GEMINI, request(CHAT, spoken))["contents"]
    assert contents == [user("Continue."), model("a"), user("Continue.")]
    assert sent(CHAT, GEMINI, request(CHAT, [{"role": "system", "content": "s"}]))["contents"] == [user("Continue.")]


def test_instructions_inside_a_conversation_and_empty_text() -> None:
    later = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": ""},
        {"role": "system", "content": "ctx"},
        {"role": "user", "content": "c"},
    ]
    contents = sent(CHAT, GEMINI, request(CHAT, later))["contents"]
    assert contents == [user("a"), user("<system-reminder>\nctx\n</system-reminder>", "c")]


def test_t27_signatures_come_back_on_their_part() -> None:
    two = answer(call("f", signature="c2ln"), call("g"))
    for client in (CHAT, MESSAGES, RESPONSES):
        told = answered(client, GEMINI, two)
        history = replayed(client, told)
        parts = sent(client, GEMINI, request(client, history))["contents"][1]["parts"]
        assert [(part["functionCall"]["name"], part.get("thoughtSignature")) for part in parts] == [
            ("f", "c2ln"),
            ("g", None),
        ]
        other = MESSAGES if client != MESSAGES else CHAT
        assert "c2ln" not in json.dumps(sent(client, other, request(client, history)))
        elsewhere = sent(client, GEMINI, request(client, history), origin="elsewhere")["contents"][1]["parts"]
        assert [part.get("thoughtSignature") for part in elsewhere] == [UNSIGNED, None]
        assert "reasoning_history" in lost(client, GEMINI, request(client, history), origin="elsewhere")


def test_t27_calls_whose_signature_is_gone_say_so() -> None:
    told = answered(CHAT, GEMINI, answer(call("f", signature="c2ln")))
    history = replayed(CHAT, told)
    del history[1]["reasoning_details"]
    assert sent(CHAT, GEMINI, request(CHAT, history))["contents"][1]["parts"][0]["thoughtSignature"] == UNSIGNED
    older = sent(CHAT, GEMINI, request(CHAT, history), profile=BUDGET)
    assert "thoughtSignature" not in json.dumps(older)
    assert lost(CHAT, GEMINI, request(CHAT, history)) == []


def replayed(client: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """What a client sends in its next turn: the answer as it came, and the results of its calls."""
    said = {"role": "user", "content": "x"}
    if client == CHAT:
        message = answer["choices"][0]["message"]
        results = [{"role": "tool", "tool_call_id": one["id"], "content": "r"} for one in message["tool_calls"]]
        return [said, message, *results]
    if client == MESSAGES:
        uses = [block["id"] for block in answer["content"] if block["type"] == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": one, "content": "r"} for one in uses]
        return [said, {"role": "assistant", "content": answer["content"]}, {"role": "user", "content": results}]
    calls = [item["call_id"] for item in answer["output"] if item["type"] == "function_call"]
    results = [{"type": "function_call_output", "call_id": one, "output": "r"} for one in calls]
    return [said, *answer["output"], *results]


@pytest.mark.parametrize("alphabet", ["as it came", "of urls"])
def test_state_of_others_comes_back_through_googles_clients(alphabet: str) -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    blocks = [thought, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]
    told = answered(GEMINI, MESSAGES, {"content": blocks, "stop_reason": "tool_use"})
    parts = told["candidates"][0]["content"]["parts"]
    assert parts[0] == {"text": "hm", "thought": True}
    if alphabet == "of urls":
        # Google's SDKs read bytes and write them in the other alphabet.
        raw = base64.b64decode(parts[1]["thoughtSignature"])
        parts[1]["thoughtSignature"] = base64.urlsafe_b64encode(raw).decode()
    body = request(GEMINI, [user("x"), model(*parts), user(result("f", "toolu_1", output="r"))])
    assert sent(GEMINI, MESSAGES, body)["messages"][1]["content"] == blocks
    assert "thinking" not in json.dumps(sent(GEMINI, CHAT, body)["messages"])
    assert lost(GEMINI, CHAT, body) == ["reasoning_history"]
    silent = request(GEMINI, generationConfig={})
    hidden = answered(GEMINI, MESSAGES, {"content": blocks, "stop_reason": "tool_use"}, silent)
    assert [list(part) for part in hidden["candidates"][0]["content"]["parts"]] == [
        ["functionCall", "thoughtSignature"]
    ]


def test_results_without_ids_belong_to_calls_in_their_order() -> None:
    body = request(GEMINI, [user("x"), model(call("f", n=1), call("g"), call("f", n=2)), user(*map(result, "fgf"))])
    messages = sent(GEMINI, CHAT, body)["messages"]
    ids = [one["id"] for one in messages[1]["tool_calls"]]
    assert len(set(ids)) == 3
    assert {message["tool_call_id"] for message in messages[2:]} == set(ids)
    mixed = request(GEMINI, [user("x"), model(call("f", "i")), user(result("f"))])
    assert sent(GEMINI, CHAT, mixed)["messages"][2]["tool_call_id"] == "i"
    assert "result" in refused(GEMINI, CHAT, request(GEMINI, [user("x"), user(result("z"))])).message


@pytest.mark.parametrize(
    ("response", "text"),
    [
        ({"result": "r"}, "r"),
        ({"output": {"a": 1}}, '{"a":1}'),
        ({"output": 0}, "0"),
        ({"error": "e"}, "ERROR: e"),
        ({"return_value": "r", "x": 1}, '{"return_value":"r","x":1}'),
    ],
)
def test_what_a_tool_said(response: dict[str, Any], text: str) -> None:
    body = request(GEMINI, [user("x"), model(call()), user(result(**response))])
    assert sent(GEMINI, CHAT, body)["messages"][2]["content"] == text


def test_what_stands_beside_a_result_is_named() -> None:
    told = {"functionResponse": {"name": "f", "response": {"output": "r"}, "scheduling": "SILENT"}}
    body = request(GEMINI, [user("x"), model(call()), user(told)])
    assert lost(GEMINI, CHAT, body) == ["unknown_field(tool_result.scheduling)"]
    assert refused(GEMINI, CHAT, request(GEMINI, systemInstruction="s")).param == "systemInstruction"


def test_failed_tools_and_pictures_in_results() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    shot = {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "s"}, image]}
    history = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
        {"role": "user", "content": [{**shot, "is_error": True}]},
    ]
    inline = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    contents = sent(MESSAGES, GEMINI, request(MESSAGES, history))["contents"]
    assert contents[2:] == [user(result("f", "a", error="s")), user(inline)]
    native = sent(MESSAGES, GEMINI, request(MESSAGES, history), profile=Profile(images_in_results=True))["contents"]
    assert native[2]["parts"][0]["functionResponse"]["parts"] == [inline]


def test_documents_sound_and_links() -> None:
    parts = [
        {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF}"}},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
        {"type": "image_url", "image_url": {"url": "https://x.test/a.png?b=c"}},
        {"type": "file", "file": {"file_data": "data:application/json;base64,e30="}},
    ]
    body = request(CHAT, [{"role": "user", "content": parts}])
    assert sent(CHAT, GEMINI, body)["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "application/pdf", "data": PDF}},
        {"inlineData": {"mimeType": "audio/wav", "data": "QUJD"}},
        {"fileData": {"fileUri": "https://x.test/a.png?b=c", "mimeType": "image/png"}},
        {"inlineData": {"mimeType": "text/plain", "data": "e30="}},
    ]
    given = [
        {"inlineData": {"mimeType": "audio/wav", "data": "QUJD"}},
        {"fileData": {"fileUri": "https://x.test/a.png"}},
    ]
    assert [part["type"] for part in sent(GEMINI, CHAT, request(GEMINI, [user(*given)]))["messages"][0]["content"]] == [
        "input_audio",
        "image_url",
    ]
    written = [
        {
            "inlineData": {
                "mimeType": "image/png",
                "data": base64.urlsafe_b64encode(b"\x89PNG\r\n\x1a\n\xff\xfe").decode(),
            }
        },
        {"inlineData": {"mimeType": "audio/mpeg", "data": "_-8="}},
    ]
    picture, sound = sent(GEMINI, CHAT, request(GEMINI, [user(*written)]))["messages"][0]["content"]
    assert picture["image_url"]["url"] == "data:image/png;base64,iVBORw0KGgr//g=="
    assert sound["input_audio"] == {"data": "/+8=", "format": "mp3"}
    for uri in ("https://generativelanguage.googleapis.com/v1beta/files/x", "gs://bucket/x.png"):
        stored = {"fileData": {"fileUri": uri, "mimeType": "image/png"}}
        assert refused(GEMINI, MESSAGES, request(GEMINI, [user(stored)])).code == "unsupported_parameter"
    for part in (
        {"inlineData": {"mimeType": "video/mp4", "data": "QUJD"}},
        {"fileData": {"fileUri": "https://youtu.be/x"}},
    ):
        assert refused(GEMINI, CHAT, request(GEMINI, [user(part)])).param == "video"


def test_json_output() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    config = sent(CHAT, GEMINI, request(CHAT, response_format=form))["generationConfig"]
    assert config == {"responseMimeType": "application/json", "responseJsonSchema": schema}
    free = sent(CHAT, GEMINI, request(CHAT, response_format={"type": "json_object"}))["generationConfig"]
    assert free == {"responseMimeType": "application/json"}
    older = {"type": "OBJECT", "properties": {"a": {"type": "INTEGER"}}, "propertyOrdering": ["a"]}
    asked = request(GEMINI, generationConfig={"responseMimeType": "application/json", "responseSchema": older})
    assert sent(GEMINI, CHAT, asked)["response_format"]["json_schema"]["schema"] == schema
    assert lost(GEMINI, CHAT, asked) == []


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (None, None),
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ({"type": "function", "function": {"name": "f"}}, {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [FUNCTION]}},
            {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_choices_of_tools(choice: Any, config: dict[str, Any] | None) -> None:
    asked = {"tools": [FUNCTION]} | ({"tool_choice": choice} if choice is not None else {})
    body = sent(CHAT, GEMINI, request(CHAT, **asked))
    assert body.get("toolConfig", {}).get("functionCallingConfig") == config
    if config is not None:
        back = request(GEMINI, tools=body["tools"], toolConfig=body["toolConfig"])
        assert sent(GEMINI, CHAT, back)["tool_choice"] == choice or choice not in ("auto", "none", "required")


def test_strict_tools_and_parallel_calls() -> None:
    strict = {"type": "function", "function": {**FUNCTION["function"], "strict": True}}  # type: ignore[dict-item]
    body = request(CHAT, tools=[strict])
    assert sent(CHAT, GEMINI, body)["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    loose = {"type": "function", "function": {"name": "g"}}
    assert lost(CHAT, GEMINI, request(CHAT, tools=[strict, loose])) == ["strict"]
    assert lost(CHAT, GEMINI, request(CHAT, tools=[FUNCTION], parallel_tool_calls=False)) == ["parallel_tool_calls"]


def test_tools_of_the_provider() -> None:
    tools: list[dict[str, Any]] = [{"googleSearch": {}}, {"codeExecution": {}}, {"url_context": {}}]
    body = request(GEMINI, tools=tools)
    built_in = ["built_in_tool(googleSearch)", "built_in_tool(codeExecution)", "built_in_tool(urlContext)"]
    assert lost(GEMINI, CHAT, body) == built_in
    searching = sent(GEMINI, MESSAGES, body, profile=Profile(web_search=True))
    assert [tool["type"] for tool in searching["tools"]] == ["web_search_20250305"]
    web = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    asked = request(MESSAGES, tools=[web, {"name": "f", "input_schema": {"type": "object"}}])
    assert lost(MESSAGES, GEMINI, asked) == ["built_in_tool(web_search_20250305)"]
    kept = sent(MESSAGES, GEMINI, asked, profile=Profile(web_search=True))
    assert kept["tools"][1] == {"googleSearch": {}}
    assert kept["toolConfig"]["includeServerSideToolInvocations"] is True
    assert lost(MESSAGES, GEMINI, asked, profile=Profile(web_search=True)) == ["tool_options(web_search_20250305)"]
    forced = request(RESPONSES, tools=[{"type": "web_search"}], tool_choice={"type": "web_search"})
    assert refused(RESPONSES, GEMINI, forced).param == "tool_choice"
