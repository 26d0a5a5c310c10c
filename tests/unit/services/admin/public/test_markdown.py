"""Pieces of Markdown."""

from services.admin.public.markdown import table, table_of_texts
from tests.unit.services.admin.public.views import tables


def test_a_table() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_no_cell_breaks_it() -> None:
    hostile = ("a|b", "a\nb", "<script>", "](x)", "\\", "`|`", "\u2028", "")
    text = table_of_texts(("what",), [(name,) for name in hostile])
    assert len(tables(text)[0]) == 1 + len(hostile)
    assert "<script>" not in text


def test_a_long_name_is_not_cut() -> None:
    assert "x" * 256 in table_of_texts(("what",), [("x" * 256,)])
