"""Automata of the four stream formats: what any client may rely on. Each takes all bytes of a stream, whole or cut.

They return how it ended: "done" with the format's own end, "failed" with its error event, "open" when it just stops.
"""

import json
from typing import Any

Sse = tuple[str, Any]


def events(stream: bytes) -> list[Sse]:
    """Names and data. Comments and empty lines are passed over; the rest must be whole events with a line of data."""
    found: list[Sse] = []
    text = stream.decode()
    assert not text or text.endswith("\n\n")
    for block in text.split("\n\n")[:-1]:
        if not block or block.startswith(":"):
            continue
        lines = block.split("\n")
        name = lines.pop(0).removeprefix("event: ") if lines[0].startswith("event: ") else ""
        assert len(lines) == 1
        assert lines[0].startswith("data: ")
        data = lines[0][6:]
        assert data
        found.append((name, data if data == "[DONE]" else json.loads(data)))
    return found


def chat(stream: bytes, *, usage: bool = True) -> str:
    """E2: role, body, one finish, usage where it was asked for, `[DONE]`."""
    state = "start"
    head: dict[str, Any] | None = None
    calls: list[str] = []
    for name, chunk in events(stream):
        assert not name
        assert state not in {"done", "failed"}
        if chunk == "[DONE]":
            assert state == ("told" if usage else "finished")
            state = "done"
            continue
        if "error" in chunk:
            assert chunk.keys() == {"error"}
            assert chunk["error"].keys() == {"message", "type", "param", "code"}
            state = "failed"
            continue
        same = {field: chunk[field] for field in ("id", "object", "created", "model")}
        assert head in (None, same)
        head = same
        if not chunk["choices"]:
            assert usage
            assert state == "finished"
            assert chunk["usage"]["total_tokens"] >= 0
            state = "told"
            continue
        assert chunk.get("usage", ...) is (None if usage else ...)
        [choice] = chunk["choices"]
        assert choice["index"] == 0
        delta = choice["delta"]
        assert isinstance(delta, dict)
        assert ("role" in delta) is (state == "start")
        assert state in {"start", "body"}
        assert isinstance(delta.get("content", ""), str)
        for call in delta.get("tool_calls", ()):
            _chat_call(call, calls)
        state = "body"
        if choice["finish_reason"] is not None:
            assert not delta
            state = "finished"
    return state if state in {"done", "failed"} else "open"


def _chat_call(call: dict[str, Any], calls: list[str]) -> None:
    if "id" in call:
        assert call["index"] == len(calls)
        assert call["type"] in {"function", "custom"}
        assert call["id"]
        assert call["id"] not in calls
        assert call[call["type"]]["name"]
        calls.append(call["id"])
    else:
        assert 0 <= call["index"] < len(calls)
        assert call.keys() - {"index"} <= {"function", "custom"}
        assert "name" not in (call.get("function") or call["custom"])


_DELTAS = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
}


def messages(stream: bytes) -> str:
    """E5: named events, blocks one after another, usage at the end, `message_stop`."""
    state, index, block = "start", 0, ""
    for name, event in events(stream):
        kind = event["type"]
        assert name == kind
        assert state not in {"done", "failed"}
        if kind == "error":
            assert event["error"].keys() == {"type", "message"}
            state = "failed"
        elif kind == "ping":
            assert state != "start"
        elif kind == "message_start":
            assert state == "start"
            assert event["message"]["content"] == []
            assert event["message"]["usage"]["input_tokens"] >= 0
            state = "body"
        elif kind == "content_block_start":
            assert (state, event["index"]) == ("body", index)
            state, block = "block", event["content_block"]["type"]
        elif kind == "content_block_delta":
            assert (state, event["index"]) == ("block", index)
            assert event["delta"]["type"] in _DELTAS[block]
        elif kind == "content_block_stop":
            assert (state, event["index"]) == ("block", index)
            state, index = "body", index + 1
        elif kind == "message_delta":
            assert state == "body"
            assert event["delta"]["stop_reason"]
            assert event["usage"]["output_tokens"] >= 0
            state = "stopping"
        else:
            assert (kind, state) == ("message_stop", "stopping")
            state = "done"
    return state if state in {"done", "failed"} else "open"


_FIELDS = frozenset(
    {
        *("id", "object", "created_at", "completed_at", "status", "incomplete_details", "model", "output", "error"),
        *("previous_response_id", "instructions", "tools", "tool_choice", "truncation", "parallel_tool_calls", "text"),
        *("top_p", "presence_penalty", "frequency_penalty", "top_logprobs", "temperature", "reasoning", "usage"),
        *("max_output_tokens", "max_tool_calls", "store", "background", "service_tier", "metadata"),
        *("safety_identifier", "prompt_cache_key"),
    }
)


