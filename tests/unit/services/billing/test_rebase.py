"""What differs between Redis and the ledger."""

from services.billing.rebase import Correction, Held, compare, to_set
from services.billing.sums import AccountSums

NOW_MS = 1_795_000_000_000  # 18 November 2026
TODAY = "key:k:day:2026-11-18"
LONG_AGO = "key:k:day:2026-01-01"
TOTAL = "key:k:total"


def test_nothing_differs() -> None:
    made = compare(Held(5, 9, {TODAY: 3, TOTAL: 5}), AccountSums(5, 9, {TODAY: 3, TOTAL: 5, LONG_AGO: 2}), NOW_MS)
    assert not made.needed


def test_every_difference_counts() -> None:
    made = compare(Held(5, 9, {TODAY: 3}), AccountSums(7, 10, {TODAY: 1, TOTAL: 5}), NOW_MS)
    assert made.delta_nano == 2 + 1 + 2 + 5
    assert made.scopes == {TODAY: 1, TOTAL: 5}


def test_a_scope_that_the_ledger_does_not_know_is_nothing() -> None:
    made = compare(Held(0, 0, {TOTAL: 4}), AccountSums(), NOW_MS)
    assert (made.delta_nano, made.scopes) == (4, {TOTAL: 0})


def test_a_period_that_is_over_is_forgotten_and_no_difference() -> None:
    made = compare(Held(5, 0, {LONG_AGO: 3}), AccountSums(5, 0, {LONG_AGO: 5}), NOW_MS)
    assert (made.delta_nano, made.scopes) == (0, {LONG_AGO: None})
    assert made.needed


def test_what_differs_is_set_and_everything_when_requests_are_closed() -> None:
    ledger = AccountSums(7, 10, {TODAY: 1, TOTAL: 5, LONG_AGO: 2})
    differs = Correction(2, {TODAY: 1, LONG_AGO: None})
    assert to_set(ledger, differs, (), NOW_MS) == AccountSums(7, 10, {TODAY: 1})
    assert to_set(ledger, differs, ("rid",), NOW_MS) == AccountSums(7, 10, {TODAY: 1, TOTAL: 5})
