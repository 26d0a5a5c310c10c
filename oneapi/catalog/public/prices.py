"""Prices of the catalog as anyone may read them, made of the functions that bill.

It decides what "the price now" means: the version in force and the time window that is open, below every tier. It must
not know which models are public.
"""

from collections.abc import Mapping

from oneapi.catalog.public.view import PublicPrice, PublicRates, PublicTier, PublicWindow
from oneapi.catalog.types import TOKEN_BUCKETS, UNITS, Price, PriceVersion
from oneapi.pricing.charge import FALLBACK
from oneapi.pricing.money import rate_from_usd_per_million, usd_per_million_text, usd_per_unit_text
from oneapi.pricing.rates import is_open, resolve, version_at

MINUTE_MS = 60_000


def public_price(price: Price | None, at_ms: int) -> PublicPrice | None:
    """The price in force at a time; None when there is none yet."""
    version = None if price is None else version_at(price.versions, at_ms)
    if version is None:
        return None
    return PublicPrice(
        now=rates(resolve(version, at_ms, 0)),
        base=rates(version.rates),
        tiers=tuple(
            PublicTier(above_input_tokens=tier.above_input_tokens, rates=rates(tier.rates))
            for tier in sorted(version.tiers, key=lambda tier: tier.above_input_tokens)
        ),
        windows=tuple(
            PublicWindow(
                timezone=window.timezone,
                days=window.days,
                start=_clock(window.start),
                end=_clock(window.end),
                rates=rates(window.rates),
                open=window is _open(version, at_ms),
            )
            for window in version.windows
        ),
    )


def rates(pico: Mapping[str, int]) -> PublicRates:
    """Pico-USD of buckets and units as decimal USD, in the catalog's order."""
    return PublicRates(
        per_million=tuple((name, usd_per_million_text(pico[name])) for name in TOKEN_BUCKETS if name in pico),
        per_unit=tuple((name, usd_per_unit_text(pico[name])) for name in UNITS if name in pico),
    )


def charged(shown: PublicRates, bucket: str) -> str:
    """What a token of a bucket or a unit costs: its own price, or that of the bucket that it counts as; "0" without."""
    own = shown.of(bucket)
    return own if own is not None else shown.of(FALLBACK.get(bucket, "")) or "0"


def per_token(usd_per_million: str) -> str:
    """USD for one token, of what a million cost."""
    return usd_per_unit_text(rate_from_usd_per_million(usd_per_million))


def over(shown: PublicRates, instead: PublicRates) -> PublicRates:
    """Rates with some of them replaced, as by a tier."""
    per_million = dict(shown.per_million) | dict(instead.per_million)
    per_unit = dict(shown.per_unit) | dict(instead.per_unit)
    return PublicRates(
        per_million=tuple((name, per_million[name]) for name in TOKEN_BUCKETS if name in per_million),
        per_unit=tuple((name, per_unit[name]) for name in UNITS if name in per_unit),
    )


def next_change_ms(price: Price | None, at_ms: int) -> int | None:
    """When this price may change by itself: a version begins, or, with time windows, the next whole minute."""
    if price is None:
        return None
    found = [version.effective_from_ms for version in price.versions if version.effective_from_ms > at_ms]
    version = version_at(price.versions, at_ms)
    if version is not None and version.windows:
        found.append((at_ms // MINUTE_MS + 1) * MINUTE_MS)
    return min(found, default=None)


def _open(version: PriceVersion, at_ms: int) -> object:
    """The window that counts: the first that is open."""
    return next((window for window in version.windows if is_open(window, at_ms)), None)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
