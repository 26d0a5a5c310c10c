"""Writes parts of the one model as content blocks of Messages.

Rules for parts of another format: no empty text; pictures have the type that their bytes have, and only the four types
that Anthropic takes; text documents are text; arguments are an object whatever they were; ids have the letters that
Anthropic takes. Reasoning goes on only to the upstream that it came from.
"""

from typing import Any

from oneapi.dialects.anthropic_messages.blocks import NAME, encode_source
from oneapi.dialects.canonical import media
from oneapi.dialects.canonical.arguments import as_object
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.ids import legal_id
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.parts import (
    Audio,
    Base64,
    Cache,
    Document,
    Image,
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
from oneapi.dialects.canonical.reading import RAW
from oneapi.dialects.request import refuse

PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


def repeat_block(part: Part) -> dict[str, Any]:
    """A block of this very format, as it was."""
    if RAW in part.rest:
        return dict(part.rest[RAW])
    value = _repeated(part)
    if part.cache is not None:
        value["cache_control"] = part.cache.value
    return {**value, **part.rest}


def repeat_content(parts: list[Part], shape: str) -> dict[str, Any]:
    if shape == "text" and isinstance(parts[0], Text):
        return {"content": parts[0].text}
    return {"content": [repeat_block(part) for part in parts]} if shape else {}


def _repeated(part: Part) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": part.shape or "text", "text": part.text}
        case Reasoning():
            return {"type": "thinking", "thinking": part.text}
        case ToolCall():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": as_object(part.arguments)}
        case ToolResult():
            value = {"type": "tool_result", "tool_use_id": part.call_id, **repeat_content(part.parts, part.shape)}
            return value | ({"is_error": True} if part.is_error else {})
        case Image():
            return {"type": "image", "source": encode_source(part.source)}
        case Document():
            title = {"title": part.title} if part.title else {}
            return {"type": "document", "source": encode_source(part.source), **title}
        case Opaque():
            return dict(part.value)
        case Refusal() | Audio():
            raise TypeError(type(part).__name__)


def encode_block(part: Part, sending: Sending) -> dict[str, Any] | None:
    """A block for a part of another format; None for one that says nothing. Raises GatewayError 400."""
    value = _encode(part, sending)
    if value is None:
        return None
    if not isinstance(part, Reasoning):
        sending.losses.fields(part.rest, "content", {"annotations": "annotations"})
    if part.cache is not None:
        value["cache_control"] = encode_mark(part.cache)
    return value


def encode_mark(mark: Cache) -> dict[str, str]:
    return {"type": "ephemeral"} | ({"ttl": "1h"} if mark.long else {})


def _encode(part: Part, sending: Sending) -> dict[str, Any] | None:
    match part:
        case Text() | Refusal():
            return {"type": "text", "text": part.text} if part.text.strip() else None
        case Reasoning():
            return _thinking(part, sending)
        case ToolCall():
            return encode_call(part)
        case ToolResult():
            return _result(part, sending)
        case Image():
            return _image(part, sending)
        case Document():
            return _document(part, sending)
        case Audio():
            raise unsupported("input_audio", "this model takes no sound.")
        case Opaque():
            sending.losses.opaque(part)
            return None


def encode_call(part: ToolCall) -> dict[str, Any]:
    return {"type": "tool_use", "id": legal_id(part.id), "name": part.name, "input": as_object(part.arguments)}


def _thinking(part: Reasoning, sending: Sending) -> dict[str, Any] | None:
    if not sending.seal.usable(part.state, NAME) or part.state is None:
        if part.texts or part.state is not None:
            sending.losses.add("reasoning_history")
        return None
    return state_block(part.state.value)


def state_block(value: dict[str, Any]) -> dict[str, Any] | None:
    """The block that its signature was made for."""
    if isinstance(value.get("data"), str):
        return {"type": "redacted_thinking", "data": value["data"]}
    if isinstance(value.get("signature"), str):
        return {"type": "thinking", "thinking": value.get("thinking") or "", "signature": value["signature"]}
    return None


def _result(part: ToolResult, sending: Sending) -> dict[str, Any]:
    value: dict[str, Any] = {"type": "tool_result", "tool_use_id": legal_id(part.call_id)}
    blocks = [block for block in (encode_block(inner, sending) for inner in part.parts) if block is not None]
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        value["content"] = blocks[0]["text"]
    elif blocks:
        value["content"] = blocks
    if part.is_error:
        value["is_error"] = True
    return value


def _image(part: Image, sending: Sending) -> dict[str, Any]:
    if part.detail and part.detail != "auto":
        sending.losses.add("detail")
    source = _source(part.source)
    if isinstance(source, Base64):
        kind = media.sniff(source)
        if kind == media.PDF:
            return {"type": "document", "source": encode_source(Base64(kind, source.data))}
        if kind not in PICTURES:
            raise refuse(f"Pictures of the type '{source.media_type}' are not supported by this model.")
        source = Base64(kind, source.data)
    return {"type": "image", "source": encode_source(source)}


def _document(part: Document, sending: Sending) -> dict[str, Any]:
    source = _source(part.source)
    title = {"title": part.title} if part.title else {}
    if isinstance(source, Base64):
        kind = media.sniff(source)
        text = None if kind == media.PDF else media.read_text(source)
        if kind in PICTURES:
            return {"type": "image", "source": encode_source(Base64(kind, source.data))}
        if kind != media.PDF and text is None:
            raise refuse(f"Documents of the type '{source.media_type}' are not supported by this model.")
        source = Base64(kind, source.data) if text is None else Plain(text)
    if isinstance(source, Nested):
        inner = [block for block in (encode_block(block, sending) for block in source.parts) if block is not None]
        return {"type": "document", "source": {"type": "content", "content": inner}, **title}
    return {"type": "document", "source": encode_source(source), **title}


def _source(source: Source) -> Source:
    if isinstance(source, Stored):
        raise unsupported("file_id", "a stored file is known to another provider only.")
    return source
