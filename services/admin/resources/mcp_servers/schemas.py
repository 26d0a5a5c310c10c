"""The shapes of MCP servers in the API. Credentials and header values go in and never come out."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from oneapi.pricing.money import rate_from_usd_per_unit, usd_per_unit_text
from services.admin.clock import instant_text
from services.admin.store.schema import McpServer
from services.admin.upstreams.rules import check_headers, check_secret
from services.admin.web.fields import (
    Distinct,
    InstantText,
    Name,
    Shown,
    Strict,
    UsdText,
    masked,
    unchanged,
)

MAX_TOOLS = 1000
MAX_RATE = 10**16
"""Pico-USD: 10,000 USD for one call."""


def _price(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError('must be a decimal string of US dollars, such as "0.01"')  # noqa: TRY004 - pydantic's way
    rate = rate_from_usd_per_unit(value)
    if not 0 <= rate <= MAX_RATE:
        raise ValueError("must be between 0 and 10000")
    return rate


def _pattern(text: str) -> str:
    if not 1 <= len(text) <= 200 or not text.isprintable() or text != text.strip():
        raise ValueError("must be a tool's name, or a pattern of names such as search_*")
    return text


_PRICE_SCHEMA = {"type": "string", "pattern": r"^\d+(\.\d{1,12})?$", "examples": ["0.01"]}
ToolPattern = Annotated[str, AfterValidator(_pattern)]
ToolPatterns = Annotated[list[ToolPattern], Distinct, Field(max_length=MAX_TOOLS)]
ToolPrice = Annotated[int, BeforeValidator(_price), WithJsonSchema(_PRICE_SCHEMA)]
ToolPrices = Annotated[dict[ToolPattern, ToolPrice], Field(max_length=MAX_TOOLS)]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
Secret = Annotated[str, AfterValidator(check_secret)]
Headers = Annotated[dict[str, str], AfterValidator(check_headers)]
Priority = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


class McpServerCreate(Strict):
    name: Name
    url: Url = Field(description="A Streamable HTTP endpoint.")
    auth: Secret | None = Field(None, description="A bearer token, or a whole Authorization value with its scheme.")
    headers: Headers = Field(default_factory=dict)
    allow: ToolPatterns = Field(default_factory=list, description="Tools to offer; all when empty.")
    deny: ToolPatterns = Field(default_factory=list, description="Tools never to offer.")
    priority: Priority = Field(0, description="Higher first.")
    prices: ToolPrices = Field(default_factory=dict, description="US dollars per call of a tool.")
    enabled: bool = True


class McpServerPatch(Strict):
    name: Name = unchanged()
    url: Url = unchanged()
    auth: Secret | None = unchanged()
    headers: Headers = unchanged()
    allow: ToolPatterns = unchanged()
    deny: ToolPatterns = unchanged()
    priority: Priority = unchanged()
    prices: ToolPrices = unchanged()
    enabled: bool = unchanged()


class McpServerShown(Shown):
    """`auth` and `headers` are masks: the last four characters of a long token, and names without values."""

    id: str
    name: str
    url: str
    auth: str | None
    headers: dict[str, str]
    allow: list[str]
    deny: list[str]
    priority: int
    prices: dict[str, UsdText]
    enabled: bool
    created_at: InstantText
    updated_at: InstantText

    @classmethod
    def of(cls, row: McpServer) -> "McpServerShown":
        return cls(
            id=row.id,
            name=row.name,
            url=row.url,
            auth=row.auth_last4 or None,
            headers=masked(row.headers_sealed),
            allow=row.allow,
            deny=row.deny,
            priority=row.priority,
            prices={tool: usd_per_unit_text(rate) for tool, rate in row.prices.items()},
            enabled=row.enabled,
            created_at=instant_text(row.created_at_ms),
            updated_at=instant_text(row.updated_at_ms),
        )


def plain_columns(given: dict[str, Any]) -> dict[str, Any]:
    """Fields of a body as columns, without those that are sealed."""
    return {name: value for name, value in given.items() if name not in {"auth", "headers"}}
