"""Documents as pages."""

from services.admin.public.pages.reader import LONGEST, cut, on_page, readers
from services.admin.public.site import Public
from tests.unit.services.admin.public.pages import given
from tests.unit.services.admin.public.views import BASE, offer, public
from tests.well_formed import problems

READERS = {each.path: each for each in readers(given.DOCUMENTS)}


def shown(path: str, view: Public | None = None) -> str:
    return READERS[path].representations[0].render(view or public(offer("gpt-x")))


def test_each_listed_document_has_a_page() -> None:
    assert list(READERS) == ["/docs/read/pricing.md", "/docs/read/llms.txt", "/docs/read/a.json"]
    for path in READERS:
        assert problems(shown(path)) == []
    assert READERS["/docs/read/pricing.md"].max_age_s == given.DOCUMENTS[1].max_age_s


def test_markdown_is_read_as_markdown_also_in_llms_txt() -> None:
    assert "<h1>Prices</h1>" in shown("/docs/read/pricing.md")
    assert "<td>gpt-x</td>" in shown("/docs/read/pricing.md")
    assert "<blockquote>" in shown("/docs/read/llms.txt")


def test_json_is_spread_out() -> None:
    assert "{\n  &quot;a&quot;: &quot;&lt;b&gt;&quot;\n}" in shown("/docs/read/a.json")


def test_a_long_document_is_cut_at_a_line_and_says_so() -> None:
    text = shown("/docs/read/pricing.md", public(*(offer(f"model-{number}") for number in range(20_000))))
    assert len(text) < 4 * LONGEST
    assert problems(text) == []
    assert 'more characters: <a href="/pricing.md">/pricing.md</a>' in text
    assert cut("a\nb\n", 3) == ("a\n", True)
    assert cut("abcdef", 3) == ("abc", True)
    assert cut("abc", 3) == ("abc", False)


def test_links_stay_on_the_pages() -> None:
    places = {"/pricing.md": "/docs/read/pricing.md"}
    view = public()
    assert on_page(view, places, f"{BASE}/pricing.md") == "/docs/read/pricing.md"
    assert on_page(view, places, "/pricing.md") == "/docs/read/pricing.md"
    assert on_page(view, places, f"{BASE}/v1/models") == "/v1/models"
    assert on_page(view, places, BASE) == "/"
    assert on_page(view, places, f"{BASE}.evil.example/") == f"{BASE}.evil.example/"
