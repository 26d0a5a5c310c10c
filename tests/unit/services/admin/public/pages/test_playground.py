"""The page for requests to the sandbox."""

import json
import re
from html import unescape

import pytest

from services.admin.public.pages import examples
from services.admin.public.pages.playground import CASES, playground, request
from tests.unit.services.admin.public.pages import given
from tests.well_formed import problems

PAGE = playground().representations[0].render(given.public())


def test_it_offers_each_format_at_its_address() -> None:
    assert problems(PAGE) == []
    options = re.findall(r'<option value="(/sandbox/v1/[a-z/]+)" data-request="([^"]+)">', PAGE)
    assert [path for path, _ in options] == [f"/sandbox/v1{form.path}" for form in examples.FORMATS]
    for (_, asked), form in zip(options, examples.FORMATS, strict=True):
        assert json.loads(unescape(asked)) == request(form)


@pytest.mark.parametrize("case", CASES)
def test_an_example_is_asked_for_in_the_metadata(case: str) -> None:
    asked = request(examples.CHAT_COMPLETIONS, case)
    assert asked.get("metadata") == ({"sandbox": case} if case else None)


def test_without_its_script_it_says_what_does_the_same() -> None:
    assert '<form id="playground" hidden>' in PAGE
    assert f"curl {given.BASE}/sandbox/v1/chat/completions" in PAGE
