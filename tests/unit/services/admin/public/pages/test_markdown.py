"""Markdown as HTML: nothing of others' text becomes markup, no link leads where it mustn't."""

import pytest

from services.admin.public.pages.html import tag
from services.admin.public.pages.layout import Page, whole
from services.admin.public.pages.markdown import Text, rendered
from tests.unit.services.admin.public.pages import given
from tests.unit.services.admin.public.views import public
from tests.well_formed import problems


def made(markdown: str) -> Text:
    return rendered(markdown, lambda address: address)


def as_page(text: Text) -> str:
    main = tag("div", tag("h1", text.title or "T"), text.body)
    return whole(public(), Page(title="T", note="N", path="/", main=main))


def test_the_first_heading_is_the_title_and_the_others_are_below_it() -> None:
    text = made("# The `first` one\n\nText\n\n# Second\n\n## Third\n")
    assert text.title == "The first one"
    assert "<h1" not in text.body
    assert text.body.index('<h2 id="section-1">Second') < text.body.index('<h2 id="section-2">Third')
    assert made("Text first\n\n# Heading\n").title == ""


def test_html_stays_text() -> None:
    body = made("# T\n\n<script>alert(1)</script>\n\na <b onclick=x>b</b>\n").body
    assert "<script" not in body
    assert "&lt;b onclick=x&gt;" in body


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "ftp://x"],
)
def test_links_lead_only_where_they_may(address: str) -> None:
    body = made(f"[a]({address}) <{address}>\n\n[b]: {address}\n\n[b]\n").body
    assert "<a" not in body
    assert "href" not in body


def test_links_are_led_elsewhere_by_who_shows_them() -> None:
    body = rendered("[a](/x) [b](https://y.example)", lambda address: address.replace("/x", "/z")).body
    assert '<a href="/z">a</a>' in body
    assert '<a href="https://y.example">b</a>' in body


def test_pictures_are_not_fetched() -> None:
    assert "<img" not in made("![p](https://evil.example/p.png)").body


def test_tables_scroll_by_themselves() -> None:
    text = made("# T\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\nThen.\n\n| c |\n|---|\n| 3 |\n")
    assert '<td class="number">2</td>' in text.body
    assert text.body.count('<div class="wide" role="group" tabindex="0" aria-label="Table') == 2
    assert problems(as_page(text)) == []


@pytest.mark.parametrize("name", given.HOSTILE)
def test_of_any_text_it_is_well_formed(name: str) -> None:
    text = name[:2_000].replace("\ud800", "")
    page = as_page(made(f"# {text}\n\n{text}\n\n- {text}\n\n| a |\n|---|\n| {text} |\n\n```\n{text}\n```\n"))
    assert problems(page) == []
