"""Which rates hold: the version at a time, its time window, its tier.

It decides precedence: the version whose time has come, then the first time window that is open, then the highest tier
that the input reaches; a window's or tier's rate replaces the base rate of the same bucket only. It must not know
where prices are kept.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from oneapi.pricing.charge import rate_of


class Tier(Protocol):
    """Rates above a number of input tokens."""

    @property
    def above_input_tokens(self) -> int: ...
    @property
    def rates(self) -> dict[str, int]: ...


class Window(Protocol):
    """Rates in certain hours: minutes of the day in a time zone, on days 0 (Monday) to 6."""

    @property
    def timezone(self) -> str: ...
    @property
    def days(self) -> tuple[int, ...]: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def rates(self) -> dict[str, int]: ...


class Version(Protocol):
    """One immutable price."""

    @property
    def effective_from_ms(self) -> int: ...
    @property
    def rates(self) -> dict[str, int]: ...
    @property
    def tiers(self) -> Sequence[Tier]: ...
    @property
    def windows(self) -> Sequence[Window]: ...


AnyVersion = TypeVar("AnyVersion", bound=Version)


def version_at(versions: Sequence[AnyVersion], at_ms: int) -> AnyVersion | None:
    """The version in force at a time (ms of Unix time): the latest that has begun; None before the first.

    Of two that begin at the same time the later one in the sequence holds.
    """
    if len(versions) == 1:  # as of most prices, and every request asks
        return versions[0] if versions[0].effective_from_ms <= at_ms else None
    begun = [version for version in reversed(versions) if version.effective_from_ms <= at_ms]
    return max(begun, key=lambda version: version.effective_from_ms, default=None)


def is_open(window: Window, at_ms: int) -> bool:
    """Whether a time is inside the window. An end at or before the start is on the next day."""
    local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(window.timezone))
    minute = local.hour * 60 + local.minute
    if window.start < window.end:
        return local.weekday() in window.days and window.start <= minute < window.end
    yesterday = (local - timedelta(days=1)).weekday()
    return (local.weekday() in window.days and minute >= window.start) or (
        yesterday in window.days and minute < window.end
    )


def resolve(version: Version, at_ms: int, input_tokens: int) -> dict[str, int]:
    """The rates of one request, flat. `input_tokens` is the sum of all input buckets."""
    if not version.windows and not version.tiers:  # as most have none
        return dict(version.rates)
    window = next((window for window in version.windows if is_open(window, at_ms)), None)
    reached = [tier for tier in version.tiers if input_tokens > tier.above_input_tokens]
    return _combined(version, window, max(reached, key=lambda tier: tier.above_input_tokens, default=None))


def ceiling(version: Version) -> dict[str, int]:
    """The highest rate of each bucket over all tiers and windows: what a reservation must cover.

    A bucket that has a rate of its own in one of them only counts elsewhere as what it falls back to there.
    """
    possible = [
        _combined(version, window, tier) for window in (None, *version.windows) for tier in (None, *version.tiers)
    ]
    buckets = {bucket: None for rates in possible for bucket in rates}
    return {bucket: max(rate_of(bucket, rates) for rates in possible) for bucket in buckets}


def _combined(version: Version, window: Window | None, tier: Tier | None) -> dict[str, int]:
    rates = dict(version.rates)
    if window is not None:
        rates |= window.rates
    if tier is not None:
        rates |= tier.rates
    return rates
