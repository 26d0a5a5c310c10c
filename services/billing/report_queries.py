"""The queries behind receipts and usage reports.

It decides which columns may be grouped by, filtered and sorted by: names come from fixed tables, values are parameters,
and no text of a caller is ever part of a query. Pure. It must not know who asks.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.billing.hours import HOUR_S, LIVE, ROLLED, Hours
from services.billing.receipts import RECEIPT_COLUMNS
from services.billing.rollup import FAILED

HOUR_MS = HOUR_S * 1000
MAX_ROWS = 10_000
"""Rows of one usage report."""
LARGEST_PAGE = 200
DEFAULT_PAGE = 50

GROUPS: Mapping[str, tuple[str, str]] = {
    "model": ("model", "model"),
    "key": ("key_id", "key_id"),
    "user": ("user_id", "user_id"),
    "channel": ("channel_id", "channel_id"),
    "account": ("account_id", "account_id"),
    "endpoint": ("endpoint", "endpoint"),
    "outcome": ("outcome", "outcome"),
    "day": ("day", "formatDateTime(hour, '%Y-%m-%d', 'UTC')"),
    "hour": ("hour", "formatDateTime(hour, '%Y-%m-%dT%H:00:00Z', 'UTC')"),
}
"""What a report may be grouped by: the name in its rows, and the expression."""

FILTERS = ("account_id", "key_id", "user_id", "model", "channel_id", "outcome")
"""Columns that a report may be narrowed by."""

_TIMES = frozenset({"day", "hour"})
_MILLI = "fromUnixTimestamp64Milli({{{name}:Int64}}, 'UTC')"
_BILLED = "line = 'main' AND outcome != 'void'"


class BadQuestion(ValueError):
    """A question that can't be answered; `str()` says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query with its parameters; `names` are those of the first columns of its rows."""

    text: str
    parameters: dict[str, object]
    names: tuple[str, ...] = ()


