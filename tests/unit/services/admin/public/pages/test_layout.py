"""The frame of pages, and what their policy lets run."""

import base64
import hashlib
import re

from services.admin.public.pages import layout
from services.admin.public.pages.html import tag
from tests.unit.services.admin.public.pages import given
from tests.unit.services.admin.public.views import BASE, public
from tests.well_formed import problems

SCRIPT = 'document.title = "a < b";'


def page(**more: str) -> layout.Page:
    return layout.Page(title="A <title>", note='It\'s "noted"', path="/docs", main=tag("h1", "A"), **more)  # type: ignore[arg-type]


def digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def test_a_page_is_well_formed_and_names_its_address() -> None:
    text = layout.whole(public(), page(here=layout.DOCS))
    assert problems(text) == []
    assert "<title>A &lt;title&gt; – One API</title>" in text
    assert f'<link rel="canonical" href="{BASE}/docs">' in text
    assert text.count('aria-current="page"') == 1


def test_the_policy_knows_the_style_and_the_script_by_what_stands_in_the_page() -> None:
    text = layout.whole(public(), page(script=SCRIPT))
    (style,) = re.findall("<style>(.*?)</style>", text, re.DOTALL)
    (script,) = re.findall("<script>(.*?)</script>", text, re.DOTALL)
    policy = dict(layout.policy(SCRIPT))["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["style-src"] == digest(style)
    assert rules["script-src"] == digest(script)
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert "unsafe" not in policy


def test_a_page_without_a_script_may_run_and_ask_nothing() -> None:
    policy = dict(layout.policy())["content-security-policy"]
    assert "script-src" not in policy
    assert "connect-src" not in policy


def test_what_is_rendered_has_no_say_in_the_policy() -> None:
    form = layout.represented(lambda _public: page())
    assert form.headers(b"<script>alert(1)</script>") == form.headers(b"") == layout.policy()


def test_documents_with_a_relation_are_linked() -> None:
    assert layout.links(given.DOCUMENTS) == '<link rel="service-desc" href="/a.json" type="application/json" title="A">'
