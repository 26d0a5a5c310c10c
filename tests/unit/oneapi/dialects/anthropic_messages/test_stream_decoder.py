"""Messages streams as they really come, and what clients of OpenAI's formats see of them."""

from typing import Any

import pytest

from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    MESSAGES,
    RESPONSES,
    convert,
    fed,
    message_of,
    request,
    sse,
    streamed,
)

OTHERS = [CHAT, RESPONSES]
USAGE = {"input_tokens": 10, "cache_creation_input_tokens": 1733, "cache_read_input_tokens": 512, "output_tokens": 1}


def start(message_id: str = "msg_1", **usage: Any) -> dict[str, Any]:
    return {"type": "message_start", "message": {"id": message_id, "model": "claude", "usage": USAGE | usage}}


def block(index: int, skeleton: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": skeleton},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text(index: int, *said: str) -> list[dict[str, Any]]:
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": one} for one in said))


def tool(index: int, call_id: str, *pieces: str, **given: Any) -> list[dict[str, Any]]:
    skeleton = {"type": "tool_use", "id": call_id, "name": "f", "input": given}
    return block(index, skeleton, *({"type": "input_json_delta", "partial_json": piece} for piece in pieces))


def thinking(index: int, *thoughts: str, signature: str = "c2ln") -> list[dict[str, Any]]:
    deltas = [{"type": "thinking_delta", "thinking": thought} for thought in thoughts]
    deltas.append({"type": "signature_delta", "signature": signature})
    return block(index, {"type": "thinking", "thinking": "", "signature": ""}, *deltas)


def stop(reason: Any = "end_turn", **usage: Any) -> list[dict[str, Any]]:
    told = {"output_tokens": 5, **usage}
    return [
        {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": told},
        {"type": "message_stop"},
    ]


def stream(*blocks: list[dict[str, Any]], end: list[dict[str, Any]] | None = None) -> bytes:
    return sse([start(), *(event for one in blocks for event in one), *(stop() if end is None else end)])


@pytest.mark.parametrize("client", OTHERS)
def test_t34_indices_count_calls(client: str) -> None:
    data = stream(text(0, "hi"), tool(1, "a", "", '{"x":', "1}"), tool(2, "b", "{}"), end=stop("tool_use"))
    events, converter = streamed(client, MESSAGES, data)
    found = message_of(client, events)
    assert (found["text"], found["calls"]) == ("hi", [["a", "f", '{"x":1}'], ["b", "f", "{}"]])
    assert found["stop"] == ("tool_calls" if client == CHAT else "completed")
    assert converter.text_bytes == len('hif{"x":1}f{}')


@pytest.mark.parametrize("client", OTHERS)
def test_t44_calls_without_arguments(client: str) -> None:
    data = stream(tool(0, "a", ""), tool(1, "b"), tool(2, "c", y=2), end=stop("tool_use"))
    found = message_of(client, streamed(client, MESSAGES, data)[0])
    assert [call[2] for call in found["calls"]] == ["{}", "{}", '{"y":2}']
    cut = message_of(client, streamed(client, MESSAGES, stream(tool(0, "a", ""), end=stop("max_tokens")))[0])
    assert cut["calls"] == [["a", "f", ""]]
    assert cut["stop"] == ("length" if client == CHAT else "max_output_tokens")


@pytest.mark.parametrize("client", OTHERS)
def test_t25_t30_thinking(client: str) -> None:
    data = stream(thinking(0, "h", "m"), text(1, "X"))
    found = message_of(client, streamed(client, MESSAGES, data)[0])
    assert (found["thought"], found["text"]) == ("hm", "X")
    events, _ = streamed(client, MESSAGES, stream(thinking(0), tool(1, "a", "{}"), end=stop("tool_use")))
    assert message_of(client, events)["thought"] == ""
    if client == CHAT:
        [detail] = [
            d for _, c in events if c != "[DONE]" for x in c["choices"] for d in x["delta"].get("reasoning_details", [])
        ]
        assert (detail["signature"], detail["text"]) == ("c2ln", "")
    else:
        item = events[-1][1]["response"]["output"][0]
        assert (item["type"], item["summary"]) == ("reasoning", [])
        assert item["encrypted_content"].startswith("oa1-")


@pytest.mark.parametrize("client", OTHERS)
def test_t51_usage(client: str) -> None:
    events, converter = streamed(client, MESSAGES, stream(text(0, "x")))
    usage = message_of(client, events)["usage"]
    assert converter.usage == {"input": 10, "cached_input": 512, "cache_write_5m": 1733, "output": 5}
    assert converter.input_told == {"input": 10, "cached_input": 512, "cache_write_5m": 1733}
    assert usage["total_tokens"] == 2260
    assert usage["prompt_tokens" if client == CHAT else "input_tokens"] == 2255


@pytest.mark.parametrize("client", OTHERS)
def test_t54_usage_that_tells_only_a_part(client: str) -> None:
    more = stream(text(0, "x"), end=stop(output_tokens=9, input_tokens=20))
    assert streamed(client, MESSAGES, more)[1].usage == {
        "input": 20,
        "cached_input": 512,
        "cache_write_5m": 1733,
        "output": 9,
    }


@pytest.mark.parametrize("client", OTHERS)
def test_t48_spliced_streams(client: str) -> None:
    again = sse([start(), start(), *text(0, "x"), *stop()])
    assert message_of(client, streamed(client, MESSAGES, again)[0])["text"] == "x"
    spliced = sse([start(), *text(0, "x"), start("msg_2"), *text(0, "y"), *stop()])
    _, converter = streamed(client, MESSAGES, spliced)
    assert (converter.error and converter.error[0], converter.finished) == ("spliced_stream", False)


@pytest.mark.parametrize("client", OTHERS)
def test_t49_tools_of_the_provider(client: str) -> None:
    ran = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    query = {"type": "input_json_delta", "partial_json": '{"query":"q"}'}
    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    data = stream(block(0, ran, query), block(1, result), text(2, "x"), end=stop("pause_turn"))
    events, _ = streamed(client, MESSAGES, data)
    found = message_of(client, events)
    assert (found["calls"], found["text"]) == ([], "x")
    assert found["stop"] == ("stop" if client == CHAT else "completed")
    if client == RESPONSES:
        assert events[-1][1]["response"]["output"][0]["action"] == {"type": "search", "query": "q"}


@pytest.mark.parametrize("client", OTHERS)
def test_t57_an_error_event(client: str) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    _, converter = streamed(client, MESSAGES, sse([start(), *text(0, "a", "b")[:-1], error]))
    assert converter.error == ("overloaded_error", "Overloaded")
    assert converter.started


@pytest.mark.parametrize("client", OTHERS)
def test_what_was_never_started_says_nothing(client: str) -> None:
    stray = [
        {"type": "content_block_stop", "index": 7},
        {"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta", "text": "no"}},
        {"type": "content_block_start", "index": 8, "content_block": None},
        {"type": "something_new", "index": 0},
    ]
    found = message_of(client, streamed(client, MESSAGES, stream(stray, text(0, "x"), text(1)))[0])
    assert found["text"] == "x"


@pytest.mark.parametrize("client", OTHERS)
def test_neighbouring_texts(client: str) -> None:
    events, _ = streamed(client, MESSAGES, stream(text(0, "a"), text(1, "b")))
    assert message_of(client, events)["text"] == "ab"
    if client == RESPONSES:
        [item] = events[-1][1]["response"]["output"]
        assert [part["text"] for part in item["content"]] == ["a", "b"]


def test_pings_are_comments_elsewhere() -> None:
    ping = sse([{"type": "ping"}])
    out, _ = fed(convert(CHAT, MESSAGES), [sse([start()]), ping, ping, sse([*text(0, "x"), *stop()])])
    assert out.count(b": keepalive\n\n") == 2


def test_citations_in_a_stream() -> None:
    cited = {"type": "web_search_result_location", "url": "https://x.test", "title": "X"}
    deltas: list[dict[str, Any]] = [
        {"type": "text_delta", "text": "this"},
        {"type": "citations_delta", "citation": cited},
    ]
    events, _ = streamed(RESPONSES, MESSAGES, stream(text(0, "See "), block(1, {"type": "text", "text": ""}, *deltas)))
    annotation = events[-1][1]["response"]["output"][0]["content"][1]["annotations"][0]
    assert (annotation["url"], annotation["start_index"], annotation["end_index"]) == ("https://x.test", 0, 4)
    events, _ = streamed(CHAT, MESSAGES, stream(text(0, "See "), block(1, {"type": "text", "text": ""}, *deltas)))
    [told] = [c["choices"][0]["delta"]["annotations"] for _, c in events if "annotations" in str(c)]
    assert (told[0]["url_citation"]["start_index"], told[0]["url_citation"]["end_index"]) == (4, 8)


@pytest.mark.parametrize("asked", [True, False])
def test_t47_a_chat_gets_one_role_and_usage_if_it_asked(asked: bool) -> None:
    body = request(CHAT, **({"stream_options": {"include_usage": True}} if asked else {}))
    events, _ = streamed(CHAT, MESSAGES, stream(text(0, "x", "y")), body)
    assert [("usage" in chunk) for _, chunk in events[:-1]] == [asked] * (len(events) - 1)