def usage(from_ms: int, to_ms: int, group_by: Sequence[str], filters: Mapping[str, str], hours: Hours) -> Query:
    """Usage of the requests admitted in [from, to), grouped. Raises BadQuestion.

    Rows are the grouped names, then requests, errors, cost (nano-USD) and usage (a map). By time they are in its order,
    otherwise the dearest come first. Whole hours that can be used are taken from the hourly table, the rest is read
    from the ledger, so the result is what the ledger alone would give.
    """
    if from_ms >= to_ms:
        raise BadQuestion("the time must begin before it ends")
    unknown = [name for name in group_by if name not in GROUPS]
    if unknown:
        raise BadQuestion(f"usage can be grouped by {', '.join(GROUPS)}")
    chosen = list(dict.fromkeys(group_by))
    columns = [f"{expression} AS group_{GROUPS[name][0]}" for name in chosen for expression in (GROUPS[name][1],)]
    grouped = [f"group_{GROUPS[name][0]}" for name in chosen]
    narrowed, parameters = _narrowed(filters)
    wanted = "hour, account_id, key_id, user_id, model, channel_id, endpoint, outcome"
    # The queries' parts are constants: names from GROUPS and FILTERS.
    text = f"""
SELECT {"".join(f"{column}, " for column in columns)}
    sum(requests) AS all_requests, sum(errors) AS all_errors, sum(cost_nano) AS all_cost, sumMap(usage) AS all_usage
FROM (
    SELECT {wanted}, requests, errors, cost_nano, usage
    FROM usage_hourly
    WHERE hour >= fromUnixTimestamp({{from_hour:Int64}}) AND hour < fromUnixTimestamp({{to_hour:Int64}})
        AND {ROLLED}{narrowed}
    UNION ALL
    SELECT toDateTime(toStartOfHour(reserved_at), 'UTC') AS {wanted},
        toUInt64(1), toUInt64({FAILED}), amount_nano, usage
    FROM ledger_v
    WHERE {_BILLED} AND reserved_at >= {_MILLI.format(name="from_ms")} AND reserved_at < {_MILLI.format(name="to_ms")}
        AND {LIVE}{narrowed}
)
{f"GROUP BY {', '.join(grouped)}" if grouped else ""}
ORDER BY {_order(chosen, grouped)}
LIMIT {MAX_ROWS}
"""  # noqa: S608 - the inserted parts are constants
    first, last = -(-from_ms // HOUR_MS), to_ms // HOUR_MS
    parameters |= {"from_ms": from_ms, "to_ms": to_ms, "from_hour": first * HOUR_S, "to_hour": last * HOUR_S}
    # An hour that is only partly in the report is read from the ledger, like one that can't be used.
    partly = {from_ms // HOUR_MS * HOUR_S, last * HOUR_S} if from_ms % HOUR_MS else {last * HOUR_S}
    parameters |= Hours(hours.edge, hours.dirty | partly).parameters()
    return Query(text, parameters, tuple(GROUPS[name][0] for name in chosen))


def receipt(request_id: str, account_id: str, key_id: str) -> Query:
    """One receipt; "" for account or key means any."""
    narrowed, parameters = _narrowed({"account_id": account_id, "key_id": key_id})
    text = f"""
SELECT {_receipt_columns()}
FROM ledger_v
WHERE request_id = {{request_id:String}} AND {_BILLED}{narrowed}
LIMIT 1
"""  # noqa: S608 - the inserted parts are constants
    return Query(text, parameters | {"request_id": request_id}, tuple(RECEIPT_COLUMNS))


def receipts(from_ms: int, to_ms: int, filters: Mapping[str, str], after: tuple[int, str] | None, limit: int) -> Query:
    """Receipts of requests admitted in [from, to), newest first, from behind `after` (time in ms and request id)."""
    narrowed, parameters = _narrowed(filters)
    behind = ""
    if after is not None:
        behind = f" AND (reserved_at, request_id) < ({_MILLI.format(name='after_ms')}, {{after_id:String}})"
        parameters |= {"after_ms": after[0], "after_id": after[1]}
    text = f"""
SELECT {_receipt_columns()}
FROM ledger_v
WHERE {_BILLED} AND reserved_at >= {_MILLI.format(name="from_ms")} AND reserved_at < {_MILLI.format(name="to_ms")}
    {narrowed}{behind}
ORDER BY reserved_at DESC, request_id DESC
LIMIT {{limit:UInt32}}
"""  # noqa: S608 - the inserted parts are constants
    return Query(text, parameters | {"from_ms": from_ms, "to_ms": to_ms, "limit": limit}, tuple(RECEIPT_COLUMNS))


def encode_cursor(at_ms: int, request_id: str) -> str:
    """Where a page ended, as an opaque text."""
    return base64.urlsafe_b64encode(f"{at_ms}:{request_id}".encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> tuple[int, str]:
    """Time and request id of a cursor. Raises BadQuestion."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        at, colon, request_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(":")
        if not colon or not request_id:
            raise BadQuestion("the cursor is malformed")
        return int(at), request_id
    except (ValueError, binascii.Error, UnicodeError):
        raise BadQuestion("the cursor is malformed") from None


def page_size(limit: int) -> int:
    """How many receipts to show. Raises BadQuestion."""
    if limit > LARGEST_PAGE:
        raise BadQuestion(f"a page has at most {LARGEST_PAGE} receipts")
    return limit or DEFAULT_PAGE


def _receipt_columns() -> str:
    return ", ".join(
        f"{expression} AS {name}" if expression != name else name for name, expression in RECEIPT_COLUMNS.items()
    )


def _narrowed(filters: Mapping[str, str]) -> tuple[str, dict[str, object]]:
    """Conditions for the filters that are set, each beginning with AND, and their parameters."""
    given = {name: filters[name] for name in FILTERS if filters.get(name)}
    text = "".join(f" AND {name} = {{filter_{name}:String}}" for name in given)
    return text, {f"filter_{name}": value for name, value in given.items()}


def _order(chosen: Sequence[str], grouped: Sequence[str]) -> str:
    by_time = [column for name, column in zip(chosen, grouped, strict=True) if name in _TIMES]
    return ", ".join([*by_time, "all_cost DESC", "all_requests DESC", *grouped])
