"""The page that lists the documents."""

from services.admin.public.pages.docs import docs
from tests.unit.services.admin.public.pages import given
from tests.unit.services.admin.public.views import public
from tests.well_formed import problems


def test_it_lists_them_and_its_search_waits_for_its_script() -> None:
    text = docs(given.DOCUMENTS).representations[0].render(public())
    assert problems(text) == []
    assert 'href="/docs/read/pricing.md"' in text
    assert '<form id="search" role="search" hidden data-index="/docs/search.json">' in text
    assert "<h2>Documentation</h2>" in text
