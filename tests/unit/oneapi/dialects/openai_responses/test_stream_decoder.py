"""Responses streams as they really come, and what clients of the other formats see of them."""

from typing import Any

import pytest

from tests.unit.oneapi.dialects.dialogues import CHAT, MESSAGES, RESPONSES, message_of, request, sse, streamed

OTHERS = [CHAT, MESSAGES]
CREATED = {"type": "response.created", "response": {"id": "resp_1", "model": "m"}}
USAGE = {
    "input_tokens": 5000,
    "input_tokens_details": {"cached_tokens": 4096},
    "output_tokens": 50,
    "output_tokens_details": {"reasoning_tokens": 30},
    "total_tokens": 5050,
}


def text(index: int, *said: str, done: bool = True) -> list[dict[str, Any]]:
    item = {"type": "message", "id": f"msg_{index}", "role": "assistant", "content": []}
    part = {"type": "output_text", "text": "".join(said), "annotations": []}
    place = {"output_index": index, "item_id": f"msg_{index}", "content_index": 0}
    return [
        {"type": "response.output_item.added", "output_index": index, "item": item},
        {"type": "response.content_part.added", **place, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **place, "delta": one, "logprobs": []} for one in said),
        {"type": "response.output_text.done", **place, "text": "".join(said)},
        {"type": "response.content_part.done", **place, "part": part},
        *(
            [{"type": "response.output_item.done", "output_index": index, "item": {**item, "content": [part]}}]
            if done
            else []
        ),
    ]


def call(index: int, call_id: str, *pieces: str, kind: str = "function_call") -> list[dict[str, Any]]:
    field, event = (
        ("arguments", "function_call_arguments") if kind == "function_call" else ("input", "custom_tool_call_input")
    )
    item = {"type": kind, "id": f"fc_{index}", "call_id": call_id, "name": "f"}
    place = {"output_index": index, "item_id": f"fc_{index}"}
    return [
        {"type": "response.output_item.added", "output_index": index, "item": {**item, field: ""}},
        *({"type": f"response.{event}.delta", **place, "delta": piece} for piece in pieces),
        {"type": f"response.{event}.done", **place, field: "".join(pieces)},
        {"type": "response.output_item.done", "output_index": index, "item": {**item, field: "".join(pieces)}},
    ]


def reasoning(index: int, *summaries: str, sealed: str | None = "gA") -> list[dict[str, Any]]:
    item = {"type": "reasoning", "id": f"rs_{index}", "summary": []}
    whole = {**item, "summary": [{"type": "summary_text", "text": told} for told in summaries]}
    return [
        {"type": "response.output_item.added", "output_index": index, "item": item},
        *(
            {
                "type": "response.reasoning_summary_text.delta",
                "output_index": index,
                "summary_index": place,
                "delta": told,
            }
            for place, told in enumerate(summaries)
        ),
        {"type": "response.output_item.done", "output_index": index, "item": {**whole, "encrypted_content": sealed}},
    ]


