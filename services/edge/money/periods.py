"""Budget periods: which days, weeks and months an instant may belong to, in the time zone of the budget.

It decides the names of budget scopes and their ends. It must not know which period counts: that is for Redis' clock, so
the edge names the period that it believes in and its neighbours, and lets Redis choose. Times are ms since 1970, UTC.
"""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import msgspec

UTC = "UTC"
TOTAL = "total"


class Period(msgspec.Struct, frozen=True):
    """One period of a budget: `name` is a scope without its owner ("day:2026-11-25@Europe/Berlin").

    `end_ms` is the first instant after it, 0 when it never ends.
    """

    name: str
    start_ms: int
    end_ms: int


class Periods(msgspec.Struct, frozen=True):
    """The periods to choose from, oldest first. They are the right ones to send until `valid_until_ms` (0: always)."""

    choices: tuple[Period, ...]
    valid_until_ms: int


_FOR_EVER = Periods((Period(TOTAL, 0, 0),), 0)


def periods(window: str, timezone: str, now_ms: int) -> Periods:
    """The previous, the current and the next period of a window (day, week, month) as seen at `now_ms`.

    A `total` has one period. Raises ValueError for another window or a time zone that doesn't exist.
    """
    if window == TOTAL:
        return _FOR_EVER
    shape = _SHAPES.get(window)
    if shape is None:
        raise ValueError(f"there is no budget window {window!r}")
    start_of, name_of = shape
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"there is no time zone {timezone!r}") from None
    today = dt.datetime.fromtimestamp(now_ms / 1000, zone).date()
    current = start_of(today, 0)
    starts = [start_of(current, step) for step in (-1, 0, 1, 2)]
    instants = [_midnight_ms(day, zone) for day in starts]
    suffix = "" if timezone == UTC else f"@{timezone}"
    choices = tuple(
        Period(f"{window}:{name_of(day)}{suffix}", instants[place], instants[place + 1])
        for place, day in enumerate(starts[:3])
    )
    return Periods(choices, instants[2])


def _midnight_ms(day: dt.date, zone: ZoneInfo) -> int:
    """When a day begins. Where its midnight is skipped or comes twice, the first instant that isn't before it."""
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


def _day(day: dt.date, step: int) -> dt.date:
    return day + dt.timedelta(days=step)


def _week(day: dt.date, step: int) -> dt.date:
    return day - dt.timedelta(days=day.weekday()) + dt.timedelta(weeks=step)


def _month(day: dt.date, step: int) -> dt.date:
    months = day.year * 12 + day.month - 1 + step
    return dt.date(months // 12, months % 12 + 1, 1)


def _week_name(day: dt.date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


_SHAPES: dict[str, tuple[Callable[[dt.date, int], dt.date], Callable[[dt.date], str]]] = {
    "day": (_day, dt.date.isoformat),
    "week": (_week, _week_name),
    "month": (_month, lambda day: f"{day.year}-{day.month:02d}"),
}
