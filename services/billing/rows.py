"""Lines of the ledger: their columns, and how they are made from events.

It decides what of an event is kept and how. Pure. It must not know how lines are stored or read.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from proto.events.v1.events_pb2 import CreditGranted, UsageSettled
from services.billing.charges import Charge
from services.billing.events import (
    EVIDENCE_HOLD,
    VERSION_FINAL,
    LineKey,
    credit_key,
    digest,
    reserved_at_ms,
    usage_key,
)

KIND_FINAL = "final"
KIND_HOLD = "hold"
KIND_CREDIT = "credit"
_MAX_TEXT = 1_024
_MAX_STATUS = 65_535
_TRACE_ID = slice(3, 35)
"""Where a W3C traceparent has its trace id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One line, in the order of COLUMNS. Amounts are nano-USD, rates pico-USD."""

    account_id: str
    request_id: str
    line: str
    version: int
    event_id: str
    payload_sha: bytes
    stream_seq: int
    kind: str
    reserved_at: dt.datetime
    ended_at: dt.datetime
    amount_nano: int
    house_nano: int = 0
    reserved_nano: int = 0
    claimed_nano: int = 0
    limited: bool = False
    user_id: str = ""
    key_id: str = ""
    client_request_id: str = ""
    endpoint: str = ""
    model: str = ""
    channel_id: str = ""
    attempts: Sequence[tuple[str, str, int, str, int]] = ()
    usage: dict[str, int]
    evidence: str = ""
    priced: bool = False
    price_id: str = ""
    price: dict[str, int]
    lines: Sequence[tuple[str, int, int, int]] = ()
    scopes: Sequence[str] = ()
    outcome: str = ""
    status: int = 0
    streamed: bool = False
    loss: Sequence[str] = ()
    first_byte_ms: int = 0
    duration_ms: int = 0
    edge_id: str = ""
    trace_id: str = ""
    reason: str = ""
    granted_by: str = ""

    @property
    def key(self) -> LineKey:
        """What makes it unique."""
        return LineKey(self.account_id, self.request_id, self.line)

    @property
    def hour(self) -> dt.datetime:
        """The hour that its sums belong to, UTC."""
        return self.reserved_at.replace(minute=0, second=0, microsecond=0)

    def values(self) -> list[Any]:
        """Its values in the order of COLUMNS."""
        return [getattr(self, name) for name in COLUMNS]

    def moved_to(self, reserved_at: dt.datetime) -> "LedgerRow":
        """The same line at another time: all versions of a line stay in the partition of the first one."""
        return self if reserved_at == self.reserved_at else replace(self, reserved_at=reserved_at)


_TEXT = "LowCardinality(String)"
_TIME = "DateTime64(3, 'UTC')"
_COUNTS = "Map(LowCardinality(String), UInt64)"
_TYPES: dict[str, str] = {
    "version": "UInt8",
    "payload_sha": "FixedString(32)",
    "stream_seq": "UInt64",
    "reserved_at": _TIME,
    "ended_at": _TIME,
    "amount_nano": "Int64",
    "house_nano": "Int64",
    "reserved_nano": "Int64",
    "claimed_nano": "Int64",
    "limited": "Bool",
    "attempts": "Array(Tuple(channel_id String, upstream_model String, status UInt16, outcome String, ms UInt32))",
    "usage": _COUNTS,
    "priced": "Bool",
    "price": _COUNTS,
    "lines": "Array(Tuple(bucket String, quantity UInt64, unit_price_pico UInt64, amount_pico UInt64))",
    "scopes": "Array(String)",
    "status": "UInt16",
    "streamed": "Bool",
    "loss": "Array(String)",
    "first_byte_ms": "UInt32",
    "duration_ms": "UInt32",
    **dict.fromkeys(("line", "kind", "endpoint", "model", "channel_id", "evidence", "outcome", "edge_id"), _TEXT),
}
COLUMNS: dict[str, str] = {field.name: _TYPES.get(field.name, "String") for field in fields(LedgerRow)}
"""Name to ClickHouse type, in the order of `LedgerRow.values()`."""


def usage_row(event: UsageSettled, charge: Charge, *, stream_seq: int, limited: bool) -> LedgerRow:
    """The line of a usage event that was checked and priced."""
    key = usage_key(event)
    return LedgerRow(
        account_id=key.account_id,
        request_id=key.request_id,
        line=key.line,
        version=event.version,
        event_id=event.event_id,
        payload_sha=digest(event),
        stream_seq=stream_seq,
        kind=KIND_HOLD if event.evidence == EVIDENCE_HOLD else KIND_FINAL,
        reserved_at=at(reserved_at_ms(event)),
        ended_at=at(event.ended_at_ms or reserved_at_ms(event)),
        amount_nano=charge.amount_nano,
        house_nano=charge.house_nano,
        reserved_nano=event.reserved_nano,
        claimed_nano=event.amount_nano,
        limited=limited,
        user_id=_cut(event.user_id),
        key_id=_cut(event.key_id),
        client_request_id=_cut(event.client_request_id),
        endpoint=_cut(event.endpoint),
        model=_cut(event.model),
        channel_id=_cut(event.channel_id),
        attempts=[
            (_cut(one.channel_id), _cut(one.upstream_model), min(one.status, _MAX_STATUS), _cut(one.outcome), one.ms)
            for one in event.attempts
        ],
        usage={bucket: count for bucket, count in event.usage.items() if count},
        evidence=_cut(event.evidence) or "none",
        priced=event.HasField("price"),
        price_id=_cut(event.price.id),
        price=dict(event.price.pico_per_unit),
        lines=[(line.bucket, line.quantity, line.unit_price_pico, line.amount_pico) for line in charge.lines],
        scopes=list(dict.fromkeys(event.scopes)),
        outcome=_cut(event.outcome),
        status=min(event.status, _MAX_STATUS),
        streamed=event.streamed,
        loss=[_cut(one) for one in event.loss],
        first_byte_ms=event.first_byte_ms,
        duration_ms=event.duration_ms,
        edge_id=_cut(event.edge_id),
        trace_id=_cut(event.trace_id or event.traceparent[_TRACE_ID]),
    )


def credit_row(credit: CreditGranted, *, stream_seq: int, trace_id: str) -> LedgerRow:
    """The line of a credit that was checked."""
    key = credit_key(credit)
    return LedgerRow(
        account_id=key.account_id,
        request_id=key.request_id,
        line=key.line,
        version=VERSION_FINAL,
        event_id=credit.event_id,
        payload_sha=digest(credit),
        stream_seq=stream_seq,
        kind=KIND_CREDIT,
        reserved_at=at(credit.granted_at_ms),
        ended_at=at(credit.granted_at_ms),
        amount_nano=credit.amount_nano,
        claimed_nano=credit.amount_nano,
        usage={},
        price={},
        trace_id=trace_id,
        reason=_cut(credit.reason),
        granted_by=_cut(credit.granted_by),
    )


def at(ms: int) -> dt.datetime:
    """The instant of ms since 1970, UTC, exact to the millisecond."""
    return dt.datetime.fromtimestamp(ms // 1000, dt.UTC) + dt.timedelta(milliseconds=ms % 1000)


def ms_of(instant: dt.datetime) -> int:
    """ms since 1970 of an instant."""
    return (instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)


def by_partition(rows: Iterable[LedgerRow]) -> dict[tuple[int, int], list[LedgerRow]]:
    """Rows by year and month: one insert is atomic in one partition only."""
    found: dict[tuple[int, int], list[LedgerRow]] = {}
    for row in rows:
        found.setdefault((row.reserved_at.year, row.reserved_at.month), []).append(row)
    return found


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT]
