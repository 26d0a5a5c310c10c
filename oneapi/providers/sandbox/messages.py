"""The built-in model's answer as a message. Source: Anthropic's API reference."""

from typing import Any

import msgspec

from oneapi.providers.sandbox.reply import Reply


def stop_reason(reply: Reply) -> str:
    """Why it ended."""
    if reply.refused:
        return "refusal"
    return "max_tokens" if reply.cut else "tool_use" if reply.tool else "end_turn"


def _block(reply: Reply, answer_id: str, *, whole: bool) -> dict[str, Any]:
    if reply.tool:
        # Arguments that the cap cut are no JSON: whole, the call has none then.
        given = msgspec.json.decode(reply.arguments) if whole and not reply.cut else {}
        return {"type": "tool_use", "id": f"toolu_{answer_id[-24:]}", "name": reply.tool, "input": given}
    return {"type": "text", "text": reply.text if whole else ""}


def _message(
    model: str, answer_id: str, content: list[dict[str, Any]], reason: str | None, used: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": f"msg_{answer_id}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, **used},
    }


def body(reply: Reply, model: str, input_tokens: int, answer_id: str) -> bytes:
    """The whole answer."""
    used = {"input_tokens": input_tokens, "output_tokens": reply.output_tokens}
    return msgspec.json.encode(
        _message(model, answer_id, [_block(reply, answer_id, whole=True)], stop_reason(reply), used)
    )


def events(reply: Reply, model: str, input_tokens: int, answer_id: str) -> list[bytes]:
    """The stream, one element for each event."""

    def event(kind: str, **value: Any) -> bytes:
        return f"event: {kind}\ndata: ".encode() + msgspec.json.encode({"type": kind, **value}) + b"\n\n"

    def delta(piece: str) -> dict[str, str]:
        if reply.tool:
            return {"type": "input_json_delta", "partial_json": piece}
        return {"type": "text_delta", "text": piece}

    start = _message(model, answer_id, [], None, {"input_tokens": input_tokens, "output_tokens": 1})
    return [
        event("message_start", message=start),
        event("content_block_start", index=0, content_block=_block(reply, answer_id, whole=False)),
        event("ping"),
        *(event("content_block_delta", index=0, delta=delta(piece)) for piece in reply.pieces()),
        event("content_block_stop", index=0),
        event(
            "message_delta",
            delta={"stop_reason": stop_reason(reply), "stop_sequence": None},
            usage={"input_tokens": input_tokens, "output_tokens": reply.output_tokens},
        ),
        event("message_stop"),
    ]
