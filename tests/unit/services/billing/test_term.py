"""A term ends with its lease, or when a newer writer was seen."""

import pytest

from services.billing.hours import Marks
from services.billing.term import NotTheWriter, Term


class PlayedLease:
    held = True
    generation = 3


def test_nothing_may_be_written_after_the_lease() -> None:
    lease = PlayedLease()
    term = Term(lease, 3, Marks())
    term.check()
    lease.held = False
    with pytest.raises(NotTheWriter):
        term.check()


def test_nothing_may_be_written_after_a_newer_writer_was_seen() -> None:
    term = Term(PlayedLease(), 3, Marks())
    assert isinstance(term.refuse(), NotTheWriter)
    assert term.ended.is_set()
    with pytest.raises(NotTheWriter):
        term.check()
