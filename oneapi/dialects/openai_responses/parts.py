"""The parts of an item's content, both ways.

Source: OpenAI's API reference, "Create a model response". The user's texts are `input_text`, the assistant's
`output_text`; either is read in both places. What a part says beyond the model stays in its `rest`.
"""

from typing import Any

from oneapi.dialects.canonical import media
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.parts import (
    Audio,
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
    Refusal,
    Source,
    Stored,
    Text,
)
from oneapi.dialects.canonical.reading import RAW, Fields, all_objects, member, objects, string

NAME = "openai_responses"
_TEXTS = frozenset({"input_text", "output_text", "text"})
_MARK = "prompt_cache_breakpoint"
_LONG = frozenset({"30m", "12h"})
_NO_NAME = "document.pdf"
_USUAL_DETAIL = "auto"


def decode_content(content: object) -> tuple[list[Part], str]:
    """The parts, and how the content was spelled."""
    if isinstance(content, str):
        return [Text(text=content)], "text"
    if isinstance(content, list):
        return [_decode(part) for part in all_objects(content, "content")], "list"
    return [], ""


def _decode(raw: dict[str, Any]) -> Part:
    fields = Fields(raw)
    kind = fields.text("type") or ""
    value = fields.object(_MARK)
    mark = None if value is None else Cache(long=string(value.get("ttl")) in _LONG, value=value)
    if kind in _TEXTS and isinstance(raw.get("text"), str):
        text = Text(text=fields.text("text") or "", cache=mark, shape=kind)
        text.citations = [_citation(annotation) for annotation in objects(raw.get("annotations"))]
        text.logprobs = objects(raw.get("logprobs"))
        text.rest = fields.rest
        return text
    if kind == "refusal" and isinstance(raw.get("refusal"), str):
        return Refusal(text=fields.text("refusal") or "", rest=fields.rest)
    part: Part | None = None
    if kind == "input_image":
        part = _image(raw, mark)
    elif kind == "input_file":
        part = _file(raw, mark)
    elif kind == "input_audio" and isinstance(member(raw.get("input_audio"), "data"), str):
        audio = raw["input_audio"]
        part = Audio(data=audio["data"], format=string(audio.get("format")))
    if part is None:
        return Opaque(dialect=NAME, kind=kind or "content", value=raw, needed=True)
    part.rest = {RAW: raw}
    return part


def _image(raw: dict[str, Any], mark: Cache | None) -> Part | None:
    url, file_id, detail = raw.get("image_url"), raw.get("file_id"), string(raw.get("detail"))
    detail = "" if detail == _USUAL_DETAIL else detail
    if isinstance(url, str):
        return Image(source=media.read_url(url), detail=detail, cache=mark)
    return Image(source=Stored(file_id), detail=detail, cache=mark) if isinstance(file_id, str) else None


def _file(raw: dict[str, Any], mark: Cache | None) -> Part | None:
    data, url, file_id = raw.get("file_data"), raw.get("file_url"), raw.get("file_id")
    source: Source | None = None
    if isinstance(data, str):
        source = media.read_url(data)
        # Base64 without its type: documents are PDFs.
        source = Base64(media.PDF, data) if isinstance(source, Link) else source
    elif isinstance(url, str):
        source = Link(url)
    elif isinstance(file_id, str):
        source = Stored(file_id)
    return None if source is None else Document(source=source, title=string(raw.get("filename")), cache=mark)


def _citation(raw: dict[str, Any]) -> Citation:
    start, end = raw.get("start_index"), raw.get("end_index")
    return Citation(
        url=string(raw.get("url")) if raw.get("type") == "url_citation" else "",
        title=string(raw.get("title")),
        start=start if isinstance(start, int) else 0,
        end=end if isinstance(end, int) else 0,
        value=raw,
    )


decode_citation = _citation


def repeat_content(parts: list[Part], shape: str) -> Any:
    """A content of this very format, as it was."""
    if shape == "text" and isinstance(parts[0], Text):
        return parts[0].text
    return [_repeat(part) for part in parts]


def _repeat(part: Part) -> dict[str, Any]:
    if RAW in part.rest:
        return dict(part.rest[RAW])
    mark = {} if part.cache is None else {_MARK: part.cache.value}
    match part:
        case Text():
            return {"type": part.shape, "text": part.text, **mark, **part.rest}
        case Refusal():
            return {"type": "refusal", "refusal": part.text, **mark, **part.rest}
        case Opaque():
            return dict(part.value)
        case _:
            raise TypeError(type(part).__name__)


def encode_part(part: Part, sending: Sending, *, output: bool) -> dict[str, Any] | None:
    """A part of another format; `output` in an assistant's message. None for what says nothing here.

    Raises GatewayError 400 for what this format can't say.
    """
    value = _encode(part, sending, output=output)
    if value is None:
        return None
    sending.losses.fields(
        part.rest,
        "content",
        {"citations": "citations", "context": "document_context", "annotations": "annotations"},
    )
    if part.cache is not None:
        if sending.profile.cache_marks:
            value[_MARK] = {"mode": "explicit"} | ({"ttl": "30m"} if part.cache.long else {})
        else:
            sending.losses.add("cache_control")
    return value


def _encode(part: Part, sending: Sending, *, output: bool) -> dict[str, Any] | None:
    match part:
        case Text() if output:
            return {"type": "output_text", "text": part.text, "annotations": []} if part.text else None
        case Text():
            return {"type": "input_text", "text": part.text} if part.text else None
        case Refusal():
            return {"type": "refusal", "refusal": part.text}
        case Image():
            return {"type": "input_image", "image_url": _url(part.source), "detail": part.detail or _USUAL_DETAIL}
        case Document():
            return _document(part, sending)
        case Audio():
            return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
        case Opaque():
            sending.losses.opaque(part)
            return None
        case _:
            return None


def _document(part: Document, sending: Sending) -> dict[str, Any]:
    source = part.source
    title = {"filename": part.title} if part.title else {}
    if isinstance(source, Link):
        return {"type": "input_file", "file_url": source.url}
    if isinstance(source, Base64) and not source.media_type.startswith("text/"):
        return {"type": "input_file", "file_data": media.write_url(source), "filename": part.title or _NO_NAME}
    if isinstance(source, Nested):
        sending.losses.add("document_parts")
        text = "\n\n".join(inner.text for inner in source.parts if isinstance(inner, Text))
    elif isinstance(source, Plain):
        text = source.text
    elif isinstance(source, Base64):
        text = media.read_text(source) or ""
    else:
        raise unsupported("document", "a stored file is known to another provider only.")
    return {"type": "input_text", "text": f"{part.title}\n\n{text}" if title else text}


def _url(source: Source) -> str:
    match source:
        case Base64():
            return media.write_url(source)
        case Link():
            return source.url
        case _:
            raise unsupported("image", "a stored file is known to another provider only.")
