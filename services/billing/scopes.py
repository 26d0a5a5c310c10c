"""Budget scopes: what their names say about whose budget they are and until when they count.

It decides when the sum of a scope is no longer needed for admission. It must not know limits or amounts. The names are
made by the edge: `key:<id>:total`, `key:<id>:day:2026-11-25`, `…:week:2026-W48`, `…:month:2026-11`, each with
`@<time zone>` unless it is UTC's.
"""

import datetime as dt
import re
from dataclasses import dataclass

ACCOUNT = ""
"""The scope of the account itself, which is no budget."""

_NAME = re.compile(r"key:([^:\s]{1,200}):(total|day|week|month)(?::([0-9W-]{7,10}))?(?:@([A-Za-z0-9_+/-]{1,64}))?")
_MARGIN = dt.timedelta(hours=26)
"""The widest time zones are 14 hours from UTC, and a request may be billed for a while under its own period."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The parts of a name. `ends` is the first day after the period by its own calendar, None for a total."""

    key_id: str
    window: str
    timezone: str
    ends: dt.date | None


def parse(name: str) -> Scope | None:
    """The parts, or None when it isn't the name of a budget scope."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    key_id, window, period, zone = match.groups()
    if (window == "total") != (period is None):
        return None
    try:
        ends = _end(window, period) if period else None
    except ValueError:
        return None
    return Scope(key_id, window, zone or "UTC", ends)


def counts(name: str, now_ms: int) -> bool:
    """Whether a request that comes at `now_ms` could still count against it. True for a name that says nothing."""
    scope = parse(name)
    if scope is None or scope.ends is None:
        return True
    end = dt.datetime.combine(scope.ends, dt.time(), dt.UTC) + _MARGIN
    return now_ms < end.timestamp() * 1000


def _end(window: str, period: str) -> dt.date:
    if window == "day":
        return dt.date.fromisoformat(period) + dt.timedelta(days=1)
    if window == "week":
        year, _, week = period.partition("-W")
        return dt.date.fromisocalendar(int(year), int(week), 1) + dt.timedelta(weeks=1)
    year, _, month = period.partition("-")
    following = int(year) * 12 + int(month)
    if not 1 <= int(month) <= 12:
        raise ValueError("there is no such month")
    return dt.date(following // 12, following % 12 + 1, 1)
