"""Inline media: data URLs, and what bytes really are. It must not know any format's fields."""

import base64
import binascii
import re

from oneapi.dialects.canonical.parts import Base64, Link, Source

PDF = "application/pdf"
_DATA_URL = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?:;[\w.=-]+)*?;base64,", re.IGNORECASE)
_SNIFFED_CHARACTERS = 24
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF", PDF),
)


def read_url(url: str) -> Source:
    """A data URL's content, else a link."""
    found = _DATA_URL.match(url)
    if found is None:
        return Link(url)
    return Base64((found["type"] or "application/octet-stream").lower(), url[found.end() :])


def write_url(source: Base64) -> str:
    return f"data:{source.media_type};base64,{source.data}"


def sniff(source: Base64) -> str:
    """The type that the bytes have, else the one that was declared."""
    start = source.data[:_SNIFFED_CHARACTERS]
    try:
        head = base64.b64decode(start[: len(start) // 4 * 4])
    except (binascii.Error, ValueError):
        return source.media_type
    for beginning, media_type in _BEGINNINGS:
        if head.startswith(beginning):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return source.media_type


def read_text(source: Base64) -> str | None:
    """The text of inline bytes; None when they are none."""
    try:
        return base64.b64decode(source.data, validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def write_text(text: str) -> Base64:
    return Base64("text/plain", base64.b64encode(text.encode("utf-8", "surrogatepass")).decode())
