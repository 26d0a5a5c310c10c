"""The shapes of prices in the API: decimal strings of US dollars, per million tokens and per unit.

Decides how text becomes rates and back, exactly. It must not know how versions are stored or chosen.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    WithJsonSchema,
    model_validator,
)

from oneapi.catalog.types import TOKEN_BUCKETS, UNITS
from oneapi.pricing.money import (
    rate_from_usd_per_million,
    rate_from_usd_per_unit,
    usd_per_million_text,
    usd_per_unit_text,
)
from services.admin.clock import instant_text
from services.admin.resources.keys.schemas import Zone
from services.admin.store.schema import PriceVersion
from services.admin.web.fields import Identity, Instant, InstantText, Shown, Strict, unchanged

MAX_TOKEN_RATE = 10**12
"""Pico-USD: a million USD per million tokens."""
MAX_UNIT_RATE = 10**16
"""Pico-USD: 10,000 USD for one unit."""
RATE_NAMES = (*TOKEN_BUCKETS, *UNITS)
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _rate(parse: Callable[[str], int], most: int) -> Callable[[object], int | None]:
    def convert(value: object) -> int | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise ValueError('must be a decimal string of US dollars, such as "0.10"')  # noqa: TRY004 - pydantic's way
        rate = parse(value)
        if not 0 <= rate <= most:
            raise ValueError("must be 0 or more, and not absurdly high")
        return rate

    return convert


def _day(value: object) -> object:
    if isinstance(value, str):
        matches = [number for number, name in enumerate(_DAYS) if len(value) >= 3 and name.startswith(value.lower())]
        if len(matches) != 1:
            raise ValueError("must be a day: 0 (Monday) to 6, or its English name")
        return matches[0]
    return value


def _minutes(value: object) -> int:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise ValueError("must be a time of day such as 09:30, up to 24:00")
    return int(value[:2]) * 60 + int(value[3:])


_USD_SCHEMA = {"type": "string", "pattern": r"^\d+(\.\d+)?$", "examples": ["0.10"]}
_RATE_SCHEMA = {"anyOf": [_USD_SCHEMA, {"type": "null"}]}
_CLOCK_SCHEMA = {"type": "string", "pattern": _CLOCK.pattern, "examples": ["09:30"]}
PerMillion = Annotated[
    int | None, BeforeValidator(_rate(rate_from_usd_per_million, MAX_TOKEN_RATE)), WithJsonSchema(_RATE_SCHEMA)
]
PerUnit = Annotated[
    int | None, BeforeValidator(_rate(rate_from_usd_per_unit, MAX_UNIT_RATE)), WithJsonSchema(_RATE_SCHEMA)
]
Day = Annotated[int, Field(ge=0, le=6), BeforeValidator(_day)]
Minutes = Annotated[int, BeforeValidator(_minutes), WithJsonSchema(_CLOCK_SCHEMA)]
UsdText = Annotated[str, WithJsonSchema(_USD_SCHEMA)]


class RatesGiven(Strict):
    """US dollars per million tokens of each bucket, and for each unit."""

    input: PerMillion = unchanged()
    cached_input: PerMillion = unchanged()
    cache_write_5m: PerMillion = unchanged()
    cache_write_1h: PerMillion = unchanged()
    audio_input: PerMillion = unchanged()
    image_input: PerMillion = unchanged()
    output: PerMillion = unchanged()
    reasoning: PerMillion = unchanged()
    audio_output: PerMillion = unchanged()
    image_output: PerMillion = unchanged()
    per_call: PerUnit = unchanged()
    image: PerUnit = unchanged()
    second: PerUnit = unchanged()
    character: PerUnit = unchanged()
    page: PerUnit = unchanged()
    search: PerUnit = unchanged()
    tool_call: PerUnit = unchanged()

    def rates(self) -> dict[str, int]:
        """Pico-USD for one token or unit, of what was given."""
        given = ((name, getattr(self, name)) for name in RATE_NAMES)
        return {name: rate for name, rate in given if rate is not None}


class _OverriddenRates(RatesGiven):
    """Rates beside other fields, or in an object `prices` of their own."""

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("prices"), dict):
            rest = {name: value for name, value in given.items() if name != "prices"}
            if not set(rest) & set(given["prices"]):
                return rest | given["prices"]
        return given

    @model_validator(mode="after")
    def _some_rate(self) -> "_OverriddenRates":
        if not self.rates():
            raise ValueError("must hold at least one price")
        return self


class TierGiven(_OverriddenRates):
    """Prices of the whole request when its input, all buckets together, is above the bound."""

    above_input_tokens: int = Field(ge=1, le=10**9)


class WindowGiven(_OverriddenRates):
    """Prices at certain hours. A `to` at or before `from` is on the next day."""

    timezone: Zone = "UTC"
    days: list[Day] = Field(default_factory=lambda: list(range(7)), min_length=1, max_length=7)
    start: Minutes = Field(alias="from")
    end: Minutes = Field(alias="to")


def _distinct_tiers(tiers: list[TierGiven]) -> list[TierGiven]:
    if len({tier.above_input_tokens for tier in tiers}) != len(tiers):
        raise ValueError("must not hold two tiers with the same bound")
    return sorted(tiers, key=lambda tier: tier.above_input_tokens)


class PriceGiven(RatesGiven):
    tiers: Annotated[list[TierGiven], AfterValidator(_distinct_tiers)] = Field(default_factory=list, max_length=16)
    time_windows: list[WindowGiven] = Field(default_factory=list, max_length=16)
    effective_from: Instant | None = Field(None, description="Now when it is left out.")
    channel: Identity | None = Field(None, description="The channel on which this price holds; every one without it.")

    def columns(self) -> dict[str, Any]:
        """Rates, tiers and windows as the columns of a version."""
        return {"rates": self.rates(), "tiers": tier_columns(self.tiers), "windows": window_columns(self.time_windows)}


class PricePatch(RatesGiven):
    """What differs from the version in force; null removes a price. The result is a new version."""

    tiers: Annotated[list[TierGiven], AfterValidator(_distinct_tiers)] = unchanged()
    time_windows: list[WindowGiven] = unchanged()
    effective_from: Instant | None = None
    channel: Identity | None = None


def tier_columns(tiers: list[TierGiven]) -> list[dict[str, Any]]:
    """As the catalog writes them."""
    return [{"above_input_tokens": tier.above_input_tokens, "rates": tier.rates()} for tier in tiers]


def window_columns(windows: list[WindowGiven]) -> list[dict[str, Any]]:
    """As the catalog writes them."""
    return [
        {
            "timezone": window.timezone,
            "days": sorted(set(window.days)),
            "start": window.start,
            "end": window.end,
            "rates": window.rates(),
        }
        for window in windows
    ]


class RatesShown(Shown):
    """US dollars per million tokens of each bucket, and for each unit."""

    input: UsdText | None = None
    cached_input: UsdText | None = None
    cache_write_5m: UsdText | None = None
    cache_write_1h: UsdText | None = None
    audio_input: UsdText | None = None
    image_input: UsdText | None = None
    output: UsdText | None = None
    reasoning: UsdText | None = None
    audio_output: UsdText | None = None
    image_output: UsdText | None = None
    per_call: UsdText | None = None
    image: UsdText | None = None
    second: UsdText | None = None
    character: UsdText | None = None
    page: UsdText | None = None
    search: UsdText | None = None
    tool_call: UsdText | None = None


class TierShown(RatesShown):
    above_input_tokens: int


class WindowShown(RatesShown):
    timezone: str
    days: list[int]
    start: str = Field(alias="from")
    end: str = Field(alias="to")


class VersionShown(RatesShown):
    id: str
    effective_from: InstantText
    tiers: list[TierShown]
    time_windows: list[WindowShown]
    created_at: InstantText
    created_by: str


class PriceShown(VersionShown):
    """The version in force, or the next one when none is yet; `versions` are it and those to come."""

    model: str
    channel: str | None
    versions: list[VersionShown]

    @classmethod
    def of(cls, model: str, channel_id: str, versions: list[PriceVersion]) -> "PriceShown":
        """`versions` are those in force and to come, oldest first, at least one."""
        shown = [version_fields(version) for version in versions]
        return cls.model_validate({**shown[0], "model": model, "channel": channel_id or None, "versions": shown})


def rate_texts(rates: Mapping[str, int]) -> dict[str, str]:
    """Rates as decimal US dollars."""
    return {
        name: usd_per_million_text(rate) if name in TOKEN_BUCKETS else usd_per_unit_text(rate)
        for name, rate in rates.items()
    }


def version_fields(row: PriceVersion) -> dict[str, Any]:
    """A version as the API shows it."""
    return {
        "id": row.id,
        "effective_from": instant_text(row.effective_from_ms),
        **rate_texts(row.rates),
        "tiers": [
            {"above_input_tokens": tier["above_input_tokens"], **rate_texts(tier["rates"])} for tier in row.tiers
        ],
        "time_windows": [
            {
                "timezone": window["timezone"],
                "days": window["days"],
                "from": _clock_text(window["start"]),
                "to": _clock_text(window["end"]),
                **rate_texts(window["rates"]),
            }
            for window in row.windows
        ],
        "created_at": instant_text(row.created_at_ms),
        "created_by": row.created_by,
    }


def _clock_text(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def dumped(shown: BaseModel) -> dict[str, Any]:
    """A price as the audit keeps it: without the fields that it doesn't have."""
    return shown.model_dump(by_alias=True, exclude_unset=True)
