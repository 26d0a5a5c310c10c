"""Markdown as HTML. Raw HTML in it stays text, links lead where they may, pictures aren't fetched.

It decides what of a document's Markdown a page takes over: its first heading becomes the page's. It must not know which
documents there are.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from markdown_it import MarkdownIt
from markdown_it.token import Token

from services.admin.public.pages.html import Html, html, tag

ALLOWED = ("https://", "http://", "mailto:", "/", "#")
_FRONT_MATTER = re.compile(r"\A---\n(.*?\n)---\n", re.DOTALL)
_PARSER = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}).enable("table").disable("image")


@dataclass(frozen=True, slots=True)
class Text:
    """`title` is the first heading's text, empty when the text doesn't begin with one of the first level."""

    title: str
    body: Html


def rendered(markdown: str, leads_to: Callable[[str], str]) -> Text:
    """The text as HTML. `leads_to` gives the address that a link of the text has on the page."""
    tokens = _PARSER.parse(_FRONT_MATTER.sub(r"```yaml\n\1```\n", markdown))
    title = ""
    if len(tokens) > 2 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        title, tokens = _plain(tokens[1]), tokens[3:]
    _mark_headings(tokens)
    for token in tokens:
        if token.type in {"th_open", "td_open"}:
            # Pages have no styles of their own.
            aligned = token.attrs.pop("style", "")
            token.attrs |= {"class": "number"} if aligned == "text-align:right" else {}
        if token.type == "inline":
            _check_links(token.children or [], leads_to)
    return Text(title, _with_scrolling_tables(tokens))


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [] if child.type in {"text", "code_inline"})


def _mark_headings(tokens: Sequence[Token]) -> None:
    """Ids to link to, and no second heading of the first level."""
    numbers = count(1)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"} and token.tag == "h1":
            token.tag = "h2"
        if token.type == "heading_open":
            token.attrSet("id", f"section-{next(numbers)}")


def _check_links(children: list[Token], leads_to: Callable[[str], str]) -> None:
    opened: list[bool] = []
    for child in children:
        if child.type == "link_open":
            address = leads_to(str(child.attrGet("href") or ""))
            allowed = address.startswith(ALLOWED)
            opened.append(allowed)
            child.attrs = {"href": address} if allowed else {}
            child.hidden = not allowed
        elif child.type == "link_close":
            child.hidden = not opened.pop()


def _with_scrolling_tables(tokens: Sequence[Token]) -> Html:
    """Each table within something that scrolls by itself, also by keyboard: a page is never wider than its screen."""
    parts: list[Html] = []
    numbers = count(1)
    began = 0
    for place, token in enumerate(tokens):
        if token.type == "table_open":
            parts.append(_html(tokens[began:place]))
            began = place
        elif token.type == "table_close":
            table = _html(tokens[began : place + 1])
            name = f"Table {next(numbers)}"
            parts.append(tag("div", table, class_="wide", role="group", tabindex="0", aria_label=name))
            began = place + 1
    parts.append(_html(tokens[began:]))
    return html(*parts)


def _html(tokens: Sequence[Token]) -> Html:
    return Html(_PARSER.renderer.render(tokens, _PARSER.options, {}))
