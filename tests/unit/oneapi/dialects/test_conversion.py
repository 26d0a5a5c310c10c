"""Requests between formats, case by case as other gateways have got them wrong: T01 to T22."""

import base64
import json
from typing import Any

import pytest

from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.conversion import upstream_dialects
from oneapi.dialects.registry import DIALECTS
from oneapi.dialects.upstreams import UPSTREAMS
from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    GEMINI,
    MESSAGES,
    NAMES,
    PAIRS,
    RESPONSES,
    answered,
    convert,
    lost,
    message_of,
    request,
    sent,
    sse,
    streamed,
)
from tests.unit.oneapi.dialects.shapes import (
    PDF,
    PNG,
    assistant,
    call,
    called,
    message,
    message_of_answer,
    refused,
    result,
    text,
    tool_result,
    tool_use,
    user,
)


def test_which_formats_meet() -> None:
    for client in NAMES:
        assert upstream_dialects(client)[0] == client
        assert set(upstream_dialects(client)) == set(UPSTREAMS)
    assert upstream_dialects("openai_embeddings") == ("openai_embeddings",)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_format_passes_through(name: str) -> None:
    body = request(name, unknown={"kept": [1, None]})
    same = {key: value for key, value in body.items() if key != "model"}
    assert sent(name, name, body) == same | ({} if name == GEMINI else {"model": "upstream-model"})
    conversion = convert(name, name, body)
    assert conversion.losses == []
    assert type(conversion.stream()) is DIALECTS[name].meter


def test_t01_instructions_inside_a_conversation() -> None:
    system = {"role": "system", "content": "ctx"}
    body = request(MESSAGES, [user("a"), assistant("b"), system, user("c")])
    assert sent(MESSAGES, CHAT, body)["messages"] == [user("a"), assistant("b"), system, user("c")]
    reminder = text("<system-reminder>\nctx\n</system-reminder>")
    strict = sent(MESSAGES, CHAT, body, profile=Profile(system_first=True))
    assert strict["messages"] == [user("a"), assistant("b"), user([reminder, text("c")])]
    last = request(MESSAGES, [user("a"), assistant([tool_use()]), user([tool_result()]), system])
    assert sent(MESSAGES, CHAT, last, profile=Profile(system_first=True))["messages"][2:] == [
        result("toolu_a"),
        user(reminder["text"]),
    ]
    chat = request(CHAT, [user("a"), assistant("b"), system, user("c")])
    assert sent(CHAT, MESSAGES, chat)["messages"][2] == user([reminder, text("c")])
    inline = sent(CHAT, MESSAGES, chat, profile=Profile(inline_system=True))
    assert inline["messages"][2:] == [{"role": "system", "content": "ctx"}, user("c")]


def test_t02_stop_sequences_are_a_list() -> None:
    body = sent(MESSAGES, CHAT, request(MESSAGES, stop_sequences=["</block>"]))
    assert body["stop"] == ["</block>"]
    assert "stop_sequences" not in body
    assert sent(MESSAGES, CHAT, request(MESSAGES, stop_sequences=list("abcde")))["stop"] == list("abcd")
    assert sent(CHAT, MESSAGES, request(CHAT, stop="END"))["stop_sequences"] == ["END"]
    blank = request(CHAT, stop=["END", "\n", ""])
    assert sent(CHAT, MESSAGES, blank)["stop_sequences"] == ["END"]
    assert lost(CHAT, MESSAGES, blank) == ["stop"]
    assert "stop" not in sent(CHAT, RESPONSES, request(CHAT, stop="END"))


