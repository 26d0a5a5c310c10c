"""What holds of every document."""

import html
import re

from services.admin.public.pages.search import PATH as SEARCH
from services.admin.public.registry import DOCUMENTS
from services.admin.public.routes import ROUTES
from tests.unit.services.admin.public.documents.sample import BASE, HOSTILE, public, rendered
from tests.unit.services.admin.public.views import offer, tool

# Names of schemas and of specifications, which nobody is sent to.
_IDENTIFIERS = (
    "https://www.rfc-editor.org/info/rfc9727",
    "http://www.sitemaps.org/schemas/sitemap/0.9",
    "https://schema.org",
    "https://schemas.agentskills.io/discovery/0.2.0/schema.json",
    "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json",
)
_BASES = {"", "/", "/v1", "/sandbox/v1"}
"""What SDKs put before their paths, and the first page."""
_OF_MANAGEMENT = ("/openapi.json", "/openapi.json.md")
"""What handlers and schemas of the management API say may name vendors' addresses as examples."""


def test_paths_are_unique_and_named() -> None:
    paths = [document.path for document in DOCUMENTS]
    assert len(set(paths)) == len(paths)
    for document in DOCUMENTS:
        assert document.path.startswith("/")
        assert document.title
        assert document.note
        assert not document.note.endswith(".")


def test_no_host_is_named_but_the_configured_one() -> None:
    for path, text in rendered(public(offer("m"))).items():
        if path not in _OF_MANAGEMENT:
            found = re.findall(r"https?://[^\s\"'<>`)\]\\]+", html.unescape(text))
            strange = [each for each in found if each not in _IDENTIFIERS and not re.match(BASE + r"(/|\Z)", each)]
            assert not strange, path


def test_a_document_is_the_same_for_the_same_view() -> None:
    assert rendered(public(offer("m"))) == rendered(public(offer("m")))


def test_harmful_names_stay_in_their_places() -> None:
    """Headings, fences and rows are the ones that there are without them."""
    plain = rendered(public(offer("aaa"), tools=(tool("t"),)))
    harm = tool(HOSTILE, HOSTILE, server=HOSTILE, title=HOSTILE)
    harmful = rendered(public(offer(HOSTILE, channel=HOSTILE), tools=(harm,)))
    for document in DOCUMENTS:
        if document.media_type.startswith(("text/markdown", "text/plain")):
            assert _skeleton(harmful[document.path]) == _skeleton(plain[document.path]), document.path
            assert "\u202e" not in harmful[document.path]


def _skeleton(text: str) -> list[str]:
    return [line[:2] for line in text.split("\n")]


def test_every_address_is_a_document_or_a_route() -> None:
    """Rows of routes are held against what is served elsewhere; a whole gateway is asked by the end-to-end tests."""
    known = {document.path for document in DOCUMENTS} | {route.path for route in ROUTES} | _BASES
    for path, text in rendered(public(offer("m"))).items():
        if path == SEARCH:
            continue  # passages of the others, without their markup
        named = {
            found.rstrip(".,") for found in re.findall(re.escape(BASE) + r"([^\s\"'<>`)\]\\]*)", html.unescape(text))
        }
        assert named <= known, path
