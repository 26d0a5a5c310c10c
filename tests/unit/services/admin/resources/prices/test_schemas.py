from hypothesis import given
from hypothesis import strategies as st

from oneapi.catalog.types import TOKEN_BUCKETS, UNITS
from services.admin.resources.prices.schemas import (
    MAX_TOKEN_RATE,
    MAX_UNIT_RATE,
    PriceGiven,
    RatesGiven,
    RatesShown,
    rate_texts,
)

RATES = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.integers(0, MAX_TOKEN_RATE) for name in TOKEN_BUCKETS},
        **{name: st.integers(0, MAX_UNIT_RATE) for name in UNITS},
    },
)


@given(RATES)
def test_rates_survive_the_way_through_the_api(rates: dict[str, int]) -> None:
    assert RatesGiven.model_validate(rate_texts(rates)).rates() == rates


def test_every_bucket_and_unit_has_a_field() -> None:
    assert set(RatesGiven.model_fields) == set(RatesShown.model_fields) == {*TOKEN_BUCKETS, *UNITS}


def test_a_price_becomes_columns() -> None:
    given = PriceGiven.model_validate(
        {
            "input": "2.5",
            "per_call": "0.000000000001",
            "tiers": [{"above_input_tokens": 9, "input": "1"}, {"above_input_tokens": 5, "prices": {"output": "2"}}],
            "time_windows": [{"days": ["tue", 0, "Mon"], "from": "08:00", "to": "24:00", "input": "3"}],
        }
    )
    assert given.columns() == {
        "rates": {"input": 2_500_000, "per_call": 1},
        "tiers": [
            {"above_input_tokens": 5, "rates": {"output": 2_000_000}},
            {"above_input_tokens": 9, "rates": {"input": 1_000_000}},
        ],
        "windows": [{"timezone": "UTC", "days": [0, 1], "start": 480, "end": 1440, "rates": {"input": 3_000_000}}],
    }
