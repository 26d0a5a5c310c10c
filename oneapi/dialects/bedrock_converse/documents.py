"""Documents and pictures as bytes: Bedrock fetches nothing from the web.

It decides a document's format, and its name: letters that Bedrock allows, and different ones for different documents.
"""

import re
from typing import Any

from oneapi.dialects.canonical import media
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.parts import Audio, Base64, Link, Source, Stored
from oneapi.dialects.request import refuse

PICTURES = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_OFFICE = "application/vnd.openxmlformats-officedocument."
_FORMATS = {
    media.PDF: "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    f"{_OFFICE}wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    f"{_OFFICE}spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/markdown": "md",
    "text/plain": "txt",
}
_SOUNDS = frozenset({"mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "m4a", "mpeg", "mpga", "pcm", "webm"})
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9()\[\]-]+")
_MAX_NAME = 150


class DocumentNames:
    """The names of one request's documents."""

    __slots__ = ("_given",)

    def __init__(self) -> None:
        self._given: set[str] = set()

    def name(self, title: str) -> str:
        """A name that no document of the request has yet."""
        plain = _NOT_IN_NAMES.sub(" ", title).strip()[:_MAX_NAME].strip() or "Document"
        found, number = plain, 1
        while found in self._given:
            number += 1
            found = f"{plain} ({number})"
        self._given.add(found)
        return found


def picture(source: Source) -> dict[str, Any]:
    """Raises GatewayError 400 for what is no picture that Bedrock takes."""
    inline = _inline(source)
    kind = PICTURES.get(media.sniff(inline))
    if kind is None:
        raise refuse(f"Pictures of the type '{inline.media_type}' are not supported by this model.")
    return {"image": {"format": kind, "source": {"bytes": inline.data}}}


def document(source: Base64, title: str, names: DocumentNames) -> dict[str, Any]:
    """A document, or the picture that its bytes are. Raises GatewayError 400."""
    kind = media.sniff(source)
    if kind in PICTURES:
        return picture(source)
    form = _FORMATS.get(kind)
    if form is None:
        if media.read_text(source) is None:
            raise refuse(f"Documents of the type '{source.media_type}' are not supported by this model.")
        form = "txt"
    return {"document": {"format": form, "name": names.name(title), "source": {"bytes": source.data}}}


def sound(part: Audio) -> dict[str, Any]:
    """Raises GatewayError 400."""
    form = part.format.lower() or "wav"
    if form not in _SOUNDS:
        raise unsupported("input_audio", f"sound of the format '{form}' isn't taken here.")
    return {"audio": {"format": form, "source": {"bytes": part.data}}}


def _inline(source: Source) -> Base64:
    match source:
        case Base64():
            return source
        case Link():
            raise unsupported("image_url", "this model takes pictures as bytes only.")
        case Stored():
            raise unsupported("file_id", "a stored file is known to another provider only.")
        case _:
            raise unsupported("image", "a picture is bytes.")
