"""Chat streams as vendors really send them, and what clients of the other formats see of them."""

from typing import Any

import pytest

from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.codec import CODECS
from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    MESSAGES,
    RESPONSES,
    chat_chunk,
    convert,
    fed,
    message_of,
    request,
    sse,
    streamed,
)

OTHERS = [MESSAGES, RESPONSES]
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def tool(index: int | None = 0, call_id: str | None = None, name: str | None = None, more: str = "") -> dict[str, Any]:
    call: dict[str, Any] = {"function": {"arguments": more} | ({"name": name} if name is not None else {})}
    call |= {"index": index} if index is not None else {}
    call |= {"id": call_id, "type": "function"} if call_id is not None else {}
    return {"tool_calls": [call]}


def chat(*deltas: dict[str, Any], finish: Any = "stop", usage: Any = USAGE) -> bytes:
    chunks = [chat_chunk({"role": "assistant", "content": ""}), *(chat_chunk(delta) for delta in deltas)]
    chunks.append(chat_chunk(finish=finish))
    return sse([*chunks, *([chat_chunk() | {"choices": [], "usage": usage}] if usage else [])], done=True)


def kinds(client: str, events: list[Any]) -> list[str]:
    """The kinds of blocks or items in their order."""
    if client == MESSAGES:
        return [event["content_block"]["type"] for name, event in events if name == "content_block_start"]
    return [event["item"]["type"] for name, event in events if name == "response.output_item.added"]


@pytest.mark.parametrize("client", OTHERS)
def test_t31_t32_reasoning_then_text_then_a_call(client: str) -> None:
    data = chat(
        {"role": "assistant", "reasoning_content": "a"},
        {"reasoning_content": "b", "content": ""},
        {"reasoning_content": "c", "content": "X"},
        {"content": ""},
        tool(0, "call_1", "f"),
        tool(0, more='{"a":1}'),
        finish="tool_calls",
    )
    events, converter = streamed(client, CHAT, data)
    found = message_of(client, events)
    assert (found["thought"], found["text"], found["calls"]) == ("abc", "X", [["call_1", "f", '{"a":1}']])
    assert found["stop"] == ("tool_use" if client == MESSAGES else "completed")
    expected = ["thinking", "text", "tool_use"] if client == MESSAGES else ["reasoning", "message", "function_call"]
    assert kinds(client, events) == expected
    assert converter.usage == {"input": 5, "output": 7}
    assert converter.text_bytes == len("abcX" + "f" + '{"a":1}')


@pytest.mark.parametrize("client", OTHERS)
def test_t31_reasoning_alone(client: str) -> None:
    events, _ = streamed(client, CHAT, chat({"reasoning": "hm"}))
    assert kinds(client, events) == ["thinking" if client == MESSAGES else "reasoning"]
    signed = [event for _, event in events if event.get("delta", {}) and "signature" in str(event["delta"])]
    assert bool(signed) is (client == MESSAGES)


@pytest.mark.parametrize("client", OTHERS)
@pytest.mark.parametrize("place", ["none", "before", "on_finish", "behind"])
def test_t33_finish_and_usage_in_any_order(client: str, place: str) -> None:
    told = chat_chunk() | {"choices": [], "usage": USAGE}
    chunks = [chat_chunk({"content": "hi"}), chat_chunk(finish="stop")]
    if place == "before":
        chunks.insert(1, told)
    elif place == "on_finish":
        chunks[1] |= {"usage": USAGE}
    elif place == "behind":
        chunks.append(told)
    events, converter = streamed(client, CHAT, sse(chunks, done=True))
    usage = message_of(client, events)["usage"]
    assert converter.usage == (None if place == "none" else {"input": 5, "output": 7})
    assert (usage["input_tokens"], usage["output_tokens"]) == ((10, 1) if place == "none" else (5, 7))


@pytest.mark.parametrize("client", OTHERS)
def test_t36_calls_without_index(client: str) -> None:
    data = chat(
        tool(None, "a", "f"),
        tool(None, more='{"x":'),
        tool(None, more="1}"),
        tool(None, "b", "g", "{}"),
        finish="tool_calls",
    )
    events, _ = streamed(client, CHAT, data)
    assert message_of(client, events)["calls"] == [["a", "f", '{"x":1}'], ["b", "g", "{}"]]


@pytest.mark.parametrize("client", OTHERS)
def test_t36_one_index_for_all_calls(client: str) -> None:
    events, _ = streamed(client, CHAT, chat(tool(0, "a", "f", "{}"), tool(0, "b", "g", "{}"), finish="tool_calls"))
    assert [call[:2] for call in message_of(client, events)["calls"]] == [["a", "f"], ["b", "g"]]


