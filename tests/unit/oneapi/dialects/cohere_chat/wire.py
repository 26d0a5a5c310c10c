"""Cohere's requests read, and its answers and streams written, by its documents and without the gateway's code."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from oneapi.dialects.canonical.parts import Part, Reasoning, Text, ToolCall
from oneapi.dialects.canonical.responses import Stop

REASONS = {"end": "COMPLETE", "tool_calls": "TOOL_CALL", "length": "MAX_TOKENS", "stop_sequence": "STOP_SEQUENCE"}
USAGE = {
    "billed_units": {"input_tokens": 3.0, "output_tokens": 4.0},
    "tokens": {"input_tokens": 503, "output_tokens": 6},
}


def said(body: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What a request's messages say, piece by piece."""
    found: list[tuple[Any, ...]] = []
    for message in body["messages"]:
        role, content = message["role"], message.get("content") or []
        blocks: list[dict[str, Any]] = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for block in blocks:
            if role == "tool":
                text = block["text"] if block["type"] == "text" else block["document"]["data"]["content"]
                found.append(("result", message["tool_call_id"], text))
            elif block["type"] == "image_url":
                found.append((role, "image", block["image_url"]["url"].partition(",")[2]))
            else:
                found.append((role, block["text"]))
        for call in message.get("tool_calls", ()):
            function = call["function"]
            found.append(("call", call["id"], function["name"], json.loads(function["arguments"])))
    return found


def offered(body: dict[str, Any]) -> tuple[list[Any], Any]:
    """The tools and the choice."""
    tools = [(tool["function"]["name"], tool["function"]["parameters"]) for tool in body.get("tools", ())]
    return tools, body.get("tool_choice")


def tokens(usage: dict[str, Any]) -> int:
    """All that is charged, by Cohere's own numbers."""
    return sum(int(count) for count in usage["billed_units"].values())


def answer(parts: Sequence[Part], stop: Stop) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, Reasoning):
            content.append({"type": "thinking", "thinking": part.text})
        elif isinstance(part, Text):
            content.append({"type": "text", "text": part.text})
        elif isinstance(part, ToolCall):
            function = {"name": part.name, "arguments": part.arguments}
            calls.append({"id": part.id, "type": "function", "function": function})
    message = {
        "role": "assistant",
        **({"content": content} if content else {}),
        **({"tool_calls": calls} if calls else {}),
    }
    return {"id": "c1", "message": message, "finish_reason": REASONS[stop.reason], "usage": USAGE}


def event(kind: str, message: Any = None, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more, **({} if message is None else {"delta": {"message": message}})}


def events(parts: Sequence[Part], stop: Stop, cut: Callable[[str], list[str]]) -> list[dict[str, Any]]:
    found = [event("message-start", {"role": "assistant", "content": []}, id="c1")]
    for index, part in enumerate(parts):
        if isinstance(part, ToolCall):
            function = {"name": part.name, "arguments": ""}
            call = {"id": part.id, "type": "function", "function": function}
            found.append(event("tool-call-start", {"tool_calls": call}, index=index))
            found += [
                event("tool-call-delta", {"tool_calls": {"function": {"arguments": piece}}}, index=index)
                for piece in cut(part.arguments)
            ]
            found.append(event("tool-call-end", index=index))
            continue
        kind = "thinking" if isinstance(part, Reasoning) else "text"
        text = part.text if isinstance(part, Text | Reasoning) else ""
        found.append(event("content-start", {"content": {"type": kind, kind: ""}}, index=index))
        found += [event("content-delta", {"content": {kind: piece}}, index=index) for piece in cut(text)]
        found.append(event("content-end", index=index))
    ending = {"finish_reason": REASONS[stop.reason], "usage": USAGE}
    return [*found, {"type": "message-end", "delta": ending}]


def written(told: Sequence[Any]) -> list[bytes]:
    """Events as they stand in a stream."""
    return [f"event: {one.get('type', '')}\ndata: {json.dumps(one)}\n\n".encode() for one in told]
