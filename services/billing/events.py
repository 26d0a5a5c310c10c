"""Reads events off the bus, and decides which of them can't be booked.

An event is refused only when booking it would be wrong or impossible; anything merely unknown (a new outcome, a new
usage bucket) is kept as it is. It must not know prices, storage, or what happens to a refused event.
"""

import hashlib
from dataclasses import dataclass

from google.protobuf.message import DecodeError, Message

from oneapi.catalog.types import MAX_AMOUNT_NANO
from proto.events.v1.events_pb2 import CreditGranted, UsageBatch, UsageSettled

VERSION_HOLD = 1
VERSION_FINAL = 2
EVIDENCE_HOLD = "hold"
LINE_MAIN = "main"
LINE_CREDIT = "topup:"

_SUFFIXES = {VERSION_HOLD: ":est", VERSION_FINAL: ":final"}
_MAX_ID = 200
_MAX_SCOPES = 64
_MAX_COUNT = 10**15
_MAX_RATE = 10**18
_EARLIEST_MS = 1_577_836_800_000  # 2020
_LATEST_MS = 4_102_444_800_000  # 2100
_FORBIDDEN = frozenset("{}\n\r\t\0 ")


class Unacceptable(Exception):
    """An event that can't be booked; `str()` says why."""


@dataclass(frozen=True, slots=True, order=True)
class LineKey:
    """What makes a line of the ledger unique."""

    account_id: str
    request_id: str
    line: str


def read_usage(payload: bytes) -> UsageBatch:
    """The batch in these bytes. Raises Unacceptable when they are none; its events are not looked at."""
    batch = UsageBatch()
    _parse(batch, payload)
    if not batch.events and not batch.syncs:
        raise Unacceptable("a batch with neither events nor markers")
    return batch


def read_credit(payload: bytes) -> CreditGranted:
    """The credit in these bytes, checked. Raises Unacceptable."""
    credit = CreditGranted()
    _parse(credit, payload)
    _check_id("account_id", credit.account_id)
    _check_id("credit_id", credit.credit_id)
    if credit.event_id != f"{LINE_CREDIT}{credit.credit_id}":
        raise Unacceptable("the event id doesn't belong to the credit")
    if not -MAX_AMOUNT_NANO <= credit.amount_nano <= MAX_AMOUNT_NANO:
        raise Unacceptable("the amount is out of range")
    if not _EARLIEST_MS <= credit.granted_at_ms <= _LATEST_MS:
        raise Unacceptable("the time is out of range")
    return credit


def check_usage(event: UsageSettled) -> None:
    """Raises Unacceptable when the event can't be booked."""
    _check_id("account_id", event.account_id)
    _check_id("request_id", event.request_id)
    suffix = _SUFFIXES.get(event.version)
    if suffix is None:
        raise Unacceptable(f"unknown version {event.version}")
    if event.event_id != event.request_id + suffix:
        raise Unacceptable("the event id doesn't belong to the request and the version")
    for name, amount in (
        ("amount", event.amount_nano),
        ("house amount", event.house_nano),
        ("reserved amount", event.reserved_nano),
    ):
        if not 0 <= amount <= MAX_AMOUNT_NANO:
            raise Unacceptable(f"the {name} is out of range")
    if not event.outcome:
        raise Unacceptable("no outcome")
    if not _EARLIEST_MS <= reserved_at_ms(event) <= _LATEST_MS:
        raise Unacceptable("the time is out of range")
    _check_sizes(event)


def reserved_at_ms(event: UsageSettled) -> int:
    """When the request was admitted. A void one may never have heard it, so the time of its end stands in."""
    return event.reserved_at_ms if event.reserved_at_ms > 0 else event.ended_at_ms


def digest(message: Message) -> bytes:
    """SHA-256 over the message: the same for the same content, however it was packed into a batch."""
    return hashlib.sha256(message.SerializeToString(deterministic=True)).digest()


def usage_key(event: UsageSettled) -> LineKey:
    """The line that a usage event is booked on."""
    return LineKey(event.account_id, event.request_id, LINE_MAIN)


def credit_key(credit: CreditGranted) -> LineKey:
    """The line that a credit is booked on."""
    return LineKey(credit.account_id, credit.event_id, credit.event_id)


def _parse(message: Message, payload: bytes) -> None:
    try:
        message.ParseFromString(payload)
    except DecodeError as failure:
        raise Unacceptable(f"not a {message.DESCRIPTOR.name}: {failure}") from None


def _check_id(name: str, value: str) -> None:
    if not value or len(value) > _MAX_ID or not _FORBIDDEN.isdisjoint(value):
        raise Unacceptable(f"the {name} is missing or malformed")


def _check_sizes(event: UsageSettled) -> None:
    """Bounds on what decides money. Anything that a client can make long is cut where the row is built instead."""
    if len(event.scopes) > _MAX_SCOPES:
        raise Unacceptable("too many scopes")
    for scope in event.scopes:
        if not scope or len(scope) > _MAX_ID + 100 or not _FORBIDDEN.isdisjoint(scope):
            raise Unacceptable("a scope is malformed")
    if any(not 0 <= count <= _MAX_COUNT for count in event.usage.values()):
        raise Unacceptable("a count is out of range")
    if any(rate > _MAX_RATE for rate in event.price.pico_per_unit.values()):
        raise Unacceptable("a rate is out of range")