def test_t04_namespaces_and_tools_of_the_provider() -> None:
    spawn, wait = ({"type": "function", "name": name, "parameters": {"type": "object"}} for name in ("spawn", "wait"))
    tools = [
        {"type": "function", "name": "exec", "parameters": {"type": "object"}, "strict": False},
        {"type": "namespace", "name": "multi_agent_v1", "tools": [spawn, wait]},
        {"type": "web_search", "external_web_access": True},
    ]
    body = request(RESPONSES, tools=tools, tool_choice="auto")
    names = ["exec", "multi_agent_v1__spawn", "multi_agent_v1__wait"]
    assert [tool["function"]["name"] for tool in sent(RESPONSES, CHAT, body)["tools"]] == names
    assert [tool["name"] for tool in sent(RESPONSES, MESSAGES, body)["tools"]] == names
    assert lost(RESPONSES, CHAT, body) == ["built_in_tool(web_search)"]
    answer = {"choices": [{"message": called(call(name=names[2])), "finish_reason": "tool_calls"}]}
    item = answered(RESPONSES, CHAT, answer, body)["output"][0]
    assert (item["name"], item["namespace"]) == ("wait", "multi_agent_v1")
    forced = {**body, "tool_choice": {"type": "web_search"}}
    for upstream in (CHAT, MESSAGES):
        assert "web_search" in refused(RESPONSES, upstream, forced).message
    replay = [
        {"type": "function_call", "call_id": "c", "name": "wait", "namespace": "multi_agent_v1", "arguments": "{}"}
    ]
    replay.append({"type": "function_call_output", "call_id": "c", "output": "ok"})
    history = sent(RESPONSES, CHAT, request(RESPONSES, replay, tools=tools))["messages"]
    assert history[0]["tool_calls"][0]["function"]["name"] == names[2]


def test_t05_custom_tools_become_functions() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}
    tools = [{"type": "custom", "name": "apply_patch", "description": "Patches.", "format": grammar}]
    items = [
        user("go"),
        {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": 'a "b"\né'},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "done"},
    ]
    body = request(RESPONSES, items, tools=tools)
    chat = sent(RESPONSES, CHAT, body)
    [function] = chat["tools"]
    assert "Lark grammar:\nstart: /.+/" in function["function"]["description"]
    assert function["function"]["parameters"]["required"] == ["input"]
    made = chat["messages"][1]["tool_calls"][0]
    assert (made["type"], json.loads(made["function"]["arguments"])) == ("function", {"input": 'a "b"\né'})
    assert chat["messages"][2] == result("c1", "done")
    assert sent(RESPONSES, MESSAGES, body)["messages"][1]["content"][0]["input"] == {"input": 'a "b"\né'}
    native = sent(RESPONSES, CHAT, body, profile=Profile(custom_tools=True))
    assert native["tools"][0]["custom"]["format"]["grammar"] == {"syntax": "lark", "definition": "start: /.+/"}
    assert native["messages"][1]["tool_calls"][0]["custom"] == {"name": "apply_patch", "input": 'a "b"\né'}


def test_t06_long_names_of_tools() -> None:
    long = ["mcp__plugin_" + "x" * 60 + end for end in ("one", "two")]
    history = [user("go"), assistant([tool_use(name=long[0])]), user([tool_result()])]
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in long]
    body = request(MESSAGES, history, tools=tools, tool_choice={"type": "tool", "name": long[1]})
    out = sent(MESSAGES, CHAT, body)
    names = [tool["function"]["name"] for tool in out["tools"]]
    assert len(set(names)) == 2
    assert all(len(name) <= 64 for name in names)
    assert out["messages"][1]["tool_calls"][0]["function"]["name"] == names[0]
    assert out["tool_choice"]["function"]["name"] == names[1]
    answer = {"choices": [{"message": called(call(name=names[1])), "finish_reason": "tool_calls"}]}
    assert answered(MESSAGES, CHAT, answer, body)["content"][0]["name"] == long[1]


def test_t07_results_of_parallel_calls() -> None:
    history = [user("x"), called(call("a"), call("b")), result("b", "B"), result("a", "A"), user("go on")]
    turn = sent(CHAT, MESSAGES, request(CHAT, history))["messages"][-1]
    assert turn == user([tool_result("a", "A"), tool_result("b", "B"), text("go on")])
    for upstream in (MESSAGES, RESPONSES):
        assert "'b'" in refused(CHAT, upstream, request(CHAT, [*history[:2], result("a"), user("go on")])).message
        assert "'z'" in refused(CHAT, upstream, request(CHAT, [user("x"), result("z")])).message


