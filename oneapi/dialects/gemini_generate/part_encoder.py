"""Writes parts of another format's messages as parts of a content.

Rules: no empty text; pictures have the type that their bytes have; text documents are text; a result is an object, with
what the tool said under `output` or `error`. Media in results stand inside them where the model takes that, else behind
all of them. A signature goes back to the kind of part that it came with, and only to the upstream that made it.
"""

from typing import Any
from urllib.parse import urlsplit

from oneapi.dialects.canonical import media
from oneapi.dialects.canonical.arguments import as_object
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.parts import (
    Audio,
    Base64,
    Document,
    Image,
    Link,
    Nested,
    Opaque,
    Part,
    Plain,
    Reasoning,
    Refusal,
    Source,
    Stored,
    Text,
    ToolCall,
    ToolResult,
)
from oneapi.dialects.gemini_generate.parts import ERROR, OUTPUT, TYPES
from oneapi.dialects.gemini_generate.signatures import NAME, ON_CALL, ON_TEXT, UNSIGNED, own_signature
from oneapi.dialects.request import refuse

_KNOWN = {"annotations": "annotations", "citations": "citations", "context": "document_context"}
_SIGNATURE = "thoughtSignature"


def encode_model(parts: list[Part], sending: Sending) -> list[dict[str, Any]]:
    """A turn of the model's.

    The first call of a turn must be signed for models that are told an effort (Gemini 3 and later); where its signature
    is gone, or never was, it says so.
    """
    out: list[dict[str, Any]] = []
    held: dict[str, list[str]] = {}
    called = False
    for part in parts:
        if isinstance(part, Reasoning):
            _hold(part, held, sending)
        elif isinstance(part, ToolCall):
            sending.losses.fields(part.rest, "tool_call", {"cache_control": "cache_control"})
            value: dict[str, Any] = {"functionCall": _call(part)}
            signatures = held.get(ON_CALL)
            if signatures:
                value[_SIGNATURE] = signatures.pop(0)
            elif not called and sending.profile.thinking == "effort":
                value[_SIGNATURE] = UNSIGNED
            called = True
            out.append(value)
        else:
            encoded = encode_part(part, sending)
            if encoded and "text" in encoded[0] and held.get(ON_TEXT):
                encoded[0][_SIGNATURE] = held[ON_TEXT].pop(0)
            out += encoded
    if held.pop(ON_CALL, []):
        sending.losses.add("reasoning_history")
    return out + [{"text": "", _SIGNATURE: left} for signatures in held.values() for left in signatures]


def _hold(part: Reasoning, held: dict[str, list[str]], sending: Sending) -> None:
    own = own_signature(part.state) if sending.seal.usable(part.state, NAME) else None
    if own is not None:
        held.setdefault(own[1], []).append(own[0])
    elif part.texts or part.state is not None:
        sending.losses.add("reasoning_history")


def encode_user(parts: list[Part], names: dict[str, str], sending: Sending) -> list[list[dict[str, Any]]]:
    """A turn of the user's: the results of tools, and what else there is, each as a content of its own.

    `names` are the calls' by their ids, in the order of the calls.
    """
    places = {call_id: place for place, call_id in enumerate(names)}
    found = [part for part in parts if isinstance(part, ToolResult)]
    found.sort(key=lambda part: places.get(part.call_id, len(places)))
    attached: list[dict[str, Any]] = []
    results = [_result(part, names, attached, sending) for part in found]
    others = attached
    for part in parts:
        if not isinstance(part, ToolResult):
            others += encode_part(part, sending)
    return [content for content in (results, others) if content]


def _call(part: ToolCall) -> dict[str, Any]:
    call = {"name": part.name, "args": as_object(part.arguments)}
    return {"id": part.id, **call} if part.id else call


def _result(
    part: ToolResult, names: dict[str, str], attached: list[dict[str, Any]], sending: Sending
) -> dict[str, Any]:
    sending.losses.fields(part.rest, "tool_result")
    if part.cache is not None:
        sending.losses.add("cache_control")
    inside: list[dict[str, Any]] = []
    texts: list[str] = []
    for inner in part.parts:
        for value in encode_part(inner, sending):
            if "text" in value:
                texts.append(value["text"])
            else:
                inside.append(value)
    value = {"id": part.call_id, "name": names.get(part.call_id, "")}
    value |= {"response": {ERROR if part.is_error else OUTPUT: "\n".join(texts)}}
    if not sending.profile.images_in_results:
        attached += inside
    elif inside:
        value["parts"] = inside
    return {"functionResponse": value}


def encode_part(part: Part, sending: Sending) -> list[dict[str, Any]]:
    """Raises GatewayError 400."""
    value = _encode(part, sending)
    if value:
        sending.losses.fields(part.rest, "content", _KNOWN)
        if part.cache is not None:
            sending.losses.add("cache_control")
        if isinstance(part, Text) and part.citations:
            sending.losses.add("annotations")
    return value


def _encode(part: Part, sending: Sending) -> list[dict[str, Any]]:
    match part:
        case Text() | Refusal():
            return [{"text": part.text}] if part.text else []
        case Image():
            if part.detail and part.detail != "auto":
                sending.losses.add("detail")
            source = _known(part.source)
            return [_linked(source) if isinstance(source, Link) else _inline(source)]
        case Audio():
            kind = part.format.lower()
            return [{"inlineData": {"mimeType": f"audio/{kind or 'wav'}", "data": part.data}}]
        case Document():
            return _document(part, sending)
        case Opaque():
            sending.losses.opaque(part)
            return []
        case _:
            raise unsupported(type(part).__name__.lower(), "it has no place in a content.")


def _document(part: Document, sending: Sending) -> list[dict[str, Any]]:
    if part.title:
        sending.losses.add("document_context")
    source = _known(part.source)
    match source:
        case Link():
            return [_linked(source)]
        case Plain():
            return [_inline(media.write_text(source.text))]
        case Nested():
            sending.losses.add("document_parts")
            return [value for inner in source.parts for value in encode_part(inner, sending)]
        case Base64():
            kind = media.sniff(source)
            if kind == media.PDF or kind.startswith(("image/", "text/")):
                return [_inline(source)]
            text = media.read_text(source)
            if text is None:
                raise refuse(f"Documents of the type '{source.media_type}' are not supported by this model.")
            return [_inline(media.write_text(text))]
        case Stored():
            raise TypeError("Stored")


def _inline(source: Source) -> dict[str, Any]:
    if not isinstance(source, Base64):
        raise unsupported("image", "a picture is bytes or a link.")
    return {"inlineData": {"mimeType": media.sniff(source), "data": source.data}}


def _linked(source: Link) -> dict[str, Any]:
    try:
        ending = urlsplit(source.url).path.rpartition(".")[2].lower()
    except ValueError:
        ending = ""
    kind = {"mimeType": TYPES[ending]} if ending in TYPES else {}
    return {"fileData": {"fileUri": source.url, **kind}}


def _known(source: Source) -> Source:
    if isinstance(source, Stored):
        raise unsupported("file_id", "a stored file is known to another provider only.")
    return source
