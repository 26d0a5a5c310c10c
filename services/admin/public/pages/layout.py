"""The frame of every page: head, navigation, foot, style; and the policy that lets nothing else run.

It decides that a page is whole in itself: style and script stand in it, known to its policy by their digests, so that
two releases behind one address can't mix, and no other host is asked for anything. It must not know what pages say.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from urllib.parse import quote

from services.admin.public.document import HTML, Document, Headers, Representation
from services.admin.public.pages.html import Html, html, lines, tag
from services.admin.public.site import Public

NOTHING = Html()
HOME, DOCS, PLAYGROUND = "/", "/docs", "/docs/playground"
GROUP = "Pages"
NAVIGATION = ((DOCS, "Documents"), (PLAYGROUND, "Playground"))

_MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#1d4ed8"/>'
    '<path d="M6 5l2.5-1.5V12.5M5.5 12.5h6" stroke="#fff" stroke-width="1.8" fill="none"/></svg>'
)
ICON = f"data:image/svg+xml,{quote(_MARK)}"


def asset(name: str) -> str:
    """A style or a script of this package."""
    return resources.files(__package__).joinpath(name).read_text("utf-8").strip()


STYLE = asset("page.css")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page says. `head` is more for its head; `here` is which place of the navigation it belongs to."""

    title: str
    note: str
    path: str
    main: Html
    here: str = ""
    head: Html = NOTHING
    script: str = ""


def represented(make: Callable[[Public], Page], script: str = "") -> Representation:
    """A page as the form of a document. `script` is the one that its pages have."""
    headers = policy(script)
    return Representation(
        media_type=HTML, render=lambda public: whole(public, make(public)), headers=lambda _body: headers
    )


def whole(public: Public, page: Page) -> str:
    """The page with its frame."""
    site = public.site
    named = site.name if page.path == HOME else f"{page.title} – {site.name}"
    head = lines(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", named),
        tag("meta", name="description", content=page.note),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="canonical", href=site.url(page.path)),
        tag("link", rel="icon", href=ICON),
        page.head,
        tag("style", Html(STYLE)),
    )
    body = lines(
        tag("a", "Skip to the content", class_="skip", href="#content"),
        _header(public, page.here),
        tag("main", page.main, id="content"),
        _footer(public),
        tag("script", Html(page.script)) if page.script else "",
    )
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def policy(script: str = "") -> Headers:
    """The headers of a page with this script. Only what stands here has a digest, never what was rendered."""
    rules = ["default-src 'none'", f"style-src '{_digest(STYLE)}'", "img-src data:"]
    if script:
        rules += [f"script-src '{_digest(script)}'", "connect-src 'self'"]
    rules += [
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]  # fmt: skip
    return (("content-security-policy", "; ".join(rules)), ("referrer-policy", "same-origin"))


def links(documents: Sequence[Document]) -> Html:
    """The documents that have a relation to the whole site, for the head."""
    return lines(
        *(
            tag("link", rel=each.rel, href=each.path, type=each.media_type.partition(";")[0], title=each.title)
            for each in documents
            if each.rel
        )
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _header(public: Public, here: str) -> Html:
    places = (
        tag("li", tag("a", name, href=path, aria_current="page" if path == here else None)) for path, name in NAVIGATION
    )
    home = tag("a", public.site.name, class_="home", href=HOME, aria_current="page" if here == HOME else None)
    return tag("header", home, tag("nav", tag("ul", *places), aria_label="Pages"))


def _footer(public: Public) -> Html:
    about = html(public.site.name, " ", public.site.version)
    places = (("/readyz", "Readiness"), ("/llms.txt", "llms.txt"), ("/openapi.json", "OpenAPI"))
    return tag("footer", tag("p", about), tag("ul", *(tag("li", tag("a", name, href=path)) for path, name in places)))
