"""Names that mean harm, in Markdown."""

import re

import pytest

from services.admin.public.text import LONGEST, NAMELESS, cell, line, link_text

HOSTILE = [
    "a|b|c",
    "a\\|b",
    "two\nlines\r\nand\u2028more\u2029",
    "| a | b |\n|---|---|",
    "<script>alert(1)</script>",
    "&lt;script&gt;",
    "x](https://evil.example)",
    "[click](https://evil.example)",
    "![picture](https://evil.example/a.png)",
    "`code` ``more`` ```\nfence",
    "**bold** ~~gone~~",
    "https://evil.example/ and www.evil.example",
    "<https://evil.example>",
    "nul\x00 bell\x07 escape\x1b[31m",
    "\u202eright to left\u202c \u2066isolated\u2069 \u200bzero\ufeff",
    "half \ud800 a character \udfff",
    "tags \U000e0041\U000e0042",
    "# heading",
    "a" * 100_000,
    "\n" * 100_000 + "a",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_line_is_one_line_of_printable_characters(text: str) -> None:
    seen = line(text)
    assert seen.isprintable()
    assert len(seen) <= LONGEST
    assert seen == seen.strip()
    seen.encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_ends_nothing_and_begins_nothing(text: str) -> None:
    seen = cell(text)
    bare = re.sub(r"\\.", "", seen)
    assert not set(bare) & set("\\|`*[]~<>")
    assert "://" not in bare
    assert "www." not in bare
    assert not re.search(r"&(?!(amp|lt|gt);)", bare)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_links_text_has_no_brackets_at_all(text: str) -> None:
    seen = link_text(text)
    assert seen
    assert not set(seen) & set("[]|<>") - {"|"}
    assert re.fullmatch(r"\[([^\]]+)\]\(([^)]+)\)", f"[{seen}](http://a/b)")


@pytest.mark.parametrize(
    "name", ["gpt-4.1-mini", "vendor/model:free", "claude-4@20250514", "models/a_b+c", "größe 模型"]
)
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert line(name) == cell(name) == link_text(name) == name


def test_what_is_shown_reads_as_it_was_written() -> None:
    assert cell("a|b <i> [x](y) \\") == r"a\|b &lt;i&gt; \[x\](y) \\"
    assert link_text("a [b] c") == "a (b) c"
    assert link_text("\x00") == NAMELESS
    assert cell("") == ""


def test_what_is_too_long_is_cut() -> None:
    assert line("word " * 100, 12) == "word word w…"
    assert line("a" * 12, 12) == "a" * 12
