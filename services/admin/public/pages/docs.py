"""The page that lists the documents for people, with a search over them.

It decides what is said before the list. It must not know what any document says.
"""

from collections.abc import Sequence

from services.admin.public.document import SLOW_S, Document
from services.admin.public.pages import layout, search
from services.admin.public.pages.html import Html, lines, tag
from services.admin.public.pages.listing import listed_by_group

SCRIPT = layout.asset("search.js")
TITLE, NOTE = "Documents", "every document of this gateway, readable and searchable"


def docs(documents: Sequence[Document]) -> Document:
    """The page."""
    return Document(
        path=layout.DOCS,
        title=TITLE,
        note=NOTE,
        representations=(layout.represented(lambda _public: _page(documents), SCRIPT),),
        max_age_s=SLOW_S,
        group=layout.GROUP,
        rel="service-doc",
    )


def _page(documents: Sequence[Document]) -> layout.Page:
    return layout.Page(
        title=TITLE,
        note=f"{NOTE[0].upper()}{NOTE[1:]}.",
        path=layout.DOCS,
        here=layout.DOCS,
        script=SCRIPT,
        main=lines(
            tag("h1", TITLE),
            tag(
                "p",
                "All of this is made from the running gateway’s configuration, in the forms that programs read. Try "
                "requests without a key in the ",
                tag("a", "playground", href=layout.PLAYGROUND),
                ".",
                class_="lead",
            ),
            _search(),
            listed_by_group(documents, "h2"),
        ),
    )


def _search() -> Html:
    """Hidden until its script runs."""
    return tag(
        "form",
        tag("label", "Search the documents", for_="query"),
        tag("input", type="search", id="query", name="query", autocomplete="off", maxlength="100"),
        tag("p", id="found", role="status"),
        tag("ul", id="results", class_="documents"),
        id="search",
        role="search",
        hidden=True,
        data_index=search.PATH,
    )