def test_t08_pictures_in_results() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    results = [tool_result(name, [text("shot"), image]) for name in ("a", "b")]
    history = [user("x"), assistant([tool_use("a"), tool_use("b")]), user([*results, text("see")])]
    out = sent(MESSAGES, CHAT, request(MESSAGES, history))["messages"]
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    assert out[2:] == [result("a", "shot"), result("b", "shot"), user([picture, picture, text("see")])]
    only = [user("x"), assistant([tool_use("a")]), user([tool_result("a", [image])])]
    assert sent(MESSAGES, CHAT, request(MESSAGES, only))["messages"][2]["content"] == "[image attached below]"
    items = sent(MESSAGES, RESPONSES, request(MESSAGES, history))["input"]
    assert [item["type"] for item in items[1:]] == [
        *("function_call", "function_call", "function_call_output", "function_call_output"),
        "message",
    ]
    assert [part["type"] for part in items[3]["output"]] == ["input_text", "input_image"]
    plain = [user("x"), assistant([tool_use("a")]), user([tool_result("a", [text("t")])])]
    assert sent(MESSAGES, RESPONSES, request(MESSAGES, plain))["input"][2]["output"] == "t"
    direct = sent(MESSAGES, CHAT, request(MESSAGES, history), profile=Profile(images_in_results=True))["messages"]
    assert direct[2]["content"] == [text("shot"), picture]


@pytest.mark.parametrize("content", ["", None, [{"type": "text", "text": ""}]])
def test_t09_empty_text(content: Any) -> None:
    history = [user("x"), called(call(), content=content), result()]
    assert sent(CHAT, MESSAGES, request(CHAT, history))["messages"][1]["content"] == [tool_use("call_a")]
    blank = [{"role": "system", "content": " \n"}, user("x"), user("")]
    out = sent(CHAT, MESSAGES, request(CHAT, blank))
    assert "system" not in out
    assert out["messages"] == [user("x")]


def test_t10_blocks_of_messages_inside_a_chat() -> None:
    blocks = [{"type": "thinking", "thinking": "hm", "signature": "sig"}, tool_use("toolu_1")]
    history = [user("x"), assistant(blocks), user([tool_result("toolu_1", [text("ok")])])]
    out = sent(CHAT, MESSAGES, request(CHAT, history))["messages"]
    assert out[1]["content"] == blocks
    assert out[2]["content"] == [tool_result("toolu_1", "ok")]
    items = sent(CHAT, RESPONSES, request(CHAT, history))["input"]
    assert [item["type"] for item in items] == ["message", "function_call", "function_call_output"]


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ("", {}),
        ("  ", {}),
        ("null", {}),
        ('{"a":1', {"_raw": '{"a":1'}),
        ("[1]", {"_raw": "[1]"}),
        ('{"n":12345678901234567890}', {"n": 12345678901234567890}),
    ],
)
def test_t11_arguments(arguments: str, given: dict[str, Any]) -> None:
    history = [user("x"), called(call(arguments=arguments)), result()]
    conversion = convert(CHAT, MESSAGES, request(CHAT, history))
    assert json.loads(conversion.body)["messages"][1]["content"][0]["input"] == given
    back = [user("x"), assistant([tool_use(n=12345678901234567890, a="é")]), user([tool_result()])]
    made = sent(MESSAGES, CHAT, request(MESSAGES, back))["messages"][1]["tool_calls"][0]
    assert made["function"]["arguments"] == '{"n":12345678901234567890,"a":"é"}'


def test_t12_documents() -> None:
    pdf = {"type": "base64", "media_type": "application/pdf", "data": PDF}
    inside = {"type": "image_url", "image_url": {"url": f"data:application/pdf;base64,{PDF}"}}
    assert sent(CHAT, MESSAGES, request(CHAT, [user([inside])]))["messages"][0]["content"] == [
        {"type": "document", "source": pdf}
    ]
    csv = base64.b64encode(b"a,b").decode()
    file = {"type": "file", "file": {"file_data": f"data:text/csv;base64,{csv}", "filename": "t.csv"}}
    plain = {"type": "text", "media_type": "text/plain", "data": "a,b"}
    assert sent(CHAT, MESSAGES, request(CHAT, [user([file])]))["messages"][0]["content"] == [
        {"type": "document", "source": plain, "title": "t.csv"}
    ]
    document = {"type": "document", "source": pdf, "title": "t.pdf"}
    assert sent(MESSAGES, CHAT, request(MESSAGES, [user([document])]))["messages"][0]["content"] == [
        {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "t.pdf"}}
    ]
    assert sent(MESSAGES, RESPONSES, request(MESSAGES, [user([document])]))["input"][0]["content"][0] == {
        "type": "input_file",
        "file_data": f"data:application/pdf;base64,{PDF}",
        "filename": "t.pdf",
    }
    heic = {"type": "image_url", "image_url": {"url": "data:image/heic;base64,AAAA"}}
    assert "image/heic" in refused(CHAT, MESSAGES, request(CHAT, [user([heic])])).message
    stored = {"type": "file", "file": {"file_id": "file-1"}}
    assert refused(CHAT, MESSAGES, request(CHAT, [user([stored])])).code == "unsupported_parameter"


