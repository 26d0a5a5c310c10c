"""The kinds of values that bodies and queries hold: names, money, times, lists, and the strict models around them.

Decides what text is acceptable and in which form money and time travel: decimal strings and RFC 3339. This module must
not know which resource has which field.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from oneapi.catalog.types import MAX_AMOUNT_NANO
from oneapi.pricing.money import parse_usd
from services.admin.clock import parse_instant

USD_PLACES = 9
MAX_NAME = 200
MAX_MODEL = 256
_MODEL = re.compile(r"[^\s\x00-\x1f\x7f-\x9f]+( [^\s\x00-\x1f\x7f-\x9f]+)*")
_GROUP = re.compile(r"[A-Za-z0-9_.\-]{1,64}")

Item = TypeVar("Item")


class Strict(BaseModel):
    """A body: unknown fields are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """Query parameters: unknown ones are refused; numbers come as text."""

    model_config = ConfigDict(extra="forbid")


class Shown(BaseModel):
    """What an answer holds."""


class ListOf(BaseModel, Generic[Item]):
    """One page of a list. `next_cursor` is null on the last page."""

    data: list[Item]
    next_cursor: str | None


class PageQuery(Query):
    """How much of a list, and from where."""

    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=1024)


def unchanged() -> Any:
    """The default of a field of a PATCH: not in the body, so not changed. Ask `model_fields_set`."""
    return Field(default_factory=lambda: None)


def changes(body: BaseModel) -> dict[str, Any]:
    """The fields that a PATCH gives, by name."""
    return {name: getattr(body, name) for name in sorted(body.model_fields_set)}


def clean_text(text: str) -> str:
    """One line of printable text. ValueError for control and format characters, and for spaces at the ends."""
    if text != text.strip():
        raise ValueError("must not begin or end with spaces")
    # Cc: control, Cs: surrogates, Zl and Zp: line separators; bidirectional overrides are Cf.
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in _BIDI for character in text):
        raise ValueError("must not hold control characters")
    return text


_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def model_id(text: str) -> str:
    """A model's id as clients write it. ValueError."""
    if len(text) > MAX_MODEL or not _MODEL.fullmatch(text):
        raise ValueError(f"must be a model id of 1 to {MAX_MODEL} characters without control characters")
    return text


def _group(text: str) -> str:
    if text != "*" and not _GROUP.fullmatch(text):
        raise ValueError("must be 1 to 64 letters, digits, dots, dashes or underscores")
    return text


def _distinct(items: list[Item]) -> list[Item]:
    if len({repr(item) for item in items}) != len(items):
        raise ValueError("must not hold the same entry twice")
    return items


def _usd(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError('must be a decimal string of US dollars, such as "12.50"')  # noqa: TRY004 - pydantic's way
    amount = parse_usd(value, USD_PLACES)
    if abs(amount) > MAX_AMOUNT_NANO:
        raise ValueError("must be between -9000000 and 9000000")
    return amount


def _instant(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("must be an RFC 3339 time as a string")  # noqa: TRY004 - pydantic's way
    return parse_instant(value)


def _positive(amount: int) -> int:
    if amount <= 0:
        raise ValueError("must be more than 0")
    return amount


_USD_SCHEMA = {"type": "string", "pattern": r"^-?\d+(\.\d{1,9})?$", "examples": ["12.50"]}
_INSTANT_SCHEMA = {"type": "string", "format": "date-time"}

Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(clean_text)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(clean_text)]
Identity = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{1,64}$")]
ModelId = Annotated[str, AfterValidator(model_id)]
Group = Annotated[str, AfterValidator(_group)]
Usd = Annotated[int, BeforeValidator(_usd), WithJsonSchema(_USD_SCHEMA)]
"""Nano-USD, from a decimal string with up to nine decimals."""
PositiveUsd = Annotated[int, BeforeValidator(_usd), AfterValidator(_positive), WithJsonSchema(_USD_SCHEMA)]
Instant = Annotated[int, BeforeValidator(_instant), WithJsonSchema(_INSTANT_SCHEMA)]
"""Unix milliseconds, from an RFC 3339 time."""
UsdText = Annotated[str, WithJsonSchema(_USD_SCHEMA)]
InstantText = Annotated[str, WithJsonSchema(_INSTANT_SCHEMA)]
Distinct = AfterValidator(_distinct)


def last4(secret: str) -> str:
    """What may be shown of a secret that is long enough for it."""
    return f"…{secret[-4:]}" if len(secret) >= 16 else "…" if secret else ""


def masked(secrets: Mapping[str, str]) -> dict[str, str]:
    """Names with nothing of their values."""
    return dict.fromkeys(secrets, "…")
