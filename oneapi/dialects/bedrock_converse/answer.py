"""A whole answer.

Source: Amazon Bedrock's API reference, "Converse". Tools that ran at the provider are opaque, never a client's call.
"""

from typing import Any

from oneapi.dialects.bedrock_converse.reasoning import NAME, decode_reasoning
from oneapi.dialects.bedrock_converse.stops import FAILED, decode_stop, failure
from oneapi.dialects.bedrock_converse.usage import usage_of
from oneapi.dialects.canonical.arguments import as_text
from oneapi.dialects.canonical.parts import Citation, Message, Opaque, Part, Text, ToolCall
from oneapi.dialects.canonical.reading import member, objects, string
from oneapi.dialects.canonical.responses import Choice, Response, normal_stop
from oneapi.dialects.errors import GatewayError

AT_PROVIDER = "server_tool_use"
TIERS = {"default": "default", "priority": "priority", "flex": "flex"}


def decode_response(raw: dict[str, Any]) -> Response:
    """Raises GatewayError for an answer that says that it failed."""
    reason = raw.get("stopReason")
    if isinstance(reason, str) and reason in FAILED:
        raise GatewayError(502, "upstream", *failure(reason))
    message = member(raw.get("output"), "message")
    choices: list[Choice] = []
    if isinstance(message, dict):
        parts = [part for block in objects(message.get("content")) for part in _parts(block)]
        stop = decode_stop(reason, raw.get("additionalModelResponseFields"))
        stop = normal_stop(stop, called=any(isinstance(part, ToolCall) for part in parts))
        for part in parts:
            if isinstance(part, ToolCall):
                part.truncated = stop.cut
        choices = [Choice(messages=[Message(role="assistant", parts=parts)], stop=stop)]
    return Response(
        dialect=NAME,
        choices=choices,
        usage=usage_of(raw.get("usage")),
        service_tier=TIERS.get(string(member(raw.get("serviceTier"), "type"))),
    )


def _parts(block: dict[str, Any]) -> list[Part]:
    text, used = block.get("text"), block.get("toolUse")
    if isinstance(text, str):
        return [Text(text=text)] if text else []
    if isinstance(used, dict) and used.get("type") != AT_PROVIDER:
        given = used.get("input")
        arguments = as_text(given if isinstance(given, dict) else {})
        return [ToolCall(id=string(used.get("toolUseId")), name=string(used.get("name")), arguments=arguments)]
    if "reasoningContent" in block:
        found = decode_reasoning(block["reasoningContent"])
        return [found] if found is not None else []
    if "citationsContent" in block:
        cited = block["citationsContent"]
        said = "".join(string(piece.get("text")) for piece in objects(member(cited, "content")))
        citations = [decode_citation(one) for one in objects(member(cited, "citations"))]
        return [Text(text=said, citations=citations)] if said else []
    return [opaque(block)]


def opaque(block: dict[str, Any]) -> Opaque:
    """What ran at the provider nobody misses; a picture in an answer is something that was asked for."""
    kind = next(iter(block), "block")
    return Opaque(dialect=NAME, kind=kind, value=block, needed=kind not in {"toolUse", "toolResult"})


def decode_citation(raw: dict[str, Any]) -> Citation:
    """Of the whole text that it stands at; only a place on the web can be pointed to in other formats."""
    url = string(member(member(raw.get("location"), "web"), "url"))
    return Citation(url=url, title=string(raw.get("title")), value=raw)
