"""The first page."""

import json
from html import unescape

import pytest

from services.admin.public.document import MARKDOWN
from services.admin.public.documents.overview import index
from services.admin.public.pages.home import home
from services.admin.public.site import Public
from tests.unit.services.admin.public.pages import given
from tests.unit.services.admin.public.views import BASE, offer, public, tool
from tests.well_formed import problems

HOME = home(given.DOCUMENTS)
CHAT = {"messages": [{"role": "user", "content": "Say hello."}]}


def shown(public: Public) -> str:
    return HOME.representations[0].render(public)


def test_it_says_how_to_begin_and_what_there_is() -> None:
    text = shown(public(offer("gpt-x"), tools=(tool("forecast"),)))
    assert problems(text) == []
    for said in (f"{BASE}/sandbox/v1/chat/completions", f"{BASE}/v1/messages", f"{BASE}/mcp"):
        assert said in text
    for said in ("gpt-x", "forecast", "/readyz", 'href="/docs/read/pricing.md"', 'rel="service-desc"', "1 model."):
        assert said in text


def test_it_names_the_model_that_the_overview_names() -> None:
    view = public(offer("a", price=None), offer("b"))
    asked = "-d '" + json.dumps({"model": "b", **CHAT}) + "'"
    assert asked in index(view)
    assert asked in unescape(shown(view))


def test_of_any_names_it_is_well_formed() -> None:
    offers = [offer(name, channel=name) for name in given.HOSTILE]
    text = shown(public(*offers, tools=tuple(tool(name, name) for name in given.HOSTILE)))
    assert problems(text) == []


@pytest.mark.parametrize("count", [0, 1, 20_000])
def test_its_size_has_a_bound(count: int) -> None:
    text = shown(public(*(offer(f"vendor/model-{number}") for number in range(count))))
    assert problems(text) == []
    assert len(text) < 60_000


def test_programs_get_markdown() -> None:
    assert [form.media_type for form in HOME.representations][1] == MARKDOWN
    assert HOME.representations[1].render(public()) == "# One API\n"
