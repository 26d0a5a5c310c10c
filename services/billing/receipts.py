"""The receipt of one request, as the public API shows it, from its line in the ledger.

It decides the receipt's JSON: one rendering, so that every door shows the same bytes. Pure. It must not know who asks
or whether they may. Amounts in it are exact decimal strings in USD.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from oneapi.catalog.types import TOKEN_BUCKETS
from oneapi.pricing.charge import PICO_PER_NANO
from oneapi.pricing.money import usd_per_million_text, usd_per_unit_text, usd_text, usd_text_of_pico
from services.billing.charges import by_bucket
from services.billing.rows import KIND_HOLD

LINE_ROUNDING = "rounding"
LINE_HOUSE = "house"
LINE_HOLD = "hold"

_TOKENS = frozenset(TOKEN_BUCKETS)
_encode = msgspec.json.Encoder().encode

RECEIPT_COLUMNS: Mapping[str, str] = {
    "request_id": "request_id",
    "at_ms": "toUnixTimestamp64Milli(reserved_at)",
    **{
        name: name
        for name in (
            "account_id",
            "user_id",
            "key_id",
            "endpoint",
            "model",
            "attempts",
            "usage",
            "evidence",
            "priced",
            "price_id",
            "price",
            "lines",
            "kind",
            "amount_nano",
            "outcome",
            "trace_id",
            "loss",
        )
    },
}
"""What `render` needs of `ledger_v`: the name in the row, and the expression."""


def render(row: Mapping[str, Any]) -> bytes:
    """The receipt's JSON from a row with RECEIPT_COLUMNS."""
    return _encode(
        {
            "request_id": row["request_id"],
            "at": rfc3339(row["at_ms"]),
            "account_id": row["account_id"],
            "user_id": row["user_id"],
            "key_id": row["key_id"],
            "endpoint": row["endpoint"],
            "model": row["model"],
            "attempts": [_attempt(attempt) for attempt in row["attempts"]],
            "usage": by_bucket(row["usage"]),
            "evidence": row["evidence"],
            "price": _price(row["price_id"], row["price"]) if row["priced"] else None,
            "lines": _lines(row["kind"], row["lines"], row["amount_nano"]),
            "cost_usd": usd_text(row["amount_nano"]),
            "outcome": row["outcome"],
            "trace_id": row["trace_id"],
            "loss": list(row["loss"]),
        }
    )


def rfc3339(ms: int) -> str:
    """ms since 1970 as RFC 3339 in UTC, with milliseconds."""
    seconds, rest = divmod(ms, 1000)
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def _attempt(attempt: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    channel, upstream_model, status, outcome, ms = attempt.values() if isinstance(attempt, Mapping) else attempt
    return {"channel": channel, "upstream_model": upstream_model, "status": status, "outcome": outcome, "ms": ms}


def _price(price_id: str, rates: Mapping[str, int]) -> dict[str, str]:
    """Rates as the management API takes them: tokens per million, units each."""
    shown = {"id": price_id}
    for bucket, pico in by_bucket(rates).items():
        shown[bucket] = usd_per_million_text(pico) if bucket in _TOKENS else usd_per_unit_text(pico)
    return shown


def _lines(kind: str, stored: Iterable[Mapping[str, Any] | Sequence[Any]], amount_nano: int) -> list[dict[str, Any]]:
    """The stored lines and what makes their sum the charge: rounding up, or what a hard limit kept from the account."""
    charged = amount_nano * PICO_PER_NANO
    if kind == KIND_HOLD:
        return [_line(LINE_HOLD, 1, charged, charged)] if charged else []
    lines, total = [], 0
    for line in stored:
        bucket, quantity, unit_price, amount = line.values() if isinstance(line, Mapping) else line
        lines.append(_line(bucket, quantity, unit_price, amount))
        total += amount
    rounding = -total % PICO_PER_NANO
    if rounding:
        lines.append(_line(LINE_ROUNDING, 1, rounding, rounding))
    kept = charged - total - rounding
    if kept:
        lines.append(_line(LINE_HOUSE, 1, kept, kept))
    return lines


def _line(bucket: str, quantity: int, unit_price_pico: int, amount_pico: int) -> dict[str, Any]:
    return {
        "bucket": bucket,
        "quantity": quantity,
        "unit_price_usd": usd_text_of_pico(unit_price_pico),
        "amount_usd": usd_text_of_pico(amount_pico),
    }
