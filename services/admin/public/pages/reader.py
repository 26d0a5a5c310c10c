"""A page that shows one document to people: Markdown as text with headings and tables, the rest as it is.

It decides how much of a long document is shown. It must not know what any document says.
"""

import json
from collections.abc import Mapping, Sequence

from services.admin.public.document import Document, Representation
from services.admin.public.pages import layout
from services.admin.public.pages.html import Html, html, lines, tag
from services.admin.public.pages.listing import READ_PREFIX, is_json, place_of, readable
from services.admin.public.pages.markdown import Text, rendered
from services.admin.public.site import Public

LONGEST = 30_000
"""Characters of a document that are shown."""
LLMS_TXT = "llms.txt"
"""Markdown by its convention, whatever its media type."""


def readers(documents: Sequence[Document]) -> tuple[Document, ...]:
    """A page for each document that has a group and can be read."""
    places = {each.path: place_of(each) for each in documents if each.group}
    return tuple(
        _reader(each, form, places) for each in documents if each.group and (form := readable(each)) is not None
    )


def _reader(document: Document, form: Representation, places: Mapping[str, str]) -> Document:
    path = READ_PREFIX + document.path

    def page(public: Public) -> layout.Page:
        return _page(public, document, form, places)

    return Document(
        path=path,
        title=document.title,
        note=document.note,
        representations=(layout.represented(page),),
        max_age_s=document.max_age_s,
    )


def _page(public: Public, document: Document, form: Representation, places: Mapping[str, str]) -> layout.Page:
    whole = form.render(public)
    shown, is_cut = cut(whole)
    if form.media_type.startswith("text/markdown") or document.path.endswith(LLMS_TXT):
        text = rendered(shown, lambda address: on_page(public, places, address))
    else:
        text = Text("", tag("pre", tag("code", _spread(shown) if is_json(form.media_type) and not is_cut else shown)))
    title = text.title or document.title
    return layout.Page(
        title=title,
        note=document.note,
        path=READ_PREFIX + document.path,
        here=layout.DOCS,
        main=lines(
            tag("h1", title),
            _about(document, form),
            text.body,
            _rest(document, len(whole) - len(shown)) if is_cut else "",
        ),
    )


def cut(text: str, longest: int = LONGEST) -> tuple[str, bool]:
    """The text up to a whole line, and whether something is missing."""
    if len(text) <= longest:
        return text, False
    return text[: text.rfind("\n", 0, longest) + 1 or longest], True


def on_page(public: Public, places: Mapping[str, str], address: str) -> str:
    """Where a link leads: within this gateway without its host, and to the page of a document where there is one."""
    base = public.site.base_url
    path = address.removeprefix(base) if address == base or address.startswith(f"{base}/") else address
    return places.get(path, path or layout.HOME)


def _spread(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def _about(document: Document, form: Representation) -> Html:
    kind = form.media_type.partition(";")[0]
    raw = tag("a", tag("code", document.path), href=document.path)
    return tag("p", html("For programs: ", raw, f", {kind}"), class_="about")


def _rest(document: Document, missing: int) -> Html:
    return tag("p", f"{missing:,} more characters: ", tag("a", document.path, href=document.path), class_="about")
