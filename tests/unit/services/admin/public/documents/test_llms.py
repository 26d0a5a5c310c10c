"""llms.txt, as its own parser reads it."""

import pytest
from llms_txt import parse_llms_file

from services.admin.public.document import Document
from services.admin.public.documents import llms
from tests.unit.services.admin.public.documents.sample import BASE, public
from tests.unit.services.admin.public.views import offer

SEED = (
    "Product Overview",
    "Use Cases",
    "Constraints",
    "Agent Guidance",
    "Documentation",
    "When To Use This",
    "Supported Task Types",
)


@pytest.mark.parametrize("document", llms.DOCUMENTS, ids=lambda document: document.path)
def test_the_parser_finds_the_summary_and_nothing_but_links(document: Document) -> None:
    text = document.representations[0].render(public(offer("m")))
    parsed = parse_llms_file(text)
    assert parsed.title == "One API"
    assert parsed.summary
    for name, links in parsed.sections.items():
        assert links, name
        for link in links:
            assert link.url.startswith(BASE + "/")
            assert link.title
            assert link.desc


def test_the_sections_that_readers_know_are_there() -> None:
    parsed = parse_llms_file(llms.llms(public()))
    assert [name for name in parsed.sections if name in SEED] == list(SEED)
    assert list(parsed.sections)[-1] == "Optional"


def test_it_says_how_much_there_is() -> None:
    assert "revision `rev`: 2 models, 0 tools" in llms.llms(public(offer("a"), offer("b"), offer("b")))
