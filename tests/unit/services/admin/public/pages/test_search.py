"""The index of the search."""

import json

from services.admin.public.document import LIVE_S, TEXT, document
from services.admin.public.pages.search import LONGEST, LONGEST_ALL, search_index, words
from tests.unit.services.admin.public.pages import given
from tests.unit.services.admin.public.views import offer, public


def test_it_has_titles_and_texts_of_what_is_listed() -> None:
    index = json.loads(search_index(given.DOCUMENTS).representations[0].render(public(offer("gpt-x"))))
    assert [row["path"] for row in index["documents"]] == [
        "/docs/read/pricing.md",
        "/docs/read/llms.txt",
        "/docs/read/a.json",
    ]
    assert "gpt-x" in index["documents"][0]["text"]
    assert index["revision"] == "rev"


def test_its_size_has_a_bound() -> None:
    long = [
        document(f"/{number}.txt", TEXT, lambda _: "x" * 2 * LONGEST, str(number), "", LIVE_S, group="G")
        for number in range(100)
    ]
    text = search_index(long).representations[0].render(public())
    assert len(text) < LONGEST_ALL + 20_000
    assert len(json.loads(text)["documents"]) == 100


def test_markup_is_not_looked_through() -> None:
    assert words("# A **b**\n\n- [c](https://x.example/y): `d`\n\n| e | f |\n|---|--:|\n") == "A b - c : d e f --:"
    assert words('{"a": ["b\\n"], "c": 1}') == "a : b n , c : 1"
