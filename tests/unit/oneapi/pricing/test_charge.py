from decimal import ROUND_CEILING, Decimal

from hypothesis import given
from hypothesis import strategies as st

from oneapi.catalog.types import TOKEN_BUCKETS, UNITS
from oneapi.pricing import charge

buckets = st.sampled_from([*TOKEN_BUCKETS, *UNITS])
usages = st.dictionaries(buckets, st.integers(0, 10**7), max_size=8)
prices = st.dictionaries(buckets, st.integers(0, 10**9), max_size=17)


@given(usages, prices)
def test_the_total_is_the_exact_sum_rounded_up_once(usage: dict[str, int], rates: dict[str, int]) -> None:
    exact = Decimal(0)
    for bucket, quantity in usage.items():
        rate = rates.get(bucket)
        if rate is None:
            rate = rates.get(charge.FALLBACK.get(bucket, ""), 0)
        exact += Decimal(quantity) * Decimal(rate) / Decimal(10**12)
    bill = charge.lines(usage, rates)
    expected = (exact * 10**9).to_integral_value(ROUND_CEILING)
    assert charge.total_nano(bill) == expected


def test_a_bucket_without_a_rate_takes_what_it_falls_back_to() -> None:
    rates = {"input": 5, "output": 7}
    assert charge.rate_of("reasoning", rates) == 7
    assert charge.rate_of("cached_input", rates) == 5
    assert charge.rate_of("cached_input", {"input": 5, "cached_input": 0}) == 0
    assert charge.rate_of("search", rates) == 0


def test_a_call_has_its_own_price_once() -> None:
    bill = charge.lines({"per_call": 1, "input": 100}, {"per_call": 10**10})
    assert [line.bucket for line in bill] == ["per_call"]
    assert charge.total_nano(bill) == 10**7