class _Responses:
    """The state of one stream of a response."""

    def __init__(self) -> None:
        self.state = "start"
        self.done: list[dict[str, Any]] = []
        self.item: dict[str, Any] | None = None
        self.part: tuple[str, int] | None = None
        self.text = ""
        self.parts = 0

    def take(self, kind: str, event: dict[str, Any]) -> None:
        assert self.state not in {"done", "failed"}
        short = kind.removeprefix("response.")
        if kind == "error":
            assert self.state != "error"
            assert event["error"].keys() == {"message", "type", "param", "code"}
            assert event["message"] == event["error"]["message"]
            self.state = "error"
        elif short in {"created", "in_progress", "completed", "incomplete", "failed"}:
            self.response(short, event["response"])
        else:
            assert self.state == "body"
            assert event["output_index"] == len(self.done)
            self.in_item(short, event)

    def response(self, short: str, response: dict[str, Any]) -> None:
        assert response.keys() >= _FIELDS
        expected = {"created": "start", "in_progress": "created", "failed": "error"}.get(short, "body")
        assert self.state == expected
        if short in {"created", "in_progress"}:
            assert response["status"] == "in_progress"
            self.state = "created" if short == "created" else "body"
            return
        assert response["status"] == short
        assert response["output"] == self.done
        if short == "failed":
            self.state = "failed"
            return
        assert self.item is None
        assert response["usage"]["total_tokens"] >= 0
        assert (response["incomplete_details"] is not None) is (short == "incomplete")
        self.state = "done"

    def in_item(self, short: str, event: dict[str, Any]) -> None:
        if short == "output_item.added":
            assert self.item is None
            self.item, self.parts, self.text = event["item"], 0, ""
            return
        assert self.item is not None
        if short == "output_item.done":
            item = event["item"]
            assert item["id"] == self.item["id"]
            assert item["type"] == self.item["type"]
            assert self.part is None
            if item["type"] == "message":
                assert len(item["content"]) == self.parts > 0
            if item["type"] in {"function_call", "custom_tool_call"}:
                assert item["call_id"] == self.item["call_id"]
                assert item.get("arguments", item.get("input")) == self.text
            self.done.append(item)
            self.item = None
            return
        assert event["item_id"] == self.item["id"]
        self.body(short, event)

    def body(self, short: str, event: dict[str, Any]) -> None:
        place = event.get("content_index", event.get("summary_index", 0))
        if short.endswith("part.added"):
            assert self.part is None
            assert place == self.parts
            self.part, self.text = ("part", place), ""
        elif short.endswith("part.done"):
            assert self.part == ("told", place)
            told = event["part"]
            assert told.get("text", told.get("refusal")) == self.text
            self.part, self.parts = None, self.parts + 1
        elif short.endswith(".delta"):
            assert self.part in (None, ("part", place))
            assert event["delta"]
            assert ("logprobs" in event) is (short == "output_text.delta")
            self.text += event["delta"]
        elif short.endswith(".done"):
            told = {name: event[name] for name in ("text", "refusal", "arguments", "input") if name in event}
            assert list(told.values()) == [self.text]
            self.part = ("told", place) if self.part is not None else None
        else:
            assert short.startswith(("web_search_call.", "output_text.annotation."))


def responses(stream: bytes) -> str:
    """E3, E4: lifecycles of items, contiguous numbers, a terminal event that repeats what was done."""
    automaton = _Responses()
    for number, (name, event) in enumerate(events(stream)):
        assert event["type"] == name
        assert event["sequence_number"] == number
        automaton.take(name, event)
    return automaton.state if automaton.state in {"done", "failed"} else "open"


def gemini(stream: bytes) -> str:
    """Whole answers without names, calls in one piece, one last answer with the reason and usage."""
    state = "start"
    head: dict[str, Any] | None = None
    calls: list[str] = []
    for name, answer in events(stream):
        assert not name
        assert state not in {"done", "failed"}
        if "error" in answer:
            assert answer.keys() == {"error"}
            assert answer["error"].keys() == {"code", "message", "status", "details"}
            state = "failed"
            continue
        same = {field: answer[field] for field in ("modelVersion", "responseId")}
        assert head in (None, same)
        head = same
        [candidate] = answer["candidates"]
        assert candidate["index"] == 0
        assert candidate["content"]["role"] == "model"
        [part] = candidate["content"]["parts"]
        assert part.keys() - {"thought", "thoughtSignature"} in ({"text"}, {"functionCall"})
        if "functionCall" in part:
            call = part["functionCall"]
            assert call.keys() == {"id", "name", "args"}
            assert isinstance(call["args"], dict)
            assert call["id"] not in calls
            calls.append(call["id"])
        state = "body"
        if "finishReason" in candidate:
            assert not part["text"]
            state = "done"
        else:
            assert "usageMetadata" not in answer
            assert part.get("text") or "thoughtSignature" in part or "functionCall" in part
    return state if state in {"done", "failed"} else "open"


GRAMMARS = {
    "openai_chat": chat,
    "openai_responses": responses,
    "anthropic_messages": messages,
    "gemini_generate": gemini,
}
