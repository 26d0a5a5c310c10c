"""Converse's requests read, and its answers and streams written, by its documents and without the gateway's code."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from oneapi.dialects.canonical.parts import Part, Reasoning, Text, ToolCall
from oneapi.dialects.canonical.responses import Stop
from tests.upstream.frames import frame

REASONS = {"end": "end_turn", "tool_calls": "tool_use", "length": "max_tokens", "stop_sequence": "stop_sequence"}
USAGE = {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}
EXCEPTION = "Exception"


def said(body: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What a request's messages say, piece by piece."""
    found: list[tuple[Any, ...]] = [("system", block["text"]) for block in body.get("system", ())]
    roles = [message["role"] for message in body["messages"]]
    assert roles == [("user", "assistant")[place % 2] for place in range(len(roles))]
    assert roles[-1] == "user"
    for message in body["messages"]:
        role = message["role"]
        for block in message["content"]:
            [(kind, value)] = block.items()
            if kind == "text":
                assert value.strip()
                found.append((role, value))
            elif kind == "image":
                found.append((role, "image", value["source"]["bytes"]))
            elif kind == "toolUse":
                found.append(("call", value["toolUseId"], value["name"], value["input"]))
            else:
                assert kind == "toolResult"
                found += [("result", value["toolUseId"], inner["text"]) for inner in value["content"]]
    return found


def offered(body: dict[str, Any]) -> tuple[list[Any], Any]:
    """The tools and the choice."""
    config = body.get("toolConfig", {})
    specs = [tool["toolSpec"] for tool in config.get("tools", ())]
    return [(spec["name"], spec["inputSchema"]["json"]) for spec in specs], config.get("toolChoice")


def tokens(usage: dict[str, Any]) -> int:
    """All that is charged, by Bedrock's own total."""
    return int(usage["totalTokens"])


def answer(parts: Sequence[Part], stop: Stop) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, Reasoning):
            content.append({"reasoningContent": {"reasoningText": {"text": part.text}}})
        elif isinstance(part, Text):
            content.append({"text": part.text})
        elif isinstance(part, ToolCall):
            content.append({"toolUse": {"toolUseId": part.id, "name": part.name, "input": json.loads(part.arguments)}})
    message = {"role": "assistant", "content": content}
    return {
        "output": {"message": message},
        "stopReason": REASONS[stop.reason],
        "usage": USAGE,
        "metrics": {"latencyMs": 1},
    }


def events(parts: Sequence[Part], stop: Stop, cut: Callable[[str], list[str]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"messageStart": {"role": "assistant", "p": "abc"}}]
    for index, part in enumerate(parts):
        deltas: list[dict[str, Any]]
        if isinstance(part, ToolCall):
            start = {"toolUse": {"toolUseId": part.id, "name": part.name}}
            found.append({"contentBlockStart": {"contentBlockIndex": index, "start": start}})
            deltas = [{"toolUse": {"input": piece}} for piece in cut(part.arguments)]
        elif isinstance(part, Reasoning):
            deltas = [{"reasoningContent": {"text": piece}} for piece in cut(part.text)]
        else:
            deltas = [{"text": piece} for piece in cut(part.text if isinstance(part, Text) else "")]
        found += [{"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}} for delta in deltas]
        found.append({"contentBlockStop": {"contentBlockIndex": index}})
    found.append({"messageStop": {"stopReason": REASONS[stop.reason]}})
    return [*found, {"metadata": {"usage": USAGE, "metrics": {"latencyMs": 1}}}]


def written(told: Sequence[Any]) -> list[bytes]:
    """Events as they stand in a stream: each is a union of one, its name and its payload."""
    pairs: list[tuple[str, Any]] = [
        next(iter(one.items()), ("", {})) if isinstance(one, dict) else ("", one) for one in told
    ]
    return [frame(name, payload, "exception" if name.endswith(EXCEPTION) else "event") for name, payload in pairs]
