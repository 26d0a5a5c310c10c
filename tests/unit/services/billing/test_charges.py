"""The charge is computed anew; the edge's word stands only when it comes to the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.catalog.types import MAX_AMOUNT_NANO
from services.billing.charges import by_bucket, charge_of, recomputed_nano
from services.billing.events import Unacceptable
from tests.unit.services.billing.making import usage_event


def test_the_edges_word_stands_when_it_is_right() -> None:
    charge = charge_of(usage_event(), limited=False)
    assert charge.matches
    assert charge.amount_nano == usage_event().amount_nano == -(-(11 * 1_500 + 7 * 6_001) // 1_000)
    assert [(line.bucket, line.quantity) for line in charge.lines] == [("input", 11), ("output", 7)]


@pytest.mark.parametrize(
    ("changes", "limited", "amount", "house"),
    [
        ({"amount_nano": 1}, False, 59, 0),
        ({"amount_nano": 60}, False, 59, 0),
        ({"amount_nano": 40, "house_nano": 19, "reserved_nano": 50}, False, 50, 9),
        ({"amount_nano": 59, "reserved_nano": 20, "scopes": ["key:k:total"]}, False, 20, 39),
        ({"amount_nano": 1, "reserved_nano": 20}, True, 20, 39),
        ({"amount_nano": 1, "reserved_nano": 20}, False, 59, 0),
    ],
)
def test_another_amount_is_not_believed(changes: dict[str, Any], limited: bool, amount: int, house: int) -> None:
    charge = charge_of(usage_event(**changes), limited=limited)
    assert not charge.matches
    assert (charge.amount_nano, charge.house_nano) == (amount, house)


@pytest.mark.parametrize("limited", [False, True])
def test_the_split_between_account_and_house_is_the_edges(limited: bool) -> None:
    clipped = charge_of(usage_event(amount_nano=50, house_nano=9, reserved_nano=50), limited=limited)
    assert (clipped.matches, clipped.amount_nano, clipped.house_nano) == (True, 50, 9)
    whole = charge_of(usage_event(reserved_nano=20), limited=limited)
    assert (whole.matches, whole.amount_nano, whole.house_nano) == (True, 59, 0)


def test_a_hold_is_charged_what_was_reserved() -> None:
    hold = usage_event(version=1, evidence="hold", usage={}, rates=None, amount_nano=700, reserved_nano=700)
    charge = charge_of(hold, limited=True)
    assert (charge.amount_nano, charge.house_nano, charge.lines, charge.matches) == (700, 0, (), True)


def test_without_a_price_nothing_is_charged() -> None:
    charge = charge_of(usage_event(rates=None, amount_nano=0), limited=False)
    assert (charge.amount_nano, charge.lines, charge.matches) == (0, (), True)


def test_an_impossible_amount_is_refused() -> None:
    with pytest.raises(Unacceptable):
        charge_of(
            usage_event(usage={"input": 10**15}, rates={"input": 10**18}, amount_nano=1, reserved_nano=1), limited=False
        )


@given(
    st.dictionaries(st.sampled_from(["input", "cached_input", "output", "reasoning", "image"]), st.integers(0, 10**7)),
    st.dictionaries(st.sampled_from(["input", "output", "reasoning", "image"]), st.integers(0, 10**8)),
    st.integers(0, 10**9),
    st.booleans(),
)
def test_account_and_house_bear_all_of_the_cost(
    usage: dict[str, int], rates: dict[str, int], reserved: int, hard: bool
) -> None:
    actual = recomputed_nano(usage, rates)
    paid = min(actual, reserved) if hard else actual
    event = usage_event(
        usage=usage,
        rates=rates,
        amount_nano=paid,
        house_nano=actual - paid,
        reserved_nano=reserved,
        scopes=["key:k:total"] if hard else [],
    )
    charge = charge_of(event, limited=hard)
    assert charge.matches
    assert charge.amount_nano + charge.house_nano == actual <= MAX_AMOUNT_NANO
    assert not hard or charge.amount_nano <= reserved


def test_buckets_have_an_order() -> None:
    assert list(by_bucket({"search": 1, "output": 2, "image": 3, "input": 4})) == ["input", "output", "image", "search"]