def completed(*items: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    output = [event["item"] for item in items for event in item if event["type"] == "response.output_item.done"]
    response = {"id": "resp_1", "status": "completed", "output": output, "usage": USAGE, **fields}
    return {"type": f"response.{response['status']}", "response": response}


def stream(*items: list[dict[str, Any]], **fields: Any) -> bytes:
    return sse([CREATED, *(event for item in items for event in item), completed(*items, **fields)])


@pytest.mark.parametrize("client", OTHERS)
def test_t34_t39_text_then_parallel_calls(client: str) -> None:
    data = stream(text(0, "h", "i"), call(1, "a", '{"x":', "1}"), call(2, "b", "{}"))
    events, converter = streamed(client, RESPONSES, data)
    found = message_of(client, events)
    assert (found["text"], found["calls"]) == ("hi", [["a", "f", '{"x":1}'], ["b", "f", "{}"]])
    assert found["stop"] == ("tool_calls" if client == CHAT else "tool_use")
    assert converter.text_bytes == len('hif{"x":1}f{}')


@pytest.mark.parametrize("client", OTHERS)
def test_t52_usage(client: str) -> None:
    events, converter = streamed(client, RESPONSES, stream(text(0, "x")))
    assert converter.usage == {"input": 904, "cached_input": 4096, "output": 20, "reasoning": 30}
    usage = message_of(client, events)["usage"]
    if client == CHAT:
        assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (5000, 50, 5050)
    else:
        assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (904, 4096, 50)


@pytest.mark.parametrize("client", OTHERS)
def test_reasoning(client: str) -> None:
    events, _ = streamed(client, RESPONSES, stream(reasoning(0, "a", "b"), text(1, "x")))
    found = message_of(client, events)
    assert (found["thought"], found["text"]) == ("a\n\nb", "x")
    silent, _ = streamed(client, RESPONSES, stream(reasoning(0), text(1, "x")))
    assert message_of(client, silent)["thought"] == ""
    if client == MESSAGES:
        blocks = [event["content_block"] for name, event in silent if name == "content_block_start"]
        assert [block["type"] for block in blocks] == ["redacted_thinking", "text"]
    nothing, _ = streamed(client, RESPONSES, stream(reasoning(0, sealed=None), text(1, "x")))
    assert "reasoning_content" not in str(nothing)
    assert "redacted" not in str(nothing)


@pytest.mark.parametrize("client", OTHERS)
@pytest.mark.parametrize("kept", [(), ("response.output_item.done",), ("response.output_item.added",)])
def test_items_of_which_only_a_part_comes(client: str, kept: tuple[str, ...]) -> None:
    items = [reasoning(0, "hm"), text(1, "hi"), call(2, "a", "{}")]
    events = [event for item in items for event in item if event["type"] in kept]
    seen, _ = streamed(client, RESPONSES, sse([CREATED, *events, completed(*items)]))
    found = message_of(client, seen)
    assert (found["thought"], found["text"], found["calls"]) == ("hm", "hi", [["a", "f", "{}"]])


@pytest.mark.parametrize("client", OTHERS)
def test_items_that_overlap(client: str) -> None:
    first, second = call(0, "a", '{"x":1}'), call(1, "b", '{"y":2}')
    mixed = [event for pair in zip(first, second, strict=True) for event in pair]
    events, _ = streamed(client, RESPONSES, sse([CREATED, *mixed, completed(first, second)]))
    assert message_of(client, events)["calls"] == [["a", "f", '{"x":1}'], ["b", "f", '{"y":2}']]


@pytest.mark.parametrize("client", OTHERS)
def test_ids_that_change_on_the_way(client: str) -> None:
    events = text(0, "h", "i")
    for number, event in enumerate(events):
        event["item_id"] = f"other_{number}"
    assert message_of(client, streamed(client, RESPONSES, stream(events))[0])["text"] == "hi"


@pytest.mark.parametrize("client", OTHERS)
@pytest.mark.parametrize("reason", ["max_output_tokens", "content_filter", "max_messages"])
def test_t43_t56_incomplete(client: str, reason: str) -> None:
    data = stream(text(0, "x"), status="incomplete", incomplete_details={"reason": reason})
    stops = {
        "max_output_tokens": ("length", "max_tokens"),
        "content_filter": ("content_filter", "refusal"),
        "max_messages": ("stop", "end_turn"),
    }
    assert message_of(client, streamed(client, RESPONSES, data)[0])["stop"] == stops[reason][client == MESSAGES]


@pytest.mark.parametrize("client", OTHERS)
def test_t57_failures(client: str) -> None:
    begin = [CREATED, *text(0, "a", "b")[:4]]
    error = {"type": "error", "error": {"code": "rate_limit_exceeded", "message": "Slow down"}}
    failed = {
        "type": "response.failed",
        "response": {"error": {"code": "server_error", "message": "Oops"}, "usage": USAGE},
    }
    assert streamed(client, RESPONSES, sse([*begin, error]))[1].error == ("rate_limit_exceeded", "Slow down")
    flat = {"type": "error", "code": "x", "message": "Oops", "param": None}
    assert streamed(client, RESPONSES, sse([*begin, flat]))[1].error == ("x", "Oops")
    _, converter = streamed(client, RESPONSES, sse([*begin, failed]))
    assert converter.error == ("server_error", "Oops")
    assert converter.usage == {"input": 904, "cached_input": 4096, "output": 20, "reasoning": 30}
    assert not streamed(client, RESPONSES, sse(begin))[1].finished


@pytest.mark.parametrize(
    ("pieces", "text_seen", "stop"),
    [
        (("alp", "ha E", "ND beta"), "alpha ", "stop_sequence"),
        (("E", "xit"), "Exit", "end_turn"),
        (("ENEND",), "EN", "stop_sequence"),
        (("x EN",), "x EN", "end_turn"),
    ],
)
def test_t03_stop_sequences(pieces: tuple[str, ...], text_seen: str, stop: str) -> None:
    body = request(MESSAGES, stop_sequences=["END"])
    events, converter = streamed(MESSAGES, RESPONSES, stream(text(0, *pieces)), body)
    found = message_of(MESSAGES, events)
    assert (found["text"], found["stop"]) == (text_seen, stop)
    assert converter.cut is (stop == "stop_sequence")
    assert converter.finished


def test_a_custom_call_reaches_a_chat() -> None:
    body = request(CHAT, tools=[{"type": "custom", "custom": {"name": "f"}}], stream_options={"include_usage": True})
    events, _ = streamed(CHAT, RESPONSES, stream(call(0, "a", "any ", "text", kind="custom_tool_call")), body)
    assert message_of(CHAT, events)["calls"] == [["a", "f", "any text"]]


@pytest.mark.parametrize("client", OTHERS)
def test_a_search_at_the_provider(client: str) -> None:
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}
    steps = [
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress"}},
        {"type": "response.web_search_call.searching", "output_index": 0, "item_id": "ws_1"},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
    ]
    events, _ = streamed(client, RESPONSES, stream(steps, text(1, "x")))
    found = message_of(client, events)
    assert (found["text"], found["calls"]) == ("x", [])
    blocks = [event["content_block"]["type"] for name, event in events if name == "content_block_start"]
    assert blocks == (["server_tool_use", "web_search_tool_result", "text"] if client == MESSAGES else [])


@pytest.mark.parametrize("client", OTHERS)
def test_t56_a_refusal(client: str) -> None:
    place = {"output_index": 0, "item_id": "m", "content_index": 0}
    part = {"type": "refusal", "refusal": "No."}
    item = {"type": "message", "id": "m", "role": "assistant", "content": [part]}
    events = [
        {"type": "response.refusal.delta", **place, "delta": "No."},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
    ]
    found = message_of(client, streamed(client, RESPONSES, stream(events))[0])
    assert found["refusal" if client == CHAT else "text"] == "No."
    assert found["stop"] == ("stop" if client == CHAT else "refusal")
