"""A whole answer, both ways. An answer of this same format is repeated as it came.

Source: Google's Gemini API reference, "GenerateContentResponse".
"""

from typing import Any

from oneapi.dialects.canonical.arguments import as_object
from oneapi.dialects.canonical.context import Answering
from oneapi.dialects.canonical.parts import Message, Opaque, Part, Reasoning, Refusal, Text, ToolCall
from oneapi.dialects.canonical.reading import member, objects, string
from oneapi.dialects.canonical.responses import Choice, Response, Stop, normal_stop
from oneapi.dialects.gemini_generate.grounding import Grounding, decode_citations
from oneapi.dialects.gemini_generate.logprobs import decode_logprobs, encode_logprobs
from oneapi.dialects.gemini_generate.parts import decode_parts
from oneapi.dialects.gemini_generate.signatures import NAME, write_signature
from oneapi.dialects.gemini_generate.stops import FAILED, decode_block, decode_stop, encode_stop, failure
from oneapi.dialects.gemini_generate.usage import queries, usage_of
from oneapi.dialects.gemini_generate.usage_encoder import encode_usage

TIERS = {"standard": "default", "priority": "priority", "flex": "flex"}


def decode_response(raw: dict[str, Any]) -> Response:
    """Raises GatewayError for an answer that says that it failed."""
    candidates = objects(raw.get("candidates"))
    blocked = decode_block(raw.get("promptFeedback"))
    choices = [_choice(candidate) for candidate in candidates]
    if not choices and blocked is not None:
        choices = [Choice(stop=blocked)]
    metadata = raw.get("usageMetadata")
    return Response(
        dialect=NAME,
        id=string(raw.get("responseId")),
        model=string(raw.get("modelVersion")),
        choices=choices,
        usage=usage_of(metadata, candidates),
        service_tier=TIERS.get(string(member(metadata, "serviceTier"))),
        rest=raw,
    )


def _choice(raw: dict[str, Any]) -> Choice:
    reason = raw.get("finishReason")
    if isinstance(reason, str) and reason in FAILED:
        raise failure(reason, raw.get("finishMessage"))
    parts = decode_parts(member(raw.get("content"), "parts"), None, None)
    _cite(raw, [part for part in parts if isinstance(part, Text)])
    if not any(isinstance(part, Opaque) and part.search for part in parts):
        parts[:0] = searched(raw)
    called = any(isinstance(part, ToolCall) for part in parts)
    stop = Stop() if reason is None else decode_stop(reason, raw.get("finishMessage"))
    return Choice(messages=[Message(role="assistant", parts=parts)], stop=normal_stop(stop, called=called))


def searched(candidate: dict[str, Any]) -> list[Part]:
    """The searches that a candidate's grounding names."""
    found = queries(candidate.get("groundingMetadata"))
    return [Opaque(dialect=NAME, kind="googleSearch", search=query, silent=True) for query in found]


def _cite(raw: dict[str, Any], texts: list[Text]) -> None:
    logprobs = decode_logprobs(raw.get("logprobsResult"))
    if texts and logprobs:
        texts[0].logprobs = logprobs
    for start, end, citation in decode_citations(raw, "".join(text.text for text in texts)):
        before = 0
        for text in texts:
            length = len(text.text)
            if before <= start < before + length:
                citation.start, citation.end = start - before, min(end - before, length)
                text.citations = [*text.citations, citation]
                break
            before += length


def encode_response(response: Response, answering: Answering) -> dict[str, Any]:
    """The answer; of another format's the first choice."""
    if response.dialect == NAME:
        return dict(response.rest)
    if len(response.choices) > 1:
        answering.losses.add("choices")
    choice = response.choices[0] if response.choices else Choice(stop=Stop(reason="other"))
    parts, grounding = _parts(choice.parts, answering)
    logprobs = [entry for part in choice.parts if isinstance(part, Text) for entry in part.logprobs]
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, **encode_stop(choice.stop), "index": 0}
    candidate |= grounding.metadata()
    if logprobs:
        candidate["logprobsResult"] = encode_logprobs(logprobs)
    value: dict[str, Any] = {"candidates": [candidate]}
    if response.usage is not None:
        value["usageMetadata"] = encode_usage(response.usage)
    return value | {"modelVersion": answering.model, "responseId": answering.id("")}


def _parts(parts: list[Part], answering: Answering) -> tuple[list[dict[str, Any]], Grounding]:
    out: list[dict[str, Any]] = []
    grounding = Grounding()
    signature = ""
    for part in parts:
        if isinstance(part, Reasoning):
            if signature:
                out.append({"text": "", "thoughtSignature": signature})
            if part.text and shows_thoughts(answering):
                out.append({"text": part.text, "thought": True})
            signature = write_signature(part.state, answering.seal)
            continue
        value = _part(part, grounding, answering)
        if value is not None:
            if signature:
                value["thoughtSignature"], signature = signature, ""
            out.append(value)
    if signature:
        out.append({"text": "", "thoughtSignature": signature})
    return out, grounding


def _part(part: Part, grounding: Grounding, answering: Answering) -> dict[str, Any] | None:
    match part:
        case Text() | Refusal():
            for citation in part.citations if isinstance(part, Text) else ():
                if not grounding.cite(citation, part.text):
                    answering.losses.add("annotations")
            grounding.said(part.text)
            return {"text": part.text} if part.text else None
        case ToolCall():
            return {"functionCall": call_value(part, answering)}
        case Opaque():
            if part.search is not None:
                grounding.searched(part.search)
            elif part.needed:
                answering.losses.add("server_tool_history", part.kind)
            return None
        case _:
            return None


def call_value(part: ToolCall, answering: Answering) -> dict[str, Any]:
    """A call with an id of its own; what was cut off in it can't be read as an object."""
    given = as_object(part.arguments)
    if part.truncated and "_raw" in given:
        given = {}
    return {"id": part.id or answering.part_id("call_"), "name": part.name, "args": given}


def shows_thoughts(answering: Answering) -> bool:
    """Google tells thoughts only to those who ask."""
    thinking = answering.asked.thinking
    return thinking is not None and thinking.visible is True
