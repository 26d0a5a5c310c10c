"""The built-in model's answer as a response, with every field that strict clients want.

Source: OpenAI's API reference, "The response object" and "Streaming events".
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from oneapi.providers.sandbox.reply import Reply

_ECHOED: Mapping[str, Any] = {
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


def _item(reply: Reply, answer_id: str, status: str) -> dict[str, Any]:
    if reply.tool:
        whole = status != "in_progress"
        return {
            "id": f"fc_{answer_id}",
            "type": "function_call",
            "status": status,
            "call_id": f"call_{answer_id[-24:]}",
            "name": reply.tool,
            "arguments": reply.arguments if whole else "",
        }
    content = [] if status == "in_progress" else [_part(reply, reply.text)]
    return {"id": f"msg_{answer_id}", "type": "message", "status": status, "role": "assistant", "content": content}


def _part(reply: Reply, text: str) -> dict[str, Any]:
    if reply.refused:
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def response(
    reply: Reply, request: Mapping[str, Any], model: str, input_tokens: int, answer_id: str, created: int, *, done: bool
) -> dict[str, Any]:
    """The response object, at its beginning or at its end."""
    status = ("incomplete" if reply.cut else "completed") if done else "in_progress"
    used = {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": reply.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + reply.output_tokens,
    }
    echoed = {name: request[name] if request.get(name) is not None else value for name, value in _ECHOED.items()}
    text = request.get("text")
    return {
        "id": f"resp_{answer_id}",
        "object": "response",
        "created_at": created,
        "completed_at": created if done else None,
        "status": status,
        "background": False,
        # Nothing is kept here.
        "store": False,
        "service_tier": "default",
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if done and reply.cut else None,
        "model": model,
        "output": [_item(reply, answer_id, status)] if done else [],
        "usage": used if done else None,
        "text": {"format": {"type": "text"}, **(text if isinstance(text, dict) else {})},
        **echoed,
    }


def events(
    reply: Reply, request: Mapping[str, Any], model: str, input_tokens: int, answer_id: str, created: int
) -> list[bytes]:
    """The stream, one element for each event."""
    found: list[bytes] = []

    def event(kind: str, **value: Any) -> None:
        body = {"type": kind, "sequence_number": len(found), **value}
        found.append(f"event: {kind}\ndata: ".encode() + msgspec.json.encode(body) + b"\n\n")

    def whole(*, done: bool) -> dict[str, Any]:
        return response(reply, request, model, input_tokens, answer_id, created, done=done)

    end = "incomplete" if reply.cut else "completed"
    item = _item(reply, answer_id, end)
    event("response.created", response=whole(done=False))
    event("response.in_progress", response=whole(done=False))
    event("response.output_item.added", output_index=0, item=_item(reply, answer_id, "in_progress"))
    if reply.tool:
        place: dict[str, Any] = {"item_id": item["id"], "output_index": 0}
        for piece in reply.pieces():
            event("response.function_call_arguments.delta", **place, delta=piece)
        event("response.function_call_arguments.done", **place, name=reply.tool, arguments=reply.arguments)
    else:
        place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        event("response.content_part.added", **place, part=_part(reply, ""))
        if reply.refused:
            for piece in reply.pieces():
                event("response.refusal.delta", **place, delta=piece)
            event("response.refusal.done", **place, refusal=reply.text)
        else:
            for piece in reply.pieces():
                event("response.output_text.delta", **place, delta=piece, logprobs=[])
            event("response.output_text.done", **place, text=reply.text, logprobs=[])
        event("response.content_part.done", **place, part=_part(reply, reply.text))
    event("response.output_item.done", output_index=0, item=item)
    event(f"response.{end}", response=whole(done=True))
    return found
