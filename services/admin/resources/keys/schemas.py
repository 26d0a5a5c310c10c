"""The shapes of relay keys in the API. A key is shown once, by the answer that makes it."""

import ipaddress
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field

from oneapi.pricing.money import usd_text
from services.admin.clock import instant_text
from services.admin.store.credentials import DEFAULT_OVERLAP_S, MAX_OVERLAP_S
from services.admin.store.schema import Key
from services.admin.web.fields import (
    Distinct,
    Identity,
    Instant,
    InstantText,
    ModelId,
    Name,
    PositiveUsd,
    Shown,
    Strict,
    UsdText,
    unchanged,
)

MAX_LISTED = 1000
Window = Literal["total", "day", "week", "month"]
Disconnect = Literal["cancel", "drain", "store"]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("must be an IANA time zone, such as Europe/Berlin")
    return name


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False) if "/" in text else ipaddress.ip_address(text))
    except ValueError as error:
        raise ValueError("must be an IP address or a network such as 192.0.2.0/24") from error


def _tool(name: str) -> str:
    if not 1 <= len(name) <= 200 or not name.isprintable() or name != name.strip():
        raise ValueError("must be a tool's name")
    return name


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else [] if value is None else value


Zone = Annotated[str, AfterValidator(_zone)]
Network = Annotated[str, AfterValidator(_network)]
ToolName = Annotated[str, AfterValidator(_tool)]


class BudgetGiven(Strict):
    """A hard limit on what the key may spend in each window."""

    amount_usd: PositiveUsd
    window: Window = "total"
    timezone: Zone = "UTC"


def _distinct_windows(budgets: list[BudgetGiven]) -> list[BudgetGiven]:
    if len({(budget.window, budget.timezone) for budget in budgets}) != len(budgets):
        raise ValueError("must not hold two budgets of the same window")
    return budgets


class LimitsGiven(Strict):
    """Requests and tokens per minute, and requests at a time. Null is unlimited."""

    rpm: int | None = Field(None, ge=1, le=10_000_000)
    tpm: int | None = Field(None, ge=1, le=10_000_000_000)
    concurrency: int | None = Field(None, ge=1, le=1_000_000)


Budgets = Annotated[
    list[BudgetGiven],
    BeforeValidator(_as_list, json_schema_input_type=BudgetGiven | list[BudgetGiven] | None),
    Field(max_length=8),
    AfterValidator(_distinct_windows),
]
Models = Annotated[list[ModelId], Distinct, Field(max_length=MAX_LISTED)]
Tools = Annotated[list[ToolName], Distinct, Field(max_length=MAX_LISTED)]
Channels = Annotated[list[Identity], Distinct, Field(max_length=MAX_LISTED)]
Addresses = Annotated[list[Network], Distinct, Field(max_length=MAX_LISTED)]


class KeyCreate(Strict):
    name: Name
    account_id: Identity | None = Field(None, description="The caller's own account when it is left out.")
    user_id: Identity | None = None
    models: Models | None = Field(None, description="Null allows every model.")
    tools: Tools | None = Field(None, description="Null allows every tool.")
    channels: Channels | None = Field(None, description="Null allows every channel.")
    budget: Budgets = Field(default_factory=list, description="One budget or a list of them.")
    limits: LimitsGiven = Field(default_factory=lambda: LimitsGiven.model_validate({}))
    expires_at: Instant | None = None
    allowed_ips: Addresses = Field(default_factory=list, description="Empty allows every address.")
    disconnect: Disconnect = "cancel"
    strict: bool = Field(False, description="Whether a request is refused that can't be carried to its model whole.")
    enabled: bool = True


class KeyPatch(Strict):
    name: Name = unchanged()
    user_id: Identity | None = unchanged()
    models: Models | None = unchanged()
    tools: Tools | None = unchanged()
    channels: Channels | None = unchanged()
    budget: Budgets = unchanged()
    limits: LimitsGiven = unchanged()
    expires_at: Instant | None = unchanged()
    allowed_ips: Addresses = unchanged()
    disconnect: Disconnect = unchanged()
    strict: bool = unchanged()
    enabled: bool = unchanged()


class KeyRotate(Strict):
    """How long the secret that is replaced still works."""

    overlap_seconds: int = Field(DEFAULT_OVERLAP_S, ge=0, le=MAX_OVERLAP_S)


class BudgetShown(Shown):
    amount_usd: UsdText
    window: Window
    timezone: str


class LimitsShown(Shown):
    rpm: int | None
    tpm: int | None
    concurrency: int | None


class KeyShown(Shown):
    """`budget` is one budget, or a list when there are several, or null.

    After a rotation `previous_hint` and `previous_ends_at` tell of the secret before.
    """

    id: str
    account_id: str
    user_id: str | None
    name: str
    hint: str
    previous_hint: str | None
    previous_ends_at: InstantText | None
    models: list[str] | None
    tools: list[str] | None
    channels: list[str] | None
    budget: BudgetShown | list[BudgetShown] | None
    limits: LimitsShown
    expires_at: InstantText | None
    allowed_ips: list[str]
    disconnect: Disconnect
    strict: bool
    enabled: bool
    created_at: InstantText
    updated_at: InstantText

    @classmethod
    def of(cls, row: Key) -> "KeyShown":
        budgets = [
            BudgetShown(
                amount_usd=usd_text(budget["amount_nano"]), window=budget["window"], timezone=budget["timezone"]
            )
            for budget in row.budgets
        ]
        return cls.model_validate(
            {
                "id": row.id,
                "account_id": row.account_id,
                "user_id": row.user_id,
                "name": row.name,
                "hint": row.hint,
                "previous_hint": row.previous_hint,
                "previous_ends_at": None if row.previous_ends_at_ms is None else instant_text(row.previous_ends_at_ms),
                "models": row.models,
                "tools": row.tools,
                "channels": row.channels,
                "budget": None if not budgets else budgets[0] if len(budgets) == 1 else budgets,
                "limits": {"rpm": None, "tpm": None, "concurrency": None} | row.limits,
                "expires_at": None if row.expires_at_ms is None else instant_text(row.expires_at_ms),
                "allowed_ips": row.allowed_ips,
                "disconnect": row.disconnect,
                "strict": row.strict,
                "enabled": row.enabled,
                "created_at": instant_text(row.created_at_ms),
                "updated_at": instant_text(row.updated_at_ms),
            }
        )


class KeyMade(KeyShown):
    """With the key itself, this once."""

    key: str


def stored(given: dict[str, Any]) -> dict[str, Any]:
    """Fields of a body as columns of the row."""
    columns = dict(given)
    if "budget" in columns:
        columns["budgets"] = [
            {"amount_nano": budget.amount_usd, "window": budget.window, "timezone": budget.timezone}
            for budget in columns.pop("budget")
        ]
    if "limits" in columns:
        columns["limits"] = columns["limits"].model_dump(exclude_none=True)
    if "expires_at" in columns:
        columns["expires_at_ms"] = columns.pop("expires_at")
    return columns