def test_t13_the_bytes_say_what_a_picture_is() -> None:
    part = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{PNG}", "detail": "low"}}
    body = request(CHAT, [user([part, {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}])])
    sources = [block["source"] for block in sent(CHAT, MESSAGES, body)["messages"][0]["content"]]
    assert sources[0]["media_type"] == "image/png"
    assert sources[1] == {"type": "url", "url": "https://x.test/a.png"}
    assert lost(CHAT, MESSAGES, body) == ["detail"]


def test_t14_names_of_text_parts() -> None:
    lenient = request(MESSAGES, [user([{"type": "input_text", "text": "hi"}])])
    assert sent(MESSAGES, CHAT, lenient)["messages"] == [user("hi")]
    history = [assistant([{"type": "input_text", "text": "a"}]), user([{"type": "output_text", "text": "b"}])]
    assert sent(RESPONSES, CHAT, request(RESPONSES, history))["messages"] == [assistant("a"), user("b")]
    items = sent(CHAT, RESPONSES, request(CHAT, [assistant("a"), user("b")]))["input"]
    assert [item["content"][0]["type"] for item in items] == ["output_text", "input_text"]


@pytest.mark.parametrize("client", [CHAT, RESPONSES])
def test_t18_json_output_beside_tools(client: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    lookup = {"name": "lookup", "parameters": {"type": "object"}}
    if client == CHAT:
        form = {"type": "json_schema", "json_schema": {"name": "out", "schema": schema}}
        body = request(CHAT, response_format=form, tools=[{"type": "function", "function": lookup}])
    else:
        form = {"format": {"type": "json_schema", "name": "out", "schema": schema}}
        body = request(RESPONSES, text=form, tools=[{"type": "function", **lookup}])
    native = sent(client, MESSAGES, body)
    closed = {**schema, "additionalProperties": False}
    assert native["output_config"] == {"format": {"type": "json_schema", "schema": closed}}
    old = Profile(native_schema=False)
    out = sent(client, MESSAGES, body, profile=old)
    assert [tool["name"] for tool in out["tools"]] == ["lookup", "json_tool_call"]
    assert "tool_choice" not in out
    answer = message([tool_use(name="json_tool_call", a=1)], "tool_use")
    seen = message_of_answer(client, answered(client, MESSAGES, answer, body, profile=old))
    assert seen == {"text": '{"a":1}', "calls": [], "stop": "stop" if client == CHAT else "completed"}
    answer = message([tool_use(name="lookup", q=1)], "tool_use")
    seen = message_of_answer(client, answered(client, MESSAGES, answer, body, profile=old))
    assert [name for _, name, _ in seen["calls"]] == ["lookup"]
    start = {"type": "message_start", "message": {"id": "m", "model": "c"}}
    stream = [
        start,
        {"type": "content_block_start", "index": 0, "content_block": tool_use(name="json_tool_call")},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"a":1}'}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]
    events, _ = streamed(client, MESSAGES, sse(stream), body, profile=old)
    found = message_of(client, events)
    assert (found["text"], found["calls"]) == ('{"a":1}', [])
    alone = {name: value for name, value in body.items() if name != "tools"}
    assert sent(client, MESSAGES, alone, profile=old)["tool_choice"] == {"type": "tool", "name": "json_tool_call"}


def test_t19_marks_of_what_to_cache() -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    system = [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]
    history = [user("x"), assistant([tool_use("a")]), user([tool_result("a", "r", cache_control=mark)])]
    body = request(MESSAGES, history, system=system)
    new = sent(MESSAGES, RESPONSES, body, profile=Profile(cache_marks=True))
    assert new["input"][0]["role"] == "developer"
    assert new["input"][0]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit"}
    assert new["input"][-1]["output"][0]["prompt_cache_breakpoint"] == {"mode": "explicit", "ttl": "30m"}
    old = sent(MESSAGES, RESPONSES, body)
    assert "prompt_cache_breakpoint" not in json.dumps(old)
    assert "cache_control" not in json.dumps(old)
    assert (
        old["prompt_cache_key"]
        == sent(MESSAGES, RESPONSES, {**body, "messages": [*history, user("y")]})["prompt_cache_key"]
    )
    assert lost(MESSAGES, RESPONSES, body) == ["cache_control"]
    openai = [user([{"type": "text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}}])]
    assert sent(CHAT, MESSAGES, request(CHAT, openai))["messages"][0]["content"][0]["cache_control"] == mark


def test_t21_what_claude_code_bills_by_stays_with_anthropic() -> None:
    system = [text("x-anthropic-billing-header: cc_version=1; cch=ab12"), text("You are helpful.")]
    body = request(MESSAGES, system=system)
    assert sent(MESSAGES, MESSAGES, body)["system"] == system
    for upstream in (CHAT, RESPONSES):
        assert "billing" not in json.dumps(sent(MESSAGES, upstream, body))
        assert lost(MESSAGES, upstream, body) == []


@pytest.mark.parametrize(
    ("client", "upstream", "asked", "param"),
    [
        (CHAT, MESSAGES, {"n": 2}, "n"),
        (CHAT, RESPONSES, {"n": 2}, "n"),
        (CHAT, MESSAGES, {"logprobs": True}, "logprobs"),
        (RESPONSES, MESSAGES, {"include": ["message.output_text.logprobs"]}, "logprobs"),
        (RESPONSES, CHAT, {"background": True}, "background"),
        (CHAT, MESSAGES, {"modalities": ["text", "audio"]}, "modalities"),
        (MESSAGES, CHAT, {"mcp_servers": [{"url": "https://x.test"}]}, "mcp_servers"),
    ],
)
def test_t22_what_cannot_be_asked(client: str, upstream: str, asked: dict[str, Any], param: str) -> None:
    error = refused(client, upstream, request(client, **asked))
    assert (error.code, error.param) == ("unsupported_parameter", param)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_t22_losses_are_named_and_may_be_refused(client: str, upstream: str) -> None:
    body = request(client, speed="fast", metadata={"team": "a"}, fancy=True)
    assert lost(client, upstream, body) == ["speed", "metadata", "unknown_field(fancy)"]
    error = refused(client, upstream, body, strict=True)
    assert (error.code, "speed" in error.message) == ("conversion_loss", True)
    assert lost(client, upstream, request(client)) == []


def test_settings_between_the_formats() -> None:
    body = sent(CHAT, MESSAGES, request(CHAT, temperature=1.7, top_p=0.5, user="u", service_tier="default"))
    assert (body["temperature"], body["metadata"], body["service_tier"]) == (1.0, {"user_id": "u"}, "standard_only")
    assert "top_p" not in body
    told = sent(MESSAGES, RESPONSES, request(MESSAGES, max_tokens=5, metadata={"user_id": '{"device":"d"}'}))
    assert told["max_output_tokens"] == 16
    assert len(told["safety_identifier"]) == 64
    assert "device" not in json.dumps(told)
    named = sent(CHAT, RESPONSES, request(CHAT, logprobs=True, top_logprobs=2, verbosity="low"))
    assert named["include"] == ["message.output_text.logprobs"]
    assert (named["top_logprobs"], named["text"]) == (2, {"verbosity": "low"})
    stream = sent(MESSAGES, CHAT, request(MESSAGES, stream=True))
    assert stream["stream_options"] == {"include_usage": True}
    newer = Profile(cap_field="max_completion_tokens", developer_role=True)
    chat = sent(MESSAGES, CHAT, request(MESSAGES, system="s"), profile=newer, max_output=10)
    assert (chat["max_completion_tokens"], chat["messages"][0]["role"]) == (10, "developer")
    assert sent(MESSAGES, RESPONSES, request(MESSAGES, system="s"))["instructions"] == "s"
    assert sent(RESPONSES, MESSAGES, request(RESPONSES, instructions="s"))["system"] == "s"


def test_an_assistant_that_spoke_last_does_not_go_on() -> None:
    assert sent(CHAT, MESSAGES, request(CHAT, [user("x"), assistant("y")]))["messages"][-1] == user("Continue.")
