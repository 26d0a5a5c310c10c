"""Pieces of Markdown that documents are made of.

It decides how a link and a table look, and that no text of others can break a table. It must not know any document.
"""

from collections.abc import Iterable, Sequence

from services.admin.public.routes import Auth, Route
from services.admin.public.site import Listed, Site
from services.admin.public.text import cell, link_text

_AUTH = {Auth.NONE: "no key", Auth.RELAY_KEY: "relay key", Auth.MANAGEMENT: "management token"}
LONGEST_NAME = 300
"""More than any model or channel may have: a name that is cut is another name."""


def link(site: Site, path: str, title: str) -> str:
    """`[title](address)`."""
    return f"[{link_text(title)}]({site.url(path)})"


def address(site: Site, path: str = "") -> str:
    """The address itself, which a reader takes for a link, and only it."""
    return f"<{site.url(path)}>"


def item(site: Site, path: str, title: str, note: str) -> str:
    """A line of a list, as llms.txt has them."""
    return f"- {link(site, path, title)}: {note}"


def of_document(site: Site, document: Listed) -> str:
    """The line of a document."""
    return item(site, document.path, document.title, document.note)


def of_route(site: Site, route: Route) -> str:
    """The line of a route without parameters."""
    return item(site, route.path, f"{route.method} {route.path}", f"{route.summary} ({who(route)})")


def who(route: Route) -> str:
    """What a route asks of its caller."""
    return _AUTH[route.auth]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, just its head when there are no rows. Its cells are Markdown: text of others is for `table_of_texts`."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def table_of_texts(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain texts, whoever wrote them."""
    return table(head, ([cell(text, LONGEST_NAME) for text in row] for row in rows))


def fenced(language: str, text: str) -> str:
    """A block of code. No line of the text may begin with its fence."""
    return f"```{language}\n{text}\n```"