@pytest.mark.parametrize("client", OTHERS)
def test_t37_ids_and_names_again_and_again(client: str) -> None:
    data = chat(tool(0, "a", "f"), tool(0, "a", "f", '{"x"'), tool(0, "a", "", ":1}"), finish="tool_calls")
    events, _ = streamed(client, CHAT, data)
    assert message_of(client, events)["calls"] == [["a", "f", '{"x":1}']]


@pytest.mark.parametrize("client", OTHERS)
def test_t37_a_name_that_comes_late(client: str) -> None:
    events, _ = streamed(client, CHAT, chat(tool(0, "a", None, '{"x"'), tool(0, None, "f", ":1}")))
    assert message_of(client, events)["calls"] == [["a", "f", '{"x":1}']]


@pytest.mark.parametrize("client", OTHERS)
def test_t38_parallel_calls_that_interleave(client: str) -> None:
    pieces = [tool(0, more='{"a":'), tool(1, more='{"b":'), tool(0, more="1}"), tool(1, more="2}")]
    data = chat(tool(0, "a", "f"), tool(1, "b", "g"), *pieces, finish="tool_calls")
    events, _ = streamed(client, CHAT, data)
    assert message_of(client, events)["calls"] == [["a", "f", '{"a":1}'], ["b", "g", '{"b":2}']]


def test_t40_shapes_of_a_response() -> None:
    called = chat(tool(0, "a", "f", "{}"), {"content": "after"})
    assert kinds(RESPONSES, streamed(RESPONSES, CHAT, called)[0]) == ["function_call", "message"]
    only = chat(tool(0, "a", "f", "{}"))
    assert kinds(RESPONSES, streamed(RESPONSES, CHAT, only)[0]) == ["function_call"]
    nothing, _ = streamed(RESPONSES, CHAT, chat())
    assert nothing[-1][1]["response"]["output"] == []
    assert [name for name, _ in streamed(MESSAGES, CHAT, chat())[0]][-2:] == ["message_delta", "message_stop"]


@pytest.mark.parametrize("client", OTHERS)
def test_t42_a_call_with_an_ordinary_end(client: str) -> None:
    found = message_of(client, streamed(client, CHAT, chat(tool(0, "a", "f", "{}"), finish="stop"))[0])
    assert found["stop"] == ("tool_use" if client == MESSAGES else "completed")
    found = message_of(client, streamed(client, CHAT, chat(tool(0, "a", "f", "{}"), finish="content_filter"))[0])
    assert found["stop"] == ("refusal" if client == MESSAGES else "content_filter")


@pytest.mark.parametrize("client", OTHERS)
def test_t43_a_call_that_was_cut_off(client: str) -> None:
    events, _ = streamed(client, CHAT, chat(tool(0, "a", "f", '{"path":"a'), finish="length"))
    found = message_of(client, events)
    assert found["calls"] == [["a", "f", '{"path":"a']]
    assert found["stop"] == ("max_tokens" if client == MESSAGES else "max_output_tokens")
    if client == RESPONSES:
        assert events[-1][1]["response"]["output"][0]["status"] == "incomplete"


def test_t44_a_call_without_arguments() -> None:
    found = message_of(RESPONSES, streamed(RESPONSES, CHAT, chat(tool(0, "a", "f"), finish="tool_calls"))[0])
    assert found["calls"] == [["a", "f", "{}"]]


@pytest.mark.parametrize("client", OTHERS)
def test_t45_azures_first_chunk(client: str) -> None:
    first = {"id": "", "model": "", "object": "", "created": 0, "choices": [], "prompt_filter_results": []}
    events, _ = streamed(client, CHAT, sse([first]) + chat({"content": "hi"}))
    assert message_of(client, events)["text"] == "hi"


@pytest.mark.parametrize("client", OTHERS)
def test_t46_bytes(client: str) -> None:
    clean = chat({"content": "é😀"}, {"content": "x"})
    expected, _ = streamed(client, CHAT, clean)
    for data in (
        clean.replace(b"\n", b"\r\n"),
        clean.replace(b"\n", b"\r"),
        clean.replace(b"data: ", b"data:"),
        b": hello\n\n" + clean,
        clean.replace(b"[DONE]\n\n", b"[DONE] \n\n"),
        clean.replace(b"[DONE]\n\n", b"[DONE]"),
        clean.replace(b"data: [DONE]\n\n", b""),
        clean + clean[:5],
    ):
        assert streamed(client, CHAT, data)[0] == expected


