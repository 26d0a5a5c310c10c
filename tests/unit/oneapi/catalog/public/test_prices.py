from datetime import UTC, datetime

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oneapi.catalog.public.prices import charged, next_change_ms, over, public_price, rates
from oneapi.catalog.types import TOKEN_BUCKETS, UNITS, Price, PriceTier, PriceVersion, PriceWindow
from oneapi.pricing.charge import rate_of
from oneapi.pricing.money import rate_from_usd_per_million, rate_from_usd_per_unit

MILLION = 1_000_000
MONDAY_NOON = int(datetime(2026, 1, 5, 12, tzinfo=UTC).timestamp() * 1000)
NIGHT = PriceWindow(timezone="UTC", days=tuple(range(7)), start=22 * 60, end=6 * 60, rates={"output": MILLION})
NOON = PriceWindow(timezone="UTC", days=(0,), start=11 * 60, end=13 * 60, rates={"input": 5 * MILLION})


def price(*windows: PriceWindow, tiers: tuple[PriceTier, ...] = (), effective_from_ms: int = 0) -> Price:
    version = PriceVersion(
        id="p",
        effective_from_ms=effective_from_ms,
        rates={"input": 2 * MILLION, "output": 8 * MILLION, "image": 10**10},
        tiers=tiers,
        windows=windows,
    )
    return Price(model="m", versions=(version,))


def test_the_price_now_has_the_open_window_in_it() -> None:
    shown = public_price(price(NIGHT, NOON), MONDAY_NOON)
    assert shown is not None
    assert dict(shown.now.per_million) == {"input": "5", "output": "8"}
    assert dict(shown.base.per_million) == {"input": "2", "output": "8"}
    assert dict(shown.now.per_unit) == {"image": "0.01"}
    assert [(window.start, window.end, window.open) for window in shown.windows] == [
        ("22:00", "06:00", False),
        ("11:00", "13:00", True),
    ]


def test_of_two_windows_that_are_open_the_first_counts() -> None:
    shown = public_price(price(NOON, msgspec.structs.replace(NOON)), MONDAY_NOON)
    assert shown is not None
    assert [window.open for window in shown.windows] == [True, False]


def test_nothing_before_the_first_version() -> None:
    assert public_price(None, 5) is None
    assert public_price(price(effective_from_ms=10), 9) is None
    assert public_price(price(effective_from_ms=10), 10) is not None


def test_tiers_come_in_their_order() -> None:
    tiers = tuple(PriceTier(above_input_tokens=bound, rates={"input": bound}) for bound in (200, 100))
    shown = public_price(price(tiers=tiers), 0)
    assert shown is not None
    assert [tier.above_input_tokens for tier in shown.tiers] == [100, 200]


def test_when_a_price_changes_by_itself() -> None:
    assert next_change_ms(None, 5) is None
    assert next_change_ms(price(), 5) is None
    assert next_change_ms(price(effective_from_ms=10), 5) == 10
    assert next_change_ms(price(NIGHT), 59_999) == 60_000
    assert next_change_ms(price(NIGHT), 60_000) == 120_000


def test_rates_over_others() -> None:
    shown = over(rates({"input": MILLION, "output": MILLION}), rates({"output": 2 * MILLION, "image": 10**12}))
    assert shown == rates({"input": MILLION, "output": 2 * MILLION, "image": 10**12})


@given(
    st.dictionaries(st.sampled_from(TOKEN_BUCKETS), st.integers(0, 10**12)),
    st.dictionaries(st.sampled_from(UNITS), st.integers(0, 10**16)),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_shown_is_what_is_charged(tokens: dict[str, int], units: dict[str, int]) -> None:
    pico = tokens | units
    shown = rates(pico)
    for bucket in TOKEN_BUCKETS:
        assert rate_from_usd_per_million(charged(shown, bucket)) == rate_of(bucket, pico)
    for unit in UNITS:
        assert rate_from_usd_per_unit(charged(shown, unit)) == rate_of(unit, pico)
