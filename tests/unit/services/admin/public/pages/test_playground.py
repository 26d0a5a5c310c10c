"""The page for requests to the sandbox."""

import json
import re
from html import unescape

import pytest

from services.admin.public.pages.playground import CASES, playground, request
from services.admin.public.routes import SANDBOX
from tests.unit.services.admin.public.views import BASE, public
from tests.well_formed import problems

PAGE = playground().representations[0].render(public())


def test_it_offers_each_format_at_its_address() -> None:
    assert problems(PAGE) == []
    options = re.findall(r'<option value="(/sandbox/v1/[a-z/]+)" data-request="([^"]+)">', PAGE)
    assert [path for path, _ in options] == [route.path for route in SANDBOX]
    for (_, asked), route in zip(options, SANDBOX, strict=True):
        assert json.loads(unescape(asked)) == request(route)


@pytest.mark.parametrize("case", CASES)
def test_an_example_is_asked_for_in_the_metadata(case: str) -> None:
    asked = request(SANDBOX[0], case)
    assert asked.get("metadata") == ({"sandbox": case} if case else None)


def test_without_its_script_it_says_what_does_the_same() -> None:
    assert '<form id="playground" hidden>' in PAGE
    assert f"curl {BASE}/sandbox/v1/chat/completions" in PAGE
