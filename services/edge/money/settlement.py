"""The terminal record of a request: what it is charged, and the event that says so.

It decides how usage and rates become an amount, and who bears what a hard limit keeps from the account. It is told
the time, and does no I/O. Amounts are nano-USD, rates pico-USD per token or unit. It must not know how records travel.
"""

import logging
from collections.abc import Mapping, Sequence

import msgspec

from oneapi.catalog.types import MAX_AMOUNT_NANO, TOKEN_BUCKETS
from oneapi.pricing import charge
from oneapi.runtime.telemetry import sampled
from proto.events.v1.events_pb2 import AppliedPrice, Attempt, UsageSettled
from services.edge.money.records import AttemptDone, Attempted, Opened, Tent

FINAL_VERSION = 2
_MAX_UINT32 = 2**32 - 1
"""A final replaces a hold (version 1) in the ledger."""
LARGEST_COUNT = 1_000_000_000
"""Tokens or units of one bucket that one request can have."""
VOID = "void"
NO_EVIDENCE = "none"

logger = logging.getLogger(__name__)

_TRACEPARENT_LENGTH = 55
_TOKENS = frozenset(TOKEN_BUCKETS)


class Ending(msgspec.Struct):
    """How a request ended.

    `usage` counts tokens and units by bucket, disjoint. `evidence` says who counted (provider, counted, estimated,
    none). `rates` are those that apply, tiers and time windows resolved; None when the model has no price. `status` is
    what the client saw, 0 when nothing was sent.
    """

    outcome: str
    usage: dict[str, int] = {}
    evidence: str = NO_EVIDENCE
    price_id: str = ""
    rates: dict[str, int] | None = None
    channel_id: str = ""
    status: int = 0
    first_byte_ms: int = 0
    loss: tuple[str, ...] = ()


class Charge(msgspec.Struct, frozen=True):
    """What the account pays, and what the house pays because a hard limit let no more be charged; with the lines."""

    amount_nano: int
    house_nano: int
    lines: tuple[charge.Line, ...]


class AttemptEntry(msgspec.Struct):
    """One upstream call: how it began, and how it ended (None while it runs)."""

    begun: Attempted
    done: AttemptDone | None = None


NOT_OPENED = Opened(0, False, (), 0, 0)
"""For a request that was never granted."""


def charge_for(ending: Ending, reserved_nano: int, hard: bool) -> Charge:
    """Prices an ending: all of it to the account, or no more than was reserved where a hard limit holds.

    Counts that no request can have are bounded in place: an upstream may say anything, and the record must hold it.
    """
    if any(not 0 <= count <= LARGEST_COUNT for count in ending.usage.values()):
        logger.error("an upstream reported impossible usage", extra={"fields": {"channel_id": ending.channel_id}})
        ending.usage = {bucket: min(max(count, 0), LARGEST_COUNT) for bucket, count in ending.usage.items()}
    if not ending.rates or not ending.usage:
        return Charge(0, 0, ())
    lines = charge.lines(ending.usage, ending.rates)
    actual = charge.total_nano(lines)
    if actual > MAX_AMOUNT_NANO:
        logger.critical("a request's cost can't be booked", extra={"fields": {"price_id": ending.price_id}})
        ending.usage = {}
        return Charge(0, 0, ())
    paid = min(actual, reserved_nano) if hard else actual
    return Charge(paid, actual - paid, lines)


def event(
    tent: Tent,
    opened: Opened,
    attempts: Sequence[AttemptEntry],
    ending: Ending,
    charged: Charge,
    *,
    edge_id: str,
    reserved_at_ms: int,
    ended_at_ms: int,
    duration_ms: int,
) -> bytes:
    """`UsageSettled` as it goes to the bus. The same arguments give the same bytes."""
    # A price without an id and rates is there all the same: it says that there was one.
    price = None if ending.rates is None else AppliedPrice(id=ending.price_id, pico_per_unit=ending.rates)
    settled = UsageSettled(
        event_id=f"{tent.request_id}:final",
        request_id=tent.request_id,
        account_id=tent.account_id,
        user_id=tent.user_id,
        key_id=tent.key_id,
        client_request_id=tent.client_request_id,
        endpoint=tent.endpoint,
        model=tent.model,
        channel_id=ending.channel_id,
        attempts=[_attempt(entry) for entry in attempts],
        usage=ending.usage,
        evidence=ending.evidence,
        amount_nano=charged.amount_nano,
        house_nano=charged.house_nano,
        reserved_nano=opened.reserved_nano,
        scopes=opened.scopes,
        price=price,
        outcome=ending.outcome,
        reserved_at_ms=reserved_at_ms,
        ended_at_ms=ended_at_ms,
        edge_id=edge_id,
        trace_id=trace_id(tent.traceparent),
        loss=ending.loss,
        streamed=tent.streamed,
        status=max(ending.status, 0),
        first_byte_ms=max(ending.first_byte_ms, 0),
        # A spool may have lain for longer than the field counts, 49 days, before its edge came back.
        duration_ms=min(max(duration_ms, 0), _MAX_UINT32),
        version=FINAL_VERSION,
    )
    if sampled(tent.traceparent):
        settled.traceparent = tent.traceparent
    # Maps have no order of their own: without this the same event could have other bytes.
    return settled.SerializeToString(deterministic=True)


def trace_id(traceparent: str) -> str:
    """The trace's id, "" when there is none."""
    return traceparent[3:35] if len(traceparent) >= _TRACEPARENT_LENGTH else ""


def total_tokens(usage: Mapping[str, int]) -> int:
    """Tokens of all buckets together, units left out: what a token rate counts in the end."""
    return sum(count for bucket, count in usage.items() if bucket in _TOKENS)


def _attempt(entry: AttemptEntry) -> Attempt:
    begun, done = entry.begun, entry.done
    if done is None:
        return Attempt(channel_id=begun.channel_id, upstream_model=begun.upstream_model, outcome="unfinished")
    return Attempt(
        channel_id=begun.channel_id,
        upstream_model=begun.upstream_model,
        status=done.status,
        outcome=done.outcome,
        ms=done.ms,
    )
