"""The documents in their groups, as lists of links.

It decides which can be read on a page of their own. It must not know what any of them says.
"""

from collections.abc import Sequence
from itertools import groupby

from services.admin.public.document import Document, Representation
from services.admin.public.pages.html import Html, html, lines, tag

READ_PREFIX = "/docs/read"
_TEXTS = ("text/markdown", "text/plain", "application/xml")


def grouped(documents: Sequence[Document]) -> list[tuple[str, list[Document]]]:
    """Groups in the order in which they first come; documents without one are left out."""
    order: dict[str, int] = {}
    for each in documents:
        if each.group:
            order.setdefault(each.group, len(order))
    listed = sorted((each for each in documents if each.group), key=lambda each: order[each.group])
    return [(group, list(found)) for group, found in groupby(listed, key=lambda each: each.group)]


def readable(document: Document) -> Representation | None:
    """The form of a document that a page can show as text."""
    found = (form for form in document.representations if _essence(form.media_type).startswith(_TEXTS))
    return next(found, None) or (document.representations[0] if is_json(document.media_type) else None)


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON, or something made of it."""
    return _essence(media_type).endswith(("/json", "+json"))


def place_of(document: Document) -> str:
    """Where people read it: a page of ours, or the document itself."""
    return READ_PREFIX + document.path if readable(document) else document.path


def listed_by_group(documents: Sequence[Document], heading: str) -> Html:
    """A heading for each group, and its documents below."""
    return lines(
        *(
            html(tag(heading, group), "\n", tag("ul", lines(*map(_item, found)), class_="documents"))
            for group, found in grouped(documents)
        )
    )


def _item(document: Document) -> Html:
    raw = tag("a", tag("code", document.path), href=document.path)
    name = tag("a", document.title, href=place_of(document))
    return tag("li", name, f": {document.note} " if document.note else " ", tag("small", raw))


def _essence(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()
