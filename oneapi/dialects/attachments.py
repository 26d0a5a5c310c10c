"""What in a conversation is not text: pictures, sound and documents, in the shapes of every dialect.

Text is bounded by its bytes; an attachment is not. It decides how many tokens each may become at most:

- A picture or sound that is sent inline counts nothing here, as its base64 is no text: it is bounded by its number, by
  whoever prices the request. Where it is neither a message's nor a tool result's part, it counts `PICTURE_TOKENS`.
- An inline PDF counts a token for each `BYTES_PER_PDF_TOKEN` bytes of its base64, which is several times what large
  providers count for ordinary pages, and at least `DOCUMENT_TOKENS`. Any other inline document counts as text.
- Google's inline data count here: a picture `PICTURE_TOKENS`, sound and video `REFERENCED_TOKENS`, else documents.
- A document that is named by an id or a URL counts `REFERENCED_TOKENS`, since its size isn't known here.

Only parts of messages and tool results are looked at. The same shapes inside a tool's arguments or declarations are
text to a model, and count as such. It must not know prices.
"""

from collections.abc import Mapping
from typing import Any

BYTES_PER_PDF_TOKEN = 8
DOCUMENT_TOKENS = 3_000
REFERENCED_TOKENS = 50_000
PICTURE_TOKENS = 6_000

_PDF = "application/pdf"
_PDF_DATA = (f"data:{_PDF}", "JVBER")
"""How `file_data` of a PDF begins: as a data URL, or at once with its base64."""
_MEDIA = ("image/", "audio/", "video/")
_PARTS = (1, 2)
"""How deep the parts of messages and of tool results are."""
_MAX_NESTING = 4
"""Message, tool result, document, its own parts: nothing nests deeper."""


def excess_bytes(raw: Mapping[str, Any]) -> int:
    """How much longer (shorter, if negative) the body is than the most tokens that its text and documents become."""
    items = raw.get("messages")
    if not isinstance(items, list):
        items = raw.get("input")
    if not isinstance(items, list) and isinstance(raw.get("contents"), list):
        return sum(_google(content, 0) for content in raw["contents"] if isinstance(content, dict))
    return sum(_excess(item, 0) for item in items if isinstance(item, dict)) if isinstance(items, list) else 0


def _excess(part: Mapping[str, Any], depth: int) -> int:
    """The same for one message, item or part, and what is nested in it."""
    kind = part.get("type")
    excess = 0
    if isinstance(kind, str) and kind in _READERS:
        excess = _READERS[kind](part)
        if kind in _BESIDE or (kind in _PICTURES and depth not in _PARTS):
            excess -= PICTURE_TOKENS
    if depth < _MAX_NESTING:
        source = part.get("source")
        inside = (part.get("content"), part.get("output"), source.get("content") if isinstance(source, dict) else None)
        for inner in inside:
            if isinstance(inner, dict):
                excess += _excess(inner, depth + 1)
            elif isinstance(inner, list):
                excess += sum(_excess(item, depth + 1) for item in inner if isinstance(item, dict))
    return excess


def _google(holder: Mapping[str, Any], depth: int) -> int:
    """The same for a content or a function's response: both hold parts, whose names have two spellings."""
    parts = holder.get("parts")
    excess = 0
    for part in parts if isinstance(parts, list) and depth < _MAX_NESTING else ():
        if isinstance(part, dict):
            inline = _mapping(part.get("inlineData") or part.get("inline_data"))
            kind = inline.get("mimeType") or inline.get("mime_type")
            if kind == _PDF:
                excess += _document(inline.get("data"))
            elif isinstance(kind, str) and kind.startswith(_MEDIA):
                excess += _length(inline.get("data"))
                excess -= PICTURE_TOKENS if kind.startswith(_MEDIA[0]) else REFERENCED_TOKENS
            if part.get("fileData") or part.get("file_data"):
                excess -= REFERENCED_TOKENS
            response = _mapping(part.get("functionResponse") or part.get("function_response"))
            excess += _google(response, depth + 1)
    return excess


def google_media(contents: list[Any], depth: int = 0) -> tuple[int, int]:
    """Pictures that were sent inline, and sound, films and files whose size isn't known."""
    pictures = others = 0
    for content in contents:
        parts = content.get("parts") if isinstance(content, dict) else None
        for part in parts if isinstance(parts, list) and depth < _MAX_NESTING else ():
            if not isinstance(part, dict):
                continue
            inline = _mapping(part.get("inlineData") or part.get("inline_data"))
            kind = inline.get("mimeType") or inline.get("mime_type")
            if isinstance(kind, str) and kind.startswith(_MEDIA):
                picture = kind.startswith(_MEDIA[0])
                pictures, others = pictures + picture, others + (not picture)
            others += bool(part.get("fileData") or part.get("file_data"))
            response = part.get("functionResponse") or part.get("function_response")
            inside = google_media([response], depth + 1)
            pictures, others = pictures + inside[0], others + inside[1]
    return pictures, others


def _image_url(part: Mapping[str, Any]) -> int:
    """Chat: `image_url: {url}`; Responses and its screenshots: `image_url: "…"`."""
    found = part.get("image_url")
    return _data_url(found.get("url") if isinstance(found, dict) else found)


def _drawn(part: Mapping[str, Any]) -> int:
    """A picture that a model made earlier."""
    return _length(part.get("result"))


def _sound(part: Mapping[str, Any]) -> int:
    return _length(_mapping(part.get("input_audio")).get("data"))


def _anthropic_image(part: Mapping[str, Any]) -> int:
    source = _mapping(part.get("source"))
    return _length(source.get("data")) if source.get("type") == "base64" else 0


def _anthropic_document(part: Mapping[str, Any]) -> int:
    source = _mapping(part.get("source"))
    kind = source.get("type")
    if kind == "base64":
        return _document(source.get("data")) if source.get("media_type") == _PDF else 0
    return -REFERENCED_TOKENS if kind in ("url", "file") else 0


def _file(part: Mapping[str, Any]) -> int:
    """Chat has `file: {…}`, Responses the same fields in the part itself."""
    file = _mapping(part.get("file")) or part
    if file.get("file_id") or file.get("file_url"):
        return -REFERENCED_TOKENS
    data = file.get("file_data")
    return _document(data) if isinstance(data, str) and data.startswith(_PDF_DATA) else 0


_READERS = {
    "image_url": _image_url,
    "input_image": _image_url,
    "computer_screenshot": _image_url,
    "image_generation_call": _drawn,
    "input_audio": _sound,
    "image": _anthropic_image,
    "document": _anthropic_document,
    "file": _file,
    "input_file": _file,
}
_PICTURES = frozenset({"image_url", "input_image", "image"})
_BESIDE = frozenset({"computer_screenshot", "image_generation_call"})


def _document(data: Any) -> int:
    size = _length(data)
    return size - max(size // BYTES_PER_PDF_TOKEN, DOCUMENT_TOKENS)


def _data_url(url: Any) -> int:
    return _length(url) if isinstance(url, str) and url.startswith("data:") else 0


def _length(text: Any) -> int:
    return len(text) if isinstance(text, str) else 0


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
