"""Cohere's Chat API as it answers, written from its documents and not with the gateway's code."""

import json
from typing import Any

from tests.upstream import wire
from tests.upstream.script import Script

PATH = "/v2/chat"


def usage(s: Script) -> dict[str, Any]:
    """What is billed, and what it took: Cohere puts words of its own around a prompt."""
    output = s.tokens + s.reasoning
    told: dict[str, Any] = {"tokens": {"input_tokens": float(s.input + 500), "output_tokens": float(output + 2)}}
    return {
        "billed_units": {"input_tokens": float(s.input), "output_tokens": float(output)},
        **told,
        "cached_tokens": s.cached,
    }


def whole(s: Script, call: dict[str, Any] | None = None) -> bytes:
    """A text, or a call with its plan."""
    message: dict[str, Any] = {"role": "assistant"}
    if call is None:
        message["content"] = [{"type": "text", "text": wire.TOKEN * s.tokens}]
    else:
        message |= {"tool_plan": "I will look.", "tool_calls": [call]}
    value = {"id": "c1", "message": message, "finish_reason": "COMPLETE" if call is None else "TOOL_CALL"}
    return json.dumps({**value, **({"usage": usage(s)} if s.usage else {})}).encode()


def stream(s: Script, call: dict[str, Any] | None = None, pieces: tuple[str, ...] = ()) -> list[bytes]:
    """One element per chunk; those of a text's tokens come first."""

    def event(kind: str, message: Any = None, **more: Any) -> bytes:
        return wire.event(kind, {**more, **({} if message is None else {"delta": {"message": message}})})

    opening = event("message-start", {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}, id="c1")
    ending: dict[str, Any] = {"finish_reason": "COMPLETE" if call is None else "TOOL_CALL"}
    last = event("message-end", delta={**ending, **({"usage": usage(s)} if s.usage else {})})
    if call is not None:
        begun = {**call, "function": {**call["function"], "arguments": ""}}
        return [
            opening + event("tool-plan-delta", {"tool_plan": "I will look."}),
            event("tool-call-start", {"tool_calls": begun}, index=0),
            *(
                event("tool-call-delta", {"tool_calls": {"function": {"arguments": piece}}}, index=0)
                for piece in pieces
            ),
            event("tool-call-end", index=0),
            last,
        ]
    chunks = [event("content-delta", {"content": {"text": wire.TOKEN}}, index=0) for _ in range(s.tokens)]
    opening += event("content-start", {"content": {"type": "text", "text": ""}}, index=0)
    return [opening + b"".join(chunks[:1]), *chunks[1:], event("content-end", index=0), last]


def error_body() -> bytes:
    return b'{"id":"c1","message":"the upstream says no"}'


def error_event() -> bytes:
    return wire.event("message-end", {"delta": {"error": "Overloaded", "finish_reason": "ERROR"}})
