import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.edge.money.periods import periods

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "America/Sao_Paulo", "Asia/Beirut"]


def ms(zone: str, *date: int) -> int:
    return int(dt.datetime(*date, tzinfo=ZoneInfo(zone)).timestamp() * 1000)  # type: ignore[arg-type, misc]


def names(window: str, zone: str, now_ms: int) -> list[str]:
    return [period.name for period in periods(window, zone, now_ms).choices]


@pytest.mark.parametrize(
    ("window", "zone", "now", "expected"),
    [
        ("day", "UTC", (2026, 11, 25, 23, 59), ["day:2026-11-24", "day:2026-11-25", "day:2026-11-26"]),
        ("day", "UTC", (2024, 2, 28), ["day:2024-02-27", "day:2024-02-28", "day:2024-02-29"]),
        ("week", "UTC", (2026, 11, 25), ["week:2026-W47", "week:2026-W48", "week:2026-W49"]),
        ("week", "UTC", (2027, 1, 3), ["week:2026-W52", "week:2026-W53", "week:2027-W01"]),
        ("month", "UTC", (2026, 12, 31), ["month:2026-11", "month:2026-12", "month:2027-01"]),
        (
            "month",
            "Asia/Tokyo",
            (2026, 1, 1),
            ["month:2025-12@Asia/Tokyo", "month:2026-01@Asia/Tokyo", "month:2026-02@Asia/Tokyo"],
        ),
    ],
)
def test_names(window: str, zone: str, now: tuple[int, ...], expected: list[str]) -> None:
    assert names(window, zone, ms(zone, *now)) == expected


def test_the_total_never_ends() -> None:
    found = periods("total", "Europe/Berlin", 0)
    assert [(period.name, period.end_ms) for period in found.choices] == [("total", 0)]
    assert found.valid_until_ms == 0


def test_a_day_is_as_long_as_it_is_there() -> None:
    spring, autumn = ms("Europe/Berlin", 2026, 3, 29, 12), ms("Europe/Berlin", 2026, 10, 25, 12)
    for now, hours in ((spring, 23), (autumn, 25)):
        today = periods("day", "Europe/Berlin", now).choices[1]
        assert today.end_ms - today.start_ms == hours * 3_600_000


def test_a_day_without_a_midnight_begins_where_the_clock_jumps_to() -> None:
    jump = ms("America/Sao_Paulo", 2018, 11, 4, 1)
    today = periods("day", "America/Sao_Paulo", jump).choices[1]
    assert (today.name, today.start_ms) == ("day:2018-11-04@America/Sao_Paulo", jump)


@pytest.mark.parametrize(("window", "zone"), [("hour", "UTC"), ("day", "Mars/Olympus"), ("day", ""), ("day", "../x")])
def test_what_does_not_exist_is_said(window: str, zone: str) -> None:
    with pytest.raises(ValueError):
        periods(window, zone, 0)


@given(
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from(ZONES),
    st.integers(1_262_304_000_000, 2_524_608_000_000),
)
def test_periods_are_gapless_and_now_is_in_the_current_one(window: str, zone: str, now_ms: int) -> None:
    found = periods(window, zone, now_ms)
    before, current, after = found.choices
    assert before.end_ms == current.start_ms <= now_ms < current.end_ms == after.start_ms <= after.end_ms
    assert found.valid_until_ms == current.end_ms
    again = periods(window, zone, current.end_ms)
    assert after in again.choices
