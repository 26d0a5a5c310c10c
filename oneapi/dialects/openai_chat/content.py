"""The parts of a chat message's content, both ways.

Source: OpenAI's API reference, "Create chat completion". Beyond it the blocks of Messages and the part names of
Responses are read, since agents mix them into a chat's history. What a part says beyond the model stays in its `rest`.
"""

from collections.abc import Sequence
from typing import Any

from oneapi.dialects.canonical import media
from oneapi.dialects.canonical.arguments import as_text
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.parts import (
    Audio,
    Base64,
    Cache,
    Document,
    Image,
    Link,
    Nested,
    Opaque,
    Part,
    Plain,
    Reasoning,
    Refusal,
    State,
    Stored,
    Text,
    ToolCall,
    ToolResult,
)
from oneapi.dialects.canonical.reading import RAW, Fields, member, objects, string
from oneapi.dialects.request import refuse

NAME = "openai_chat"
FOREIGN = "foreign"
"""The shape of a block of another format, which is kept as it was."""
_UNTYPED = "untyped"
_MARK = "prompt_cache_breakpoint"
_LONG = frozenset({"30m", "12h", "1h"})
_TEXTS = frozenset({"text", "input_text", "output_text"})


def decode_content(content: Sequence[Any]) -> list[Part]:
    """Parts of a list; a bare text is one too. Raises GatewayError 400 for what is neither."""
    found: list[Part] = []
    for part in content:
        if isinstance(part, dict):
            found.append(_decode(part))
        elif isinstance(part, str):
            found.append(Text(text=part, shape=FOREIGN, rest={RAW: part}))
        else:
            raise refuse("'content' must be a text or a list of parts.", "messages")
    return found


def _decode(raw: dict[str, Any]) -> Part:
    fields = Fields(raw)
    kind = fields.text("type") or ("text" if "type" not in raw else "")
    mark = _mark(fields)
    if kind in _TEXTS and isinstance(raw.get("text"), str):
        spelled = "" if raw.get("type") == "text" else string(raw.get("type")) or _UNTYPED
        return Text(text=fields.text("text") or "", cache=mark, shape=spelled, rest=fields.rest)
    if kind == "refusal" and isinstance(raw.get("refusal"), str):
        return Refusal(text=fields.text("refusal") or "", rest=fields.rest)
    if kind == "image_url":
        image = raw.get("image_url")
        url = image if isinstance(image, str) else member(image, "url")
        if isinstance(url, str):
            return _linked(url, string(member(image, "detail")), mark, fields)
    if kind == "input_audio" and isinstance(member(raw.get("input_audio"), "data"), str):
        audio = fields.rest["input_audio"]
        if set(audio) == {"data", "format"}:
            del fields.rest["input_audio"]
        return Audio(data=audio["data"], format=string(audio.get("format")), cache=mark, rest=fields.rest)
    if kind == "document_url" and isinstance(raw.get(kind), str):
        document = Document(source=media.read_url(raw[kind]), title=string(raw.get("document_name")))
        document.shape, document.rest = FOREIGN, {RAW: raw}
        return document
    if kind == "file" and isinstance(raw.get("file"), dict):
        return _file(fields, mark)
    foreign = _foreign(kind, raw)
    if foreign is None:
        return Opaque(dialect=NAME, kind=kind or "content", value=raw, needed=True)
    foreign.shape, foreign.rest = FOREIGN, {RAW: raw}
    return foreign


def _linked(url: str, detail: str, mark: Cache | None, fields: Fields) -> Part:
    source = media.read_url(url)
    part: Part
    if isinstance(source, Base64) and source.media_type == media.PDF:
        part = Document(source=source, cache=mark, shape="image_url", rest=fields.rest)
    else:
        part = Image(source=source, detail=detail, cache=mark, rest=fields.rest)
    expected = {"url": _url(source)} | ({"detail": detail} if detail else {})
    if fields.rest["image_url"] == expected:
        del fields.rest["image_url"]
    return part


def _file(fields: Fields, mark: Cache | None) -> Part:
    file = fields.rest["file"]
    data, file_id = file.get("file_data"), file.get("file_id")
    source = media.read_url(data) if isinstance(data, str) else Stored(string(file_id))
    if isinstance(source, Link):
        # Base64 without its type: documents are PDFs, unless their name says otherwise.
        source = Base64(media.PDF, string(data))
    title = string(file.get("filename"))
    if file == _file_value(source, title):
        del fields.rest["file"]
    return Document(source=source, title=title, cache=mark, rest=fields.rest)


def _file_value(source: Any, title: str) -> dict[str, Any]:
    value = {"file_id": source.id} if isinstance(source, Stored) else {"file_data": _url(source)}
    return value | ({"filename": title} if title else {})