@pytest.mark.parametrize("client", OTHERS)
@pytest.mark.parametrize(
    "chunk",
    [
        {"error": {"message": "Overloaded", "type": "server_error", "code": "overloaded"}},
        {"error": "Overloaded"},
        chat_chunk({"content": ""}, "length") | {"error": {"code": 400, "message": "Overloaded"}},
    ],
)
def test_t57_t60_errors_in_the_stream(client: str, chunk: dict[str, Any]) -> None:
    events, converter = streamed(client, CHAT, sse([chat_chunk({"content": "a"}), chat_chunk({"content": "b"}), chunk]))
    assert converter.error is not None
    assert converter.error[1] == "Overloaded"
    assert not converter.finished
    told = [event.get("delta") for _, event in events if event["type"].endswith("delta")]
    assert [part if client == RESPONSES else part["text"] for part in told] == ["a", "b"]


@pytest.mark.parametrize("client", OTHERS)
def test_t59_a_stream_that_breaks_off(client: str) -> None:
    _, converter = streamed(client, CHAT, sse([chat_chunk({"content": "a"})]))
    assert (converter.finished, converter.error, converter.started) == (False, None, True)
    cut = sse([chat_chunk(tool(0, "a", "f", '{"x'))], done=True)
    _, converter = streamed(client, CHAT, cut)
    assert (converter.finished, converter.error and converter.error[0]) == (False, "upstream_cut")
    whole = sse([chat_chunk(tool(0, "a", "f", "{}"))], done=True)
    assert streamed(client, CHAT, whole)[1].finished


@pytest.mark.parametrize("client", OTHERS)
def test_t60_two_finishes(client: str) -> None:
    chunks = [chat_chunk({"content": "a"}), chat_chunk(finish="length"), chat_chunk(finish="stop")]
    found = message_of(client, streamed(client, CHAT, sse(chunks, done=True))[0])
    assert found["stop"] == ("max_tokens" if client == MESSAGES else "max_output_tokens")


def test_t05_a_custom_tools_input_streams() -> None:
    tools = [{"type": "custom", "name": "apply_patch"}]
    pieces = ['{"inp', 'ut":"*** Begin\\nP', "atch \\u00", 'e9"}']
    deltas = [tool(0, "c1", "apply_patch"), *(tool(0, more=piece) for piece in pieces)]
    events, _ = streamed(RESPONSES, CHAT, chat(*deltas, finish="tool_calls"), request(RESPONSES, tools=tools))
    told = [event["delta"] for name, event in events if name == "response.custom_tool_call_input.delta"]
    assert told == ["*** Begin\nP", "atch ", "é"]
    item = events[-1][1]["response"]["output"][0]
    assert (item["type"], item["call_id"], item["name"]) == ("custom_tool_call", "c1", "apply_patch")
    assert item["input"] == "*** Begin\nPatch é"


def test_t29_mistrals_content() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    data = chat({"content": [thinking]}, {"content": [{"type": "text", "text": "X"}]})
    found = message_of(MESSAGES, streamed(MESSAGES, CHAT, data)[0])
    assert (found["thought"], found["text"]) == ("hm", "X")


@pytest.mark.parametrize("client", OTHERS)
def test_t56_a_refusal(client: str) -> None:
    found = message_of(client, streamed(client, CHAT, chat({"refusal": "I "}, {"refusal": "won't."}))[0])
    assert found["text" if client == MESSAGES else "refusal"] == "I won't."
    assert found["stop"] == ("refusal" if client == MESSAGES else "completed")


def test_t04_names_come_back() -> None:
    inner = {"type": "function", "name": "wait", "parameters": {"type": "object"}}
    tools = [{"type": "namespace", "name": "agents", "tools": [inner]}]
    data = chat(tool(0, "c1", "agents__wait", "{}"), finish="tool_calls")
    events, _ = streamed(RESPONSES, CHAT, data, request(RESPONSES, tools=tools))
    item = events[-1][1]["response"]["output"][0]
    assert (item["name"], item["namespace"]) == ("wait", "agents")


def test_t02_more_stop_sequences_than_chat_takes() -> None:
    body = request(MESSAGES, stop_sequences=["a", "b", "c", "d", "END"])
    data = chat({"content": "x E"}, {"content": "ND y"})
    events, converter = streamed(MESSAGES, CHAT, data, body)
    found = message_of(MESSAGES, events)
    assert (found["text"], found["stop"], converter.cut) == ("x ", "stop_sequence", True)


def test_logprobs_reach_a_response() -> None:
    told = [{"token": "hi", "logprob": -0.1, "bytes": None, "top_logprobs": []}]
    first = chat_chunk({"content": "hi"})
    first["choices"][0]["logprobs"] = {"content": told}
    events, _ = streamed(RESPONSES, CHAT, sse([first, chat_chunk(finish="stop")], done=True))
    assert events[-1][1]["response"]["output"][0]["content"][0]["logprobs"] == told


def test_keepalives_go_on() -> None:
    for client in OTHERS:
        out, _ = fed(convert(client, CHAT, profile=Profile()), [b": OPENROUTER PROCESSING\n\n", chat({"content": "x"})])
        assert out.startswith(CODECS[client].comment)
