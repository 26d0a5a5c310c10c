"""The shapes of what billing reports. Receipts themselves pass through as billing wrote them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from services.admin.web.fields import Identity, Instant, PageQuery, Query, Shown, UsdText, model_id

GROUPS = ("model", "key", "user", "channel", "account", "day", "hour", "endpoint", "outcome")
Outcome = Literal["ok", "client_gone", "upstream_error", "upstream_cut", "budget_stop", "recovered", "void"]
Model = Annotated[str, AfterValidator(model_id)]


def _split(value: object) -> object:
    """Names separated by commas, or the parameter given several times."""
    given = value if isinstance(value, list) else [value]
    return [name for part in given if isinstance(part, str) for name in part.split(",") if name]


def _groups(groups: list[str]) -> list[str]:
    if len(set(groups)) != len(groups) or not set(groups) <= set(GROUPS):
        raise ValueError("must be different names out of " + ", ".join(GROUPS))
    return groups


GroupBy = Annotated[
    list[str],
    BeforeValidator(_split),
    AfterValidator(_groups),
    WithJsonSchema({"type": "string", "examples": ["model,day"]}),
]


class _Narrowed(Query):
    start: Instant | None = Field(None, alias="from")
    end: Instant | None = Field(None, alias="to")
    account_id: Identity | None = None
    key_id: Identity | None = None
    user_id: Identity | None = None
    channel_id: Identity | None = None
    model: Model | None = None


class LogQuery(_Narrowed, PageQuery):
    outcome: Outcome | None = None


class UsageQuery(_Narrowed):
    group_by: GroupBy = Field(default_factory=list)


class BalanceQuery(Query):
    account_id: Identity | None = None


class BalanceShown(Shown):
    """`balance_usd` is credits less every charge; `available_usd` also less what requests in flight hold."""

    account_id: str
    unlimited: bool
    credits_usd: UsdText
    charged_usd: UsdText
    unposted_usd: UsdText
    reserved_usd: UsdText
    balance_usd: UsdText
    available_usd: UsdText


class LineShown(Shown):
    bucket: str
    quantity: int
    unit_price_usd: UsdText | None
    amount_usd: UsdText


class AttemptShown(Shown):
    channel: str
    upstream_model: str
    status: int
    outcome: str
    ms: int


class ReceiptShown(Shown):
    """What one request cost, and why."""

    request_id: str
    at: str
    account_id: str
    user_id: str | None
    key_id: str | None
    endpoint: str
    model: str
    attempts: list[AttemptShown]
    usage: dict[str, int]
    evidence: Literal["provider", "counted", "estimated", "hold", "none"]
    price: dict[str, str] | None
    lines: list[LineShown]
    cost_usd: UsdText
    outcome: Outcome
    trace_id: str | None
    loss: list[str]


class ReceiptList(Shown):
    data: list[ReceiptShown]
    next_cursor: str | None


class UsageRow(Shown):
    """Beside these, a field for each name grouped by: `model`, `key_id`, `user_id`, `channel_id`, `day` and so on."""

    requests: int
    errors: int
    cost_usd: UsdText
    usage: dict[str, int]


class UsageList(Shown):
    data: list[UsageRow]
    next_cursor: None = None


def usage_row(
    group: dict[str, str], requests: int, errors: int, cost_usd: str, usage: dict[str, int]
) -> dict[str, Any]:
    """One row of usage."""
    return {**group, "requests": requests, "errors": errors, "cost_usd": cost_usd, "usage": usage}
