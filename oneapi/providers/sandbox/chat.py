"""The built-in model's answer as a chat completion. Source: OpenAI's API reference."""

from collections.abc import Iterator
from typing import Any

import msgspec

from oneapi.providers.sandbox.reply import Reply


def usage(reply: Reply, input_tokens: int, choices: int) -> dict[str, Any]:
    """The usage object."""
    output_tokens = reply.output_tokens * choices
    return {
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def finish_reason(reply: Reply) -> str:
    """Why it ended."""
    return "length" if reply.cut else "tool_calls" if reply.tool else "stop"


def _call_id(answer_id: str, choice: int) -> str:
    return f"call_{answer_id[-20:]}{choice:04x}"


def body(reply: Reply, model: str, input_tokens: int, answer_id: str, created: int, *, choices: int) -> bytes:
    """The whole answer; every choice is the same."""

    def message(choice: int) -> dict[str, Any]:
        silent = reply.tool or reply.refused
        found: dict[str, Any] = {
            "role": "assistant",
            "content": None if silent else reply.text,
            "refusal": reply.text if reply.refused else None,
        }
        if reply.tool:
            call = {"name": reply.tool, "arguments": reply.arguments}
            found["tool_calls"] = [{"id": _call_id(answer_id, choice), "type": "function", "function": call}]
        return found

    reason = finish_reason(reply)
    return msgspec.json.encode(
        {
            "id": f"chatcmpl-{answer_id}",
            "object": "chat.completion",
            "created": created,
            "model": model,
            "choices": [
                {"index": choice, "message": message(choice), "logprobs": None, "finish_reason": reason}
                for choice in range(choices)
            ],
            "usage": usage(reply, input_tokens, choices),
        }
    )


def events(
    reply: Reply,
    model: str,
    input_tokens: int,
    answer_id: str,
    created: int,
    *,
    choices: int,
    include_usage: bool,
) -> list[bytes]:
    """The stream, one element for each event."""

    def chunk(found: list[dict[str, Any]], told: dict[str, Any] | None = None) -> bytes:
        value: dict[str, Any] = {
            "id": f"chatcmpl-{answer_id}",
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
            "choices": found,
        }
        if include_usage:
            value["usage"] = told
        return b"data: " + msgspec.json.encode(value) + b"\n\n"

    events: list[bytes] = []
    for choice in range(choices):
        for delta, finish in _deltas(reply, _call_id(answer_id, choice)):
            events.append(chunk([{"index": choice, "delta": delta, "logprobs": None, "finish_reason": finish}]))
    if include_usage:
        events.append(chunk([], usage(reply, input_tokens, choices)))
    return [*events, b"data: [DONE]\n\n"]


def _deltas(reply: Reply, call_id: str) -> Iterator[tuple[dict[str, Any], str | None]]:
    """One choice: who speaks, what it says piece by piece, and why it ended."""
    yield {"role": "assistant", "content": None if reply.tool or reply.refused else "", "refusal": None}, None
    if reply.tool:
        head = {"id": call_id, "type": "function", "function": {"name": reply.tool, "arguments": ""}}
        yield {"tool_calls": [{"index": 0, **head}]}, None
    for piece in reply.pieces():
        if reply.tool:
            yield {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}, None
        else:
            yield {"refusal" if reply.refused else "content": piece}, None
    yield {}, finish_reason(reply)
