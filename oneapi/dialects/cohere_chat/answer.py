"""A whole answer.

Source: Cohere's API reference, "Chat" (v2). Citations stand beside the content, each with the place of its block.
"""

from typing import Any

from oneapi.dialects.canonical.parts import Message, Opaque, Part, Text, ToolCall
from oneapi.dialects.canonical.reading import member, objects, string
from oneapi.dialects.canonical.responses import Choice, Response, normal_stop
from oneapi.dialects.cohere_chat.citations import decode_citation
from oneapi.dialects.cohere_chat.stops import decode_stop, failure
from oneapi.dialects.cohere_chat.thoughts import NAME, PLAN, THINKING, thought
from oneapi.dialects.cohere_chat.usage import usage_of
from oneapi.dialects.errors import GatewayError


def decode_response(raw: dict[str, Any]) -> Response:
    """Raises GatewayError for an answer that says that it failed."""
    message = raw.get("message")
    failed = failure(raw.get("finish_reason"), message if isinstance(message, str) else raw.get("error"))
    if failed is not None:
        raise GatewayError(502, "upstream", *failed)
    choices: list[Choice] = []
    if isinstance(message, dict):
        parts = _parts(message)
        stop = normal_stop(
            decode_stop(raw.get("finish_reason")), called=any(isinstance(part, ToolCall) for part in parts)
        )
        for part in parts:
            if isinstance(part, ToolCall):
                part.truncated = stop.cut
        choices = [Choice(messages=[Message(role="assistant", parts=parts)], stop=stop)]
    return Response(dialect=NAME, id=string(raw.get("id")), choices=choices, usage=usage_of(raw.get("usage")))


def _parts(message: dict[str, Any]) -> list[Part]:
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    parts: list[Part] = []
    texts: dict[int, Text] = {}
    for index, block in enumerate(objects(content)):
        text, thinking = block.get("text"), block.get("thinking")
        if isinstance(thinking, str):
            parts += [thought(THINKING, thinking)] if thinking else []
        elif isinstance(text, str):
            texts[index] = Text(text=text)
            parts += [texts[index]] if text else []
        else:
            parts.append(Opaque(dialect=NAME, kind=string(block.get("type")) or "block", value=block, needed=True))
    _cite(message.get("citations"), texts)
    plan = string(message.get("tool_plan"))
    parts += [thought(PLAN, plan)] if plan else []
    return parts + [_call(call) for call in objects(message.get("tool_calls"))]


def _cite(raw: object, texts: dict[int, Text]) -> None:
    for one in objects(raw):
        citation = decode_citation(one)
        index = one.get("content_index")
        text = texts.get(index) if type(index) is int else next(iter(texts.values()), None)
        if citation is not None and text is not None:
            text.citations = [*text.citations, citation]


def _call(raw: dict[str, Any]) -> ToolCall:
    function = raw.get("function")
    return ToolCall(
        id=string(raw.get("id")),
        name=string(member(function, "name")),
        arguments=string(member(function, "arguments")),
    )
