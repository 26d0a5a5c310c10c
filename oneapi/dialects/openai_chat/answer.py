"""A whole chat completion, both ways. An answer of this same format is repeated as it came.

Source: OpenAI's API reference, "The chat completion object".
"""

from typing import Any

from oneapi.dialects.canonical.context import Answering
from oneapi.dialects.canonical.parts import Message, Opaque, Part, Reasoning, Refusal, Text, ToolCall
from oneapi.dialects.canonical.reading import objects, string
from oneapi.dialects.canonical.responses import Choice, Response, Stop, normal_stop
from oneapi.dialects.openai_chat.annotations import decode_annotations, encode_annotations
from oneapi.dialects.openai_chat.content import NAME
from oneapi.dialects.openai_chat.message_encoder import repeat
from oneapi.dialects.openai_chat.messages import decode_assistant
from oneapi.dialects.openai_chat.reasoning import detail
from oneapi.dialects.openai_chat.stops import decode_stop, encode_stop
from oneapi.dialects.openai_chat.usage import buckets
from oneapi.dialects.openai_chat.usage_encoder import encode_usage


def decode_response(raw: dict[str, Any]) -> Response:
    """Tolerant: what can't be read of a choice stays in its `rest`."""
    rest = dict(raw)
    choices = [_choice(choice) for choice in objects(rest.pop("choices", None))]
    usage = raw.get("usage")
    groq = raw.get("x_groq")
    if not isinstance(usage, dict) and isinstance(groq, dict):
        usage = groq.get("usage")
    tier = raw.get("service_tier")
    return Response(
        dialect=NAME,
        id=string(raw.get("id")),
        model=string(raw.get("model")),
        choices=choices,
        usage=(buckets(usage) or None) if isinstance(usage, dict) else None,
        service_tier=tier if isinstance(tier, str) else None,
        rest=rest,
    )


def _choice(raw: dict[str, Any]) -> Choice:
    rest = dict(raw)
    message = rest.pop("message", None)
    if not isinstance(message, dict):
        return Choice(stop=decode_stop(raw.get("finish_reason")), rest=dict(raw))
    decoded = decode_assistant(message, None)
    _add_annotations(decoded, raw)
    called = any(isinstance(part, ToolCall) for part in decoded.parts)
    stop = normal_stop(decode_stop(raw.get("finish_reason")), called=called)
    for part in decoded.parts:
        if isinstance(part, ToolCall):
            part.truncated = stop.cut
    return Choice(messages=[decoded], stop=stop, rest=rest)


def _add_annotations(message: Message, raw: dict[str, Any]) -> None:
    texts = [part for part in message.parts if isinstance(part, Text)]
    if not texts:
        return
    texts[0].citations = decode_annotations(message.rest.get("annotations"))
    logprobs = raw.get("logprobs")
    if isinstance(logprobs, dict) and isinstance(logprobs.get("content"), list):
        texts[0].logprobs = logprobs["content"]


def encode_response(response: Response, answering: Answering) -> dict[str, Any]:
    """The completion; of another format's answer the first choice."""
    if response.dialect == NAME:
        choices = [_repeat(choice) for choice in response.choices]
        return {**response.rest, **({"choices": choices} if choices else {})}
    if len(response.choices) > 1:
        answering.losses.add("choices")
    choice = response.choices[0] if response.choices else Choice(stop=Stop(reason="other"))
    message, logprobs = _message(choice, answering)
    value: dict[str, Any] = {
        "id": answering.id("chatcmpl-"),
        "object": "chat.completion",
        "created": answering.created,
        "model": answering.model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": {"content": logprobs, "refusal": None} if logprobs else None,
                "finish_reason": encode_stop(choice.stop),
            }
        ],
    }
    if response.usage is not None:
        value["usage"] = encode_usage(response.usage)
    if response.service_tier is not None:
        value["service_tier"] = response.service_tier
    return value


def _repeat(choice: Choice) -> dict[str, Any]:
    if not choice.messages:
        return dict(choice.rest)
    message = repeat(choice.messages[0])
    if not message.get("role"):
        del message["role"]
    return {**choice.rest, "message": message}


def _message(choice: Choice, answering: Answering) -> tuple[dict[str, Any], list[Any]]:
    texts: list[str] = []
    refusals: list[str] = [choice.stop.explanation] if choice.stop.explanation else []
    thoughts: list[str] = []
    details: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    logprobs: list[Any] = []
    for part in choice.parts:
        match part:
            case Text():
                annotations += encode_annotations(part, sum(map(len, texts)), answering.losses)
                texts.append(part.text)
                logprobs += part.logprobs
            case Refusal():
                refusals.append(part.text)
            case Reasoning():
                if part.text:
                    thoughts.append(part.text)
                told = detail(part.text, part.state, len(details), answering.seal)
                details += [told] if told else []
            case ToolCall():
                calls.append(encode_call(part, answering))
            case _:
                _lose(part, answering)
    value: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(texts) if texts or not (calls or refusals) else None,
        "refusal": "".join(refusals) or None,
        "annotations": annotations,
    }
    if thoughts:
        value["reasoning_content"] = "\n\n".join(thoughts)
    if details:
        value["reasoning_details"] = details
    if calls:
        value["tool_calls"] = calls
    return value, logprobs


def encode_call(part: ToolCall, answering: Answering) -> dict[str, Any]:
    call_id = part.id or answering.part_id("call_")
    if part.custom:
        return {"id": call_id, "type": "custom", "custom": {"name": part.name, "input": part.arguments}}
    arguments = part.arguments or ("" if part.truncated else "{}")
    return {"id": call_id, "type": "function", "function": {"name": part.name, "arguments": arguments}}


def _lose(part: Part, answering: Answering) -> None:
    """What the provider's own tools did is told by the text; nothing of it is the client's to run."""
    if isinstance(part, Opaque) and part.needed:
        answering.losses.add("server_tool_history", part.kind)
