"""Citations of an answer: places in its text, and the documents or results of tools that they come from.

Only a source that says where it is on the web can be pointed to in other formats.
"""

from typing import Any

from oneapi.dialects.canonical.parts import Citation
from oneapi.dialects.canonical.reading import member, objects, string

_HOLDERS = ("document", "tool_output")
_OF_TEXT = frozenset({"", "TEXT_CONTENT"})


def decode_citation(raw: dict[str, Any]) -> Citation | None:
    """None for one of a thought or a plan."""
    if string(raw.get("type")) not in _OF_TEXT:
        return None
    sources = [source.get(holder) for source in objects(raw.get("sources")) for holder in _HOLDERS]
    found = next((source for source in sources if string(member(source, "url"))), None)
    return Citation(
        url=string(member(found, "url")),
        title=string(member(found, "title")),
        start=_place(raw.get("start")),
        end=_place(raw.get("end")),
        value=raw,
    )


def _place(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
