"""The pages as documents."""

from services.admin.public.document import HTML
from services.admin.public.pages.documents import pages
from tests.unit.services.admin.public.pages import given

PAGES = pages(given.DOCUMENTS)


def test_each_page_has_an_address_of_its_own() -> None:
    paths = [each.path for each in PAGES]
    assert len(set(paths)) == len(paths)
    assert {"/", "/docs", "/docs/playground", "/docs/search.json"} < set(paths)


def test_html_comes_with_a_policy() -> None:
    for each in PAGES:
        form = each.representations[0]
        if form.media_type == HTML:
            assert dict(form.headers(b""))["content-security-policy"].startswith(
                "default-src 'none'; style-src 'sha256-"
            )
