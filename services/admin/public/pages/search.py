"""What the search over the documents knows: titles and texts, as JSON that its page fetches when somebody searches.

It decides how much of each document can be found. It must not know what any document says.
"""

import json
import re
from collections.abc import Sequence

from services.admin.public.document import JSON, LIVE_S, Document, document
from services.admin.public.pages.listing import place_of, readable
from services.admin.public.site import Public

PATH = "/docs/search.json"
LONGEST, LONGEST_ALL = 20_000, 400_000
"""Characters of one document, of all."""
_ADDRESS = re.compile(r"\]\([^)\s]*\)")
_SIGNS = re.compile(r"[\s|#*`<>{}\[\]\"\\]+|-{3,}")


def search_index(documents: Sequence[Document]) -> Document:
    """The index of these documents."""

    def render(public: Public) -> str:
        rows, left = [], LONGEST_ALL
        for each in documents:
            if not each.group:
                continue
            form = readable(each)
            text = words(form.render(public))[:left] if form and left else ""
            left -= len(text)
            rows.append({"title": each.title, "note": each.note, "path": place_of(each), "text": text})
        return json.dumps({"revision": public.view.revision, "documents": rows}, ensure_ascii=False)

    return document(PATH, JSON, render, "Search index", "titles and texts of the documents", LIVE_S)


def words(text: str) -> str:
    """What of a document is looked through and shown as an excerpt: no markup, no addresses of links."""
    return " ".join(_SIGNS.sub(" ", _ADDRESS.sub(" ", text[:LONGEST])).split())
