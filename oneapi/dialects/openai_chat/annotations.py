"""Citations in a chat's answers: `url_citation` alone, whose places count characters of the whole text."""

from typing import Any

from oneapi.dialects.canonical.losses import Losses
from oneapi.dialects.canonical.parts import Citation, Text
from oneapi.dialects.canonical.reading import objects, string


def decode_annotations(raw: object) -> list[Citation]:
    return [_decode(annotation) for annotation in objects(raw)]


def _decode(raw: dict[str, Any]) -> Citation:
    inner = raw.get("url_citation")
    cited = inner if isinstance(inner, dict) else raw
    return Citation(
        url=string(cited.get("url")),
        title=string(cited.get("title")),
        start=_place(cited.get("start_index")),
        end=_place(cited.get("end_index")),
        value=raw,
    )


def _place(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def encode_annotations(part: Text, offset: int, losses: Losses) -> list[dict[str, Any]]:
    """Those of one text that begins at `offset` of the whole."""
    found = [encode_annotation(citation, offset, len(part.text)) for citation in part.citations]
    if None in found:
        losses.add("annotations")
    return [annotation for annotation in found if annotation is not None]


def encode_annotation(citation: Citation, offset: int, length: int) -> dict[str, Any] | None:
    """A citation without places means the whole text that it stands at."""
    if not citation.url:
        return None
    end = citation.end or length
    cited = {"url": citation.url, "title": citation.title, "start_index": offset + citation.start}
    return {"type": "url_citation", "url_citation": {**cited, "end_index": offset + end}}
