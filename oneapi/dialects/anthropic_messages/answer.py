"""A whole message as an answer, both ways. An answer of this same format is repeated as it came."""

from typing import Any

from oneapi.dialects.anthropic_messages.block_encoder import encode_call, repeat_content
from oneapi.dialects.anthropic_messages.blocks import NAME, decode_content
from oneapi.dialects.anthropic_messages.reasoning import encode_reasoning
from oneapi.dialects.anthropic_messages.search import encode_search
from oneapi.dialects.anthropic_messages.stops import decode_stop, encode_stop
from oneapi.dialects.anthropic_messages.usage import buckets
from oneapi.dialects.anthropic_messages.usage_encoder import encode_usage
from oneapi.dialects.canonical.context import Answering
from oneapi.dialects.canonical.parts import Message, Opaque, Part, Reasoning, Refusal, Text, ToolCall
from oneapi.dialects.canonical.reading import member, string
from oneapi.dialects.canonical.responses import Choice, Response, Stop, normal_stop
from oneapi.dialects.usage import counted

_TIERS = {"standard": "default", "priority": "priority"}


def decode_response(raw: dict[str, Any]) -> Response:
    """Tolerant: what can't be read stays in `rest`."""
    rest = dict(raw)
    parts, shape = decode_content(raw.get("content"), None)
    if shape:
        del rest["content"]
    called = any(isinstance(part, ToolCall) for part in parts)
    stop = decode_stop(raw.get("stop_reason"), raw.get("stop_sequence"), raw.get("stop_details"))
    stop = normal_stop(stop, called=called)
    for part in parts:
        if isinstance(part, ToolCall):
            part.truncated = stop.cut
    usage = raw.get("usage")
    tier = member(usage, "service_tier")
    return Response(
        dialect=NAME,
        id=string(raw.get("id")),
        model=string(raw.get("model")),
        choices=[Choice(messages=[Message(role="assistant", parts=parts, shape=shape)], stop=stop)],
        usage=(buckets(usage) or None) if isinstance(usage, dict) else None,
        service_tier=_TIERS.get(tier) if isinstance(tier, str) else None,
        rest=rest,
    )


def encode_response(response: Response, answering: Answering) -> dict[str, Any]:
    """The message; of another format's answer the first choice."""
    if response.dialect == NAME:
        message = response.choices[0].messages[0]
        return {**response.rest, **repeat_content(message.parts, message.shape)}
    if len(response.choices) > 1:
        answering.losses.add("choices")
    choice = response.choices[0] if response.choices else Choice(stop=Stop(reason="other"))
    content: list[dict[str, Any]] = []
    for part in choice.parts:
        content += encode_part(part, answering)
    usage = response.usage or counted(answering.input_tokens * 4, 0)
    return {
        "id": answering.id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": answering.model,
        "content": content,
        **encode_stop(choice.stop, only_refusal=_only_refusal(choice.parts)),
        "usage": encode_usage(usage),
    }


def _only_refusal(parts: list[Part]) -> bool:
    said = [part for part in parts if not isinstance(part, Reasoning)]
    return bool(said) and all(isinstance(part, Refusal) for part in said)


def encode_part(part: Part, answering: Answering) -> list[dict[str, Any]]:
    """The blocks that tell this part of another format's answer."""
    match part:
        case Text():
            if part.citations:
                answering.losses.add("annotations")
            return [{"type": "text", "text": part.text}] if part.text else []
        case Refusal():
            return [{"type": "text", "text": part.text}] if part.text else []
        case Reasoning() if not part.text and (part.state is None or not part.state.value):
            return []
        case Reasoning():
            return [encode_reasoning(part.text, part.state, answering.seal)]
        case ToolCall():
            call = part if part.id else ToolCall(id=answering.part_id("toolu_"), name=part.name)
            call.arguments = part.arguments
            block = encode_call(call)
            if part.truncated and "_raw" in block["input"]:
                block["input"] = {}
            return [block]
        case Opaque() if part.search is not None:
            return encode_search(part.search, answering.part_id("srvtoolu_"))
        case _:
            return []
