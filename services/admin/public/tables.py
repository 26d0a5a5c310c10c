"""Tables of Markdown. It decides their form, and that no cell can break one; it must not know what they show."""

from collections.abc import Iterable, Sequence

from services.admin.public.text import cell

LONGEST_NAME = 300
"""More than any model or channel may have: a name that is cut is another name."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain texts, with a line end. Just its head when there are no rows."""
    lines = [columns, ["---"] * len(columns), *([cell(text, LONGEST_NAME) for text in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
