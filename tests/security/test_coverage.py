"""The table is whole: every row that the project promises is there, or is listed as absent with the reason."""

from collections import Counter

from tests.e2e.gateway import ROOT
from tests.security import test_inside, test_outside
from tests.security.mutants.planted import MUTANTS
from tests.security.table import Absent, Row

ROWS = [*test_outside.ROWS, *test_inside.ROWS]
PROMISED = {
    "A": (2, 3, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18),
    "T": (1, 3, 5, 6, 7, 9, 10, 11, 12),
    "R": (1, 2, 4, 5, 8, 12, 13, 14, 15, 16),
    "M": (1, 2, 4, 5, 6, 9, 10, 11, 12, 13, 15, 16),
    "I": (1, 2, 3, 4, 7, 8, 9, 10, 11, 13, 14),
    "D": (2, 3, 4, 5, 6, 7, 10, 12, 14, 16, 17),
    "P": (2, 3, 4, 5, 7, 10, 12, 13, 14, 16),
    "S": (1, 3, 5, 6, 9),
    "X": (1, 4, 5, 12, 13),
}
LEAST_PAYLOADS = 1_500


def test_every_promised_row_is_there() -> None:
    promised = {f"{kind}-{number:02}" for kind, numbers in PROMISED.items() for number in numbers}
    assert promised <= {row.id for row in ROWS}


def test_ids_are_unique() -> None:
    assert [row for row, count in Counter(row.id for row in ROWS).items() if count > 1] == []


def test_there_are_enough_payloads() -> None:
    assert sum(len(row.payloads) for row in ROWS if isinstance(row, Row)) >= LEAST_PAYLOADS


def test_absent_rows_say_why() -> None:
    assert all(row.why for row in ROWS if isinstance(row, Absent))


def test_planted_holes_name_rows_that_exist() -> None:
    tried = {row.id for row in ROWS if isinstance(row, Row)}
    assert {row for mutant in MUTANTS for row in mutant.rows} <= tried


def test_every_hole_can_be_planted() -> None:
    """What is taken out is there, and there only: a hole that can't be planted proves nothing."""
    for mutant in MUTANTS:
        texts: dict[str, str] = {}
        for change in mutant.changes:
            text = texts.get(change.file) or (ROOT / change.file).read_text()
            assert text.count(change.old) == 1, (mutant.name, change.file)
            texts[change.file] = text.replace(change.old, change.new)
        for file, text in texts.items():
            compile(text, file, "exec")