def _foreign(kind: str, raw: dict[str, Any]) -> Part | None:
    """Blocks of Messages inside a chat."""
    if kind == "tool_use":
        return ToolCall(id=string(raw.get("id")), name=string(raw.get("name")), arguments=as_text(raw.get("input", {})))
    if kind == "tool_result":
        content = raw.get("content")
        parts: list[Part] = decode_content(content) if isinstance(content, list) else [Text(text=string(content))]
        return ToolResult(call_id=string(raw.get("tool_use_id")), parts=parts, is_error=raw.get("is_error") is True)
    if kind == "thinking":
        thought = raw.get("thinking")
        if isinstance(thought, list):  # Mistral's
            return Reasoning(texts=["".join(string(item.get("text")) for item in objects(thought))], state=State(NAME))
        state = State("anthropic_messages", value={"thinking": thought, "signature": raw.get("signature")})
        return Reasoning(texts=[string(thought)], state=state)
    if kind == "redacted_thinking":
        return Reasoning(state=State("anthropic_messages", value={"data": string(raw.get("data"))}))
    source = raw.get("source")
    if kind in {"image", "document"} and isinstance(source, dict):
        given = _source(source)
        return Image(source=given) if kind == "image" else Document(source=given, title=string(raw.get("title")))
    return None


def _source(source: dict[str, Any]) -> Base64 | Link | Plain:
    if source.get("type") == "url":
        return Link(string(source.get("url")))
    if source.get("type") == "text":
        return Plain(string(source.get("data")))
    return Base64(string(source.get("media_type")), string(source.get("data")))


def _mark(fields: Fields) -> Cache | None:
    for name in (_MARK, "cache_control"):
        value = fields.rest.get(name)
        if isinstance(value, dict):
            if name == _MARK:
                del fields.rest[name]
                return Cache(long=string(value.get("ttl")) in _LONG, value=value)
            return Cache(long=string(value.get("ttl")) in _LONG)
    return None


def encode_part(part: Part, sending: Sending | None) -> dict[str, Any] | None:
    """One part of a content list; None for what has no place in one. `sending` is None inside this same format.

    Raises GatewayError 400 for what this format can't say at all.
    """
    if sending is None and part.shape == FOREIGN:
        raw: dict[str, Any] = part.rest[RAW]
        return raw
    value = _encode(part, sending)
    if value is None:
        return None
    if sending is None:
        if part.cache is not None and part.cache.value is not None:
            value[_MARK] = part.cache.value
        return {**value, **part.rest}
    if part.cache is not None:
        if sending.profile.cache_marks:
            value[_MARK] = {"mode": "explicit"} | ({"ttl": "30m"} if part.cache.long else {})
        else:
            sending.losses.add("cache_control")
    return value


def _encode(part: Part, sending: Sending | None) -> dict[str, Any] | None:
    match part:
        case Text() if sending is None and part.shape:
            return ({} if part.shape == _UNTYPED else {"type": part.shape}) | {"text": part.text}
        case Text():
            return {"type": "text", "text": part.text}
        case Refusal():
            return {"type": "refusal", "refusal": part.text}
        case Image():
            if isinstance(part.source, Stored):
                raise unsupported("image", "a stored file is known to another provider only.")
            return {"type": "image_url", "image_url": {"url": _url(part.source)} | _detail(part)}
        case Document():
            return _document(part, sending)
        case Audio():
            return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
        case Opaque() if sending is None:
            return dict(part.value)
        case _:
            return None


def _document(part: Document, sending: Sending | None) -> dict[str, Any]:
    source = part.source
    if part.shape == "image_url" and sending is None:
        return {"type": "image_url", "image_url": {"url": _url(source)}}
    if isinstance(source, Stored) and sending is not None:
        raise unsupported("document", "a stored file is known to another provider only.")
    if isinstance(source, Link):
        raise unsupported("document", "this upstream doesn't fetch documents.")
    textual = isinstance(source, Plain | Nested) or (
        isinstance(source, Base64) and source.media_type.startswith("text/")
    )
    if textual and sending is not None:
        return {"type": "text", "text": _as_text(part, source, sending)}
    return {"type": "file", "file": _file_value(source, part.title or ("" if sending is None else "document.pdf"))}


def _as_text(part: Document, source: Any, sending: Sending) -> str:
    if isinstance(source, Nested):
        sending.losses.add("document_parts")
        text = "\n\n".join(inner.text for inner in source.parts if isinstance(inner, Text))
    elif isinstance(source, Plain):
        text = source.text
    else:
        text = media.read_text(source) or ""
    return f"{part.title}\n\n{text}" if part.title else text


def _detail(part: Image) -> dict[str, str]:
    return {"detail": part.detail} if part.detail else {}


def _url(source: Any) -> str:
    return media.write_url(source) if isinstance(source, Base64) else string(getattr(source, "url", ""))
