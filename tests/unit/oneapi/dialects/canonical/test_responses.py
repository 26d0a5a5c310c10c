"""Answers, usage, stops and errors between formats: T42 to T61."""

import json
from typing import Any

import pytest

from oneapi.dialects.conversion import read_request
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.usage import Usage
from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    MESSAGES,
    PAIRS,
    RESPONSES,
    SECRET,
    answered,
    convert,
    fed,
    request,
)
from tests.unit.oneapi.dialects.shapes import (
    call,
    called,
    message,
    result,
    text,
    tool_use,
    user,
)


def test_t50_text_of_an_answer() -> None:
    answer = {"choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}
    assert answered(MESSAGES, CHAT, answer)["content"] == [text("hi")]
    assert answered(RESPONSES, CHAT, answer)["output"][0]["content"][0]["text"] == "hi"


ANTHROPIC = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 1733,
    "cache_read_input_tokens": 512,
    "output_tokens": 5,
}


def test_t51_usage_of_messages() -> None:
    answer = message([text("x")], "end_turn") | {"usage": ANTHROPIC}
    chat = answered(CHAT, MESSAGES, answer)["usage"]
    assert (chat["prompt_tokens"], chat["completion_tokens"], chat["total_tokens"]) == (2255, 5, 2260)
    assert (chat["prompt_tokens_details"]["cached_tokens"], chat["prompt_tokens_details"]["cache_write_tokens"]) == (
        512,
        1733,
    )
    told = answered(RESPONSES, MESSAGES, answer)["usage"]
    assert (told["input_tokens"], told["output_tokens"], told["total_tokens"]) == (2255, 5, 2260)
    converted = convert(CHAT, MESSAGES).response(json.dumps(answer).encode())
    assert converted.usage == {"input": 10, "cached_input": 512, "cache_write_5m": 1733, "output": 5}


def test_t52_usage_of_openai() -> None:
    usage = {
        "input_tokens": 5000,
        "input_tokens_details": {"cached_tokens": 4096},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 30},
        "total_tokens": 5050,
    }
    told = answered(MESSAGES, RESPONSES, {"status": "completed", "output": [], "usage": usage})["usage"]
    assert (told["input_tokens"], told["cache_read_input_tokens"], told["output_tokens"]) == (904, 4096, 50)
    assert told["output_tokens_details"] == {"thinking_tokens": 30}
    mixed = {"prompt_tokens": 4, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 2455}}
    answer = {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}], "usage": mixed}
    told = answered(MESSAGES, CHAT, answer)["usage"]
    assert (told["input_tokens"], told["cache_read_input_tokens"]) == (4, 2455)


def test_t55_reasoning_beside_the_completion() -> None:
    details = {"reasoning_tokens": 340}
    usage = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 354, "completion_tokens_details": details}
    answer = {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}], "usage": usage}
    told = answered(RESPONSES, CHAT, answer)["usage"]
    assert (told["output_tokens"], told["output_tokens_details"]["reasoning_tokens"], told["total_tokens"]) == (
        342,
        340,
        354,
    )


@pytest.mark.parametrize(
    ("stop", "chat", "status", "reason"),
    [
        ("end_turn", "stop", "completed", None),
        ("stop_sequence", "stop", "completed", None),
        ("max_tokens", "length", "incomplete", "max_output_tokens"),
        ("model_context_window_exceeded", "length", "incomplete", "max_output_tokens"),
        ("refusal", "content_filter", "incomplete", "content_filter"),
        ("pause_turn", "stop", "completed", None),
        ("something_new", "stop", "completed", None),
        (None, "stop", "completed", None),
    ],
)
def test_t56_stops_of_messages(stop: Any, chat: str, status: str, reason: str | None) -> None:
    answer = message([text("partial")], stop)
    [choice] = answered(CHAT, MESSAGES, answer)["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == (chat, "partial")
    response = answered(RESPONSES, MESSAGES, answer)
    assert (response["status"], (response["incomplete_details"] or {}).get("reason")) == (status, reason)
    assert response["output"][0]["status"] == status


@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("content_filter", "refusal"),
        ("weird", "end_turn"),
        (None, "end_turn"),
    ],
)
def test_t56_stops_of_chat(finish: Any, stop: str) -> None:
    answer = {"choices": [{"message": {"content": "x"}, "finish_reason": finish}]}
    assert answered(MESSAGES, CHAT, answer)["stop_reason"] == stop


def test_t56_refusals() -> None:
    answer = {"choices": [{"message": {"content": None, "refusal": "I won't."}, "finish_reason": "stop"}]}
    told = answered(MESSAGES, CHAT, answer)
    assert (told["content"], told["stop_reason"]) == ([text("I won't.")], "refusal")
    assert answered(RESPONSES, CHAT, answer)["output"][0]["content"] == [{"type": "refusal", "refusal": "I won't."}]
    details = {"type": "refusal", "category": "cyber", "explanation": "Against the rules."}
    [choice] = answered(CHAT, MESSAGES, message([text("p")], "refusal", stop_details=details))["choices"]
    assert choice["message"]["refusal"] == "Against the rules."


