"""Reads content blocks of Messages into parts of the one model.

Source: Anthropic's API reference, "Create a Message". Part names of OpenAI's formats are read as text, since agents mix
them. Blocks of tools that ran at the provider are opaque; what a block says beyond the model stays in its `rest`.
"""

from typing import Any

from oneapi.dialects.canonical.arguments import as_text
from oneapi.dialects.canonical.parts import (
    Base64,
    Cache,
    Citation,
    Document,
    Image,
    Link,
    Nested,
    Opaque,
    Part,
    Plain,
    Reasoning,
    Source,
    State,
    Stored,
    Text,
    ToolCall,
    ToolResult,
)
from oneapi.dialects.canonical.reading import RAW, Fields, all_objects, member, objects, string
from oneapi.dialects.canonical.seal import Seal

NAME = "anthropic_messages"
_TEXTS = frozenset({"text", "input_text", "output_text"})
_HARMLESS = frozenset({"tool_reference", "tool_addition", "tool_removal", "fallback", "container_upload"})


def decode_content(content: object, seal: Seal | None) -> tuple[list[Part], str]:
    """The parts, and how the content was spelled. `seal` is None for a provider's own answer."""
    if isinstance(content, str):
        return [Text(text=content)], "text"
    if isinstance(content, list):
        return [_decode(block, seal) for block in all_objects(content, "content")], "list"
    return [], ""


def _decode(raw: dict[str, Any], seal: Seal | None) -> Part:
    fields = Fields(raw)
    kind = fields.text("type") or ""
    mark = _mark(fields)
    if kind in _TEXTS and isinstance(raw.get("text"), str):
        text = Text(text=fields.text("text") or "", cache=mark, rest=fields.rest, shape="" if kind == "text" else kind)
        text.citations = [_citation(citation) for citation in objects(raw.get("citations"))] if seal is None else []
        return text
    if kind == "thinking" and isinstance(raw.get("thinking"), str):
        return _thinking(fields, seal)
    if kind == "redacted_thinking" and isinstance(raw.get("data"), str):
        data = fields.text("data") or ""
        state = State(NAME, value={"data": data})
        if seal is not None:
            state = seal.open(data) or state
        return Reasoning(state=state, shape=kind, rest={RAW: raw})
    if kind == "tool_use" and isinstance(raw.get("name"), str):
        call = ToolCall(id=fields.text("id") or "", name=fields.text("name") or "", cache=mark)
        given = fields.object("input")
        call.arguments = as_text(given or {})
        call.rest = fields.rest
        return call
    if kind == "tool_result":
        return _result(fields, mark, seal)
    source = _source(raw.get("source"), seal) if kind in {"image", "document"} else None
    if source is not None:
        return _media(kind, source, fields, mark)
    if kind == "search_result" and isinstance(raw.get("content"), list):
        texts = [string(part.get("text")) for part in objects(raw["content"])]
        told = "\n".join([string(raw.get("title")), string(raw.get("source")), *texts])
        return Text(text=told, cache=mark, shape=kind, rest={RAW: raw})
    return _opaque(kind, raw)


def _opaque(kind: str, raw: dict[str, Any]) -> Opaque:
    search: str | None = None
    if kind == "server_tool_use" and raw.get("name") == "web_search":
        search = string(member(raw.get("input"), "query"))
    theirs = kind in _HARMLESS or kind.startswith(("server_", "mcp_")) or kind.endswith("_tool_result")
    return Opaque(dialect=NAME, kind=kind or "block", value=raw, search=search, needed=not theirs)


def _thinking(fields: Fields, seal: Seal | None) -> Reasoning:
    text, signature = fields.text("thinking") or "", fields.text("signature")
    state: State | None = State(NAME, value={"thinking": text, "signature": signature}) if signature else None
    if seal is not None and signature:
        state = seal.open(signature) or state
    rest = fields.rest if signature is None else {**fields.rest, "signature": signature}
    return Reasoning(texts=[text] if text else [], state=state, shape="thinking", rest=rest)


def _result(fields: Fields, mark: Cache | None, seal: Seal | None) -> ToolResult:
    call_id = fields.text("tool_use_id") or ""
    parts, shape = decode_content(fields.rest.get("content"), seal)
    if shape:
        del fields.rest["content"]
    failed = fields.rest.get("is_error") is True
    if failed:
        del fields.rest["is_error"]
    return ToolResult(call_id=call_id, parts=parts, is_error=failed, cache=mark, shape=shape, rest=fields.rest)


def _media(kind: str, source: Source, fields: Fields, mark: Cache | None) -> Part:
    if fields.rest["source"] == encode_source(source):
        del fields.rest["source"]
    if kind == "image":
        return Image(source=source, cache=mark, rest=fields.rest)
    return Document(source=source, title=fields.text("title") or "", cache=mark, rest=fields.rest)


def _source(raw: object, seal: Seal | None) -> Source | None:
    match raw:
        case {"type": "base64", "media_type": str() as media_type, "data": str() as data}:
            return Base64(media_type, data)
        case {"type": "url", "url": str() as url}:
            return Link(url)
        case {"type": "file", "file_id": str() as file_id}:
            return Stored(file_id)
        case {"type": "text", "data": str() as text}:
            return Plain(text)
        case {"type": "content", "content": content}:
            return Nested(decode_content(content, seal)[0])
        case _:
            return None


def encode_source(source: Source) -> dict[str, Any]:
    """A source in this format's spelling, without looking at its bytes."""
    match source:
        case Base64():
            return {"type": "base64", "media_type": source.media_type, "data": source.data}
        case Link():
            return {"type": "url", "url": source.url}
        case Stored():
            return {"type": "file", "file_id": source.id}
        case Plain():
            return {"type": "text", "media_type": "text/plain", "data": source.text}
        case Nested():
            texts = [{"type": "text", "text": part.text} for part in source.parts if isinstance(part, Text)]
            return {"type": "content", "content": texts}


def _citation(raw: dict[str, Any]) -> Citation:
    """Only results of a search on the web have an address; a place in the text is not told, it is the whole block."""
    url = string(raw.get("url")) if raw.get("type") == "web_search_result_location" else ""
    return Citation(url=url, title=string(raw.get("title")), value=raw)


decode_citation = _citation


def _mark(fields: Fields) -> Cache | None:
    value = fields.object("cache_control")
    return None if value is None else Cache(long=value.get("ttl") == "1h", value=value)
