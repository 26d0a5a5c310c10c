from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.catalog.types import TOKEN_BUCKETS, PriceTier, PriceVersion, PriceWindow
from oneapi.pricing import charge, rates


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


TIERED = PriceVersion(
    id="p1",
    effective_from_ms=0,
    rates={"input": 10, "output": 20},
    tiers=(
        PriceTier(above_input_tokens=100, rates={"input": 15}),
        PriceTier(above_input_tokens=1000, rates={"input": 30, "output": 60}),
    ),
    windows=(PriceWindow(timezone="Asia/Shanghai", days=(0,), start=22 * 60, end=2 * 60, rates={"output": 5}),),
)
NEVER = at("2026-11-25T12:00:00")


@pytest.mark.parametrize(("tokens", "expected"), [(100, (10, 20)), (101, (15, 20)), (1001, (30, 60))])
def test_the_highest_tier_reached_holds_for_the_whole_request(tokens: int, expected: tuple[int, int]) -> None:
    found = rates.resolve(TIERED, NEVER, tokens)
    assert (found["input"], found["output"]) == expected


@pytest.mark.parametrize(
    ("moment", "output"),
    [
        ("2026-11-23T13:59:00", 20),  # Monday 21:59 there
        ("2026-11-23T14:00:00", 5),
        ("2026-11-23T17:59:00", 5),  # Tuesday 01:59, still Monday's window
        ("2026-11-23T18:00:00", 20),
        ("2026-11-24T14:00:00", 20),  # Tuesday 22:00
    ],
)
def test_a_window_past_midnight_belongs_to_the_day_it_began(moment: str, output: int) -> None:
    assert rates.resolve(TIERED, at(moment), 1)["output"] == output


def test_the_ceiling_covers_every_tier_and_window() -> None:
    assert rates.ceiling(TIERED) == {"input": 30, "output": 60}


def test_the_ceiling_knows_what_a_bucket_falls_back_to() -> None:
    cheaper_at_night = PriceWindow(timezone="UTC", days=(0,), start=0, end=60, rates={"image_input": 3})
    version = PriceVersion(id="p", effective_from_ms=0, rates={"input": 10}, windows=(cheaper_at_night,))
    assert rates.ceiling(version) == {"input": 10, "image_input": 10}


some_rates = st.dictionaries(st.sampled_from([*TOKEN_BUCKETS, "per_call"]), st.integers(0, 100), max_size=4)
minutes = st.integers(0, 24 * 60 - 1)
windows = st.builds(
    PriceWindow,
    timezone=st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"]),
    days=st.lists(st.integers(0, 6), max_size=7).map(tuple),
    start=minutes,
    end=minutes,
    rates=some_rates,
)
versions = st.builds(
    PriceVersion,
    id=st.just("p"),
    effective_from_ms=st.just(0),
    rates=some_rates,
    tiers=st.lists(st.builds(PriceTier, above_input_tokens=st.integers(0, 50), rates=some_rates), max_size=3).map(
        tuple
    ),
    windows=st.lists(windows, max_size=3).map(tuple),
)


@given(
    versions,
    st.integers(0, 2**42),
    st.integers(0, 60),
    st.dictionaries(st.sampled_from(TOKEN_BUCKETS), st.integers(0, 9)),
)
def test_nothing_ever_costs_more_than_the_ceiling(
    version: PriceVersion, at_ms: int, tokens: int, usage: dict[str, int]
) -> None:
    found, highest = rates.resolve(version, at_ms, tokens), rates.ceiling(version)
    for bucket in TOKEN_BUCKETS:
        assert charge.rate_of(bucket, found) <= charge.rate_of(bucket, highest)
    assert charge.total_nano(charge.lines(usage, found)) <= charge.total_nano(charge.lines(usage, highest))


@given(st.integers(at("2026-01-01"), at("2027-01-01")))
def test_an_hour_that_a_clock_skips_or_repeats_is_in_one_window_only(at_ms: int) -> None:
    halves = [
        PriceWindow(timezone="America/New_York", days=tuple(range(7)), start=start, end=end, rates={})
        for start, end in ((120, 840), (840, 120))
    ]
    assert sum(rates.is_open(window, at_ms) for window in halves) == 1


def test_of_two_versions_from_the_same_time_the_later_one_holds() -> None:
    found = rates.version_at([PriceVersion(id=name, effective_from_ms=5, rates={}) for name in ("a", "b")], 5)
    assert found is not None
    assert found.id == "b"


def test_the_version_in_force_is_the_latest_begun() -> None:
    versions = [PriceVersion(id=str(ms), effective_from_ms=ms, rates={}) for ms in (10, 30, 20)]
    assert rates.version_at(versions, 9) is None
    found = rates.version_at(versions, 25)
    assert found is not None
    assert found.id == "20"
