from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.pricing import money


@given(st.integers(-(10**17), 10**17))
def test_nano_survives_text(nano: int) -> None:
    text = money.usd_text(nano)
    assert Decimal(text) == Decimal(nano) / 10**9
    assert "e" not in text.lower()
    assert money.parse_usd(text) == nano


@given(st.integers(0, 10**15))
def test_rates_survive_text(pico: int) -> None:
    assert money.rate_from_usd_per_million(money.usd_per_million_text(pico)) == pico
    assert money.rate_from_usd_per_unit(money.usd_per_unit_text(pico)) == pico
    assert Decimal(money.usd_text_of_pico(pico)) == Decimal(pico) / 10**12


def test_a_dollar_per_million_is_a_million_pico_per_token() -> None:
    assert money.rate_from_usd_per_million("1") == 1_000_000
    assert money.rate_from_usd_per_million("0.075") == 75_000
    assert money.rate_from_usd_per_unit("0.01") == 10**10


@pytest.mark.parametrize(
    "text", ["", "1e3", "NaN", "inf", "1,5", " 1", "1 ", "+1", "1.", ".5", "0x1", "١", "--1", "1" * 30]
)
def test_what_is_no_decimal_is_refused(text: str) -> None:
    with pytest.raises(money.NotMoney):
        money.parse_usd(text)


def test_too_many_places_are_refused_but_trailing_zeros_are_not() -> None:
    with pytest.raises(money.NotMoney, match="9 decimal places"):
        money.parse_usd("0.0000000001")
    with pytest.raises(money.NotMoney, match="2 decimal places"):
        money.parse_usd("0.123", 2)
    assert money.parse_usd("0.10000000000000") == 100_000_000
    assert money.parse_usd("0.12", 2) == 120_000_000
