"""What a grounded answer cites, both ways. Google counts places in bytes of UTF-8, the one model in characters."""

from typing import Any, NamedTuple

from oneapi.dialects.canonical.parts import Citation
from oneapi.dialects.canonical.reading import member, objects, string
from oneapi.dialects.usage import count


class Cited(NamedTuple):
    """A citation and its place in the whole text, in characters."""

    start: int
    end: int
    citation: Citation


def decode_citations(candidate: dict[str, Any], text: str) -> list[Cited]:
    """What a candidate cites for the text that it has said so far."""
    raw = text.encode("utf-8", "surrogatepass")
    grounding = candidate.get("groundingMetadata")
    chunks = objects(member(grounding, "groundingChunks"))
    found: list[Cited] = []
    for support in objects(member(grounding, "groundingSupports")):
        start, end = _segment(support.get("segment"), text, raw)
        indices = support.get("groundingChunkIndices")
        for index in indices if isinstance(indices, list) else ():
            if isinstance(index, int) and 0 <= index < len(chunks):
                web = next((chunks[index][kind] for kind in ("web", "maps") if kind in chunks[index]), None)
                url, title = string(member(web, "uri")), string(member(web, "title"))
                found.append(Cited(start, end, Citation(url=url, title=title, value=support)))
    for cited in objects(member(candidate.get("citationMetadata"), "citations")):
        start, end = _characters(raw, count(cited, "startIndex")), _characters(raw, count(cited, "endIndex"))
        url, title = string(cited.get("uri")), string(cited.get("title"))
        found.append(Cited(start, end, Citation(url=url, title=title, value=cited)))
    return found


def _segment(raw: object, text: str, encoded: bytes) -> tuple[int, int]:
    segment = raw if isinstance(raw, dict) else {}
    said = string(segment.get("text"))
    start, end = count(segment, "startIndex"), count(segment, "endIndex")
    first, last = _characters(encoded, start), _characters(encoded, end)
    if said and text[first:last] != said and (place := text.find(said)) >= 0:
        return place, place + len(said)  # Counted from another part than the first.
    return first, last


def _characters(raw: bytes, place: int) -> int:
    return len(raw[:place].decode("utf-8", "ignore"))


class Grounding:
    """Collects what an answer of another format cites and searched."""

    __slots__ = ("_chunks", "_queries", "_said", "_supports")

    def __init__(self) -> None:
        self._chunks: dict[str, dict[str, Any]] = {}
        self._queries: list[str] = []
        self._supports: list[dict[str, Any]] = []
        self._said = 0

    def searched(self, query: str) -> None:
        self._queries += [query] if query else []

    def said(self, text: str) -> None:
        """A part's text is over: the next one begins behind it."""
        self._said += _bytes(text)

    def cite(self, citation: Citation, text: str) -> bool:
        """A citation in the part that has this text; False when it points to nothing that others know."""
        if not citation.url:
            return False
        end = citation.end or len(text)
        place = list(self._chunks).index(citation.url) if citation.url in self._chunks else len(self._chunks)
        self._chunks.setdefault(citation.url, {"web": {"uri": citation.url, "title": citation.title}})
        segment = {
            "startIndex": self._said + _bytes(text[: citation.start]),
            "endIndex": self._said + _bytes(text[:end]),
            "text": text[citation.start : end],
        }
        self._supports.append({"segment": segment, "groundingChunkIndices": [place]})
        return True

    def metadata(self) -> dict[str, Any]:
        """`groundingMetadata`, or nothing."""
        value: dict[str, Any] = {}
        if self._queries:
            value["webSearchQueries"] = self._queries
        if self._chunks:
            value |= {"groundingChunks": list(self._chunks.values()), "groundingSupports": self._supports}
        return {"groundingMetadata": value} if value else {}


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
