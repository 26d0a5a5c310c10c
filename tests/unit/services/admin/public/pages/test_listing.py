"""Documents in groups."""

from services.admin.public.document import HTML, SLOW_S, document
from services.admin.public.pages.listing import grouped, is_json, listed_by_group, place_of
from tests.unit.services.admin.public.pages import given


def test_groups_come_in_their_order_and_aliases_not_at_all() -> None:
    found = [(group, [each.path for each in documents]) for group, documents in grouped(given.DOCUMENTS)]
    assert found == [("Documentation", ["/pricing.md", "/a.json"]), ("Agents", ["/llms.txt"])]


def test_what_can_be_read_has_a_page_and_the_rest_is_linked_itself() -> None:
    places = [place_of(each) for each in given.DOCUMENTS]
    assert places == [f"/docs/read{each.path}" for each in given.DOCUMENTS]
    app = document("/app.html", HTML, lambda _: "", "App", "", SLOW_S, group="Agents")
    assert place_of(app) == "/app.html"


def test_a_list_names_address_and_note() -> None:
    shown = listed_by_group(given.DOCUMENTS, "h3")
    assert "<h3>Documentation</h3>" in shown
    assert '<a href="/docs/read/pricing.md">Prices</a>: what models cost' in shown
    assert '<a href="/pricing.md"><code>/pricing.md</code></a>' in shown


def test_media_types_that_are_json() -> None:
    assert is_json("application/json")
    assert is_json("application/linkset+json; profile=x")
    assert is_json("application/vnd.oai.openapi+json;version=3.1")
    assert not is_json("text/markdown; charset=utf-8")