@pytest.mark.parametrize("client", [RESPONSES, MESSAGES])
def test_t42_t43_calls_and_stops_of_whole_answers(client: str) -> None:
    answer = {"choices": [{"message": called(call()), "finish_reason": "stop"}]}
    told = answered(client, CHAT, answer)
    assert told["stop_reason" if client == MESSAGES else "status"] == (
        "tool_use" if client == MESSAGES else "completed"
    )
    cut = {"choices": [{"message": called(call(arguments='{"path":"a')), "finish_reason": "length"}]}
    told = answered(client, CHAT, cut)
    if client == MESSAGES:
        assert (told["stop_reason"], told["content"][0]["input"]) == ("max_tokens", {})
    else:
        assert (told["status"], told["output"][0]["status"]) == ("incomplete", "incomplete")
        assert told["output"][0]["arguments"] == '{"path":"a'


def test_t44_calls_without_arguments() -> None:
    [choice] = answered(CHAT, MESSAGES, message([tool_use("a")], "tool_use"))["choices"]
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == "{}"
    answer = {"choices": [{"message": called(call(arguments="")), "finish_reason": "tool_calls"}]}
    assert answered(MESSAGES, CHAT, answer)["content"][0]["input"] == {}
    assert answered(RESPONSES, CHAT, answer)["output"][0]["arguments"] == "{}"


def test_t03_stop_sequences_are_found_here() -> None:
    body = request(MESSAGES, stop_sequences=["END"])
    output = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "alpha END beta"}]}]
    told = answered(MESSAGES, RESPONSES, {"status": "completed", "output": output}, body)
    assert (told["content"], told["stop_reason"], told["stop_sequence"]) == ([text("alpha ")], "stop_sequence", "END")


def test_citations() -> None:
    cited = {"type": "web_search_result_location", "url": "https://x.test", "title": "X", "encrypted_index": "e"}
    page = {"type": "page_location", "cited_text": "y", "document_index": 0}
    blocks = [text("See "), {**text("this"), "citations": [cited]}, {**text("!"), "citations": [page]}]
    conversion = convert(CHAT, MESSAGES)
    answer = json.loads(conversion.response(json.dumps(message(blocks, "end_turn")).encode()).body)
    [annotation] = answer["choices"][0]["message"]["annotations"]
    assert annotation["url_citation"] == {"url": "https://x.test", "title": "X", "start_index": 4, "end_index": 8}
    assert [str(loss) for loss in conversion.losses] == ["annotations"]
    output = answered(RESPONSES, MESSAGES, message(blocks, "end_turn"))["output"]
    assert output[0]["content"][1]["annotations"][0]["url"] == "https://x.test"


def test_t49_tools_of_the_provider_are_not_the_clients() -> None:
    ran = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    answer = message([ran, found, text("x")], "pause_turn")
    [choice] = answered(CHAT, MESSAGES, answer)["choices"]
    assert (choice["finish_reason"], "tool_calls" in choice["message"]) == ("stop", False)
    output = answered(RESPONSES, MESSAGES, answer)["output"]
    assert [item["type"] for item in output] == ["web_search_call", "message"]
    assert output[0]["action"] == {"type": "search", "query": "q"}
    searched = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    }
    content = answered(MESSAGES, RESPONSES, {"status": "completed", "output": [searched]})["content"]
    assert [block["type"] for block in content] == ["server_tool_use", "web_search_tool_result"]


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"a":', b"\xff", b"[" * 100_000])
def test_answers_that_are_none(client: str, upstream: str, body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        convert(client, upstream).response(body)
    assert caught.value.status == 502


def test_t61_refusals_of_upstreams() -> None:
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    error = convert(CHAT, MESSAGES).refusal(529, body)
    assert error is not None
    assert (error.kind, error.code, error.message) == ("overloaded", "overloaded_error", "Overloaded")
    long = b'{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}}'
    error = convert(CHAT, MESSAGES).refusal(400, long)
    assert error is not None
    assert error.code == "context_length_exceeded"
    openai = b'{"error":{"message":"no","type":"invalid_request_error","param":"model","code":"model_not_found"}}'
    error = convert(MESSAGES, CHAT).refusal(404, openai)
    assert error is not None
    assert (error.kind, error.code, error.param) == ("not_found", "model_not_found", "model")
    assert convert(MESSAGES, CHAT).refusal(500, b"<html>") is None


def test_the_request_is_read_once_and_never_changed() -> None:
    body = request(CHAT, [user([text("x")]), called(call()), result(), user("y")], tools=[], seed=1)
    before = json.dumps(body)
    asked = read_request(CHAT, body, SECRET)
    known = repr(asked.request)
    for _ in range(2):
        for upstream in (MESSAGES, RESPONSES):
            convert(CHAT, upstream, body)
    assert json.dumps(body) == before
    assert repr(read_request(CHAT, body, SECRET).request) == known


def test_a_response_has_every_field() -> None:
    body = request(RESPONSES, temperature=0.5, tools=[{"type": "function", "name": "f"}], metadata={"a": "b"})
    answer = answered(RESPONSES, MESSAGES, message([text("x")], "end_turn"), body)
    assert (answer["temperature"], answer["top_p"], answer["metadata"]) == (0.5, 1.0, {"a": "b"})
    assert answer["tools"][0]["strict"] is False
    assert answer["model"] == "alias"
    usage: Usage | None = convert(RESPONSES, MESSAGES).response(json.dumps(message([], "end_turn")).encode()).usage
    assert usage == {"input": 1, "output": 1}


def test_nothing_after_the_end() -> None:
    conversion = convert(MESSAGES, CHAT)
    _, converter = fed(
        conversion, [b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n', b"data: [DONE]\n\n"]
    )
    assert converter.finished
    assert converter.feed(b"data: [DONE]\n\n") == b""
    assert converter.end() == b""
