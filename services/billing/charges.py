"""What a request is charged, computed anew from its usage and the rates in its event.

It decides whether the edge's word stands, with the same pricing functions that the edge used. Pure. It must not know
the catalog's prices (the event carries the applied ones) or where amounts are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from oneapi.catalog.types import MAX_AMOUNT_NANO, TOKEN_BUCKETS
from oneapi.pricing.charge import Line, lines, total_nano
from proto.events.v1.events_pb2 import UsageSettled
from services.billing.events import EVIDENCE_HOLD, Unacceptable


@dataclass(frozen=True, slots=True)
class Charge:
    """The bill of one request. `matches` says whether the edge had come to the same amounts."""

    lines: tuple[Line, ...]
    amount_nano: int
    house_nano: int
    matches: bool


def charge_of(event: UsageSettled, *, limited: bool) -> Charge:
    """The charge for an event that was checked; `limited` says whether the account is prepaid.

    A hold is charged what was reserved. Otherwise the amount follows from usage and rates, and what a hard limit (the
    account's or a key's budget) had not let reserve is the house's. Raises Unacceptable for an impossible amount.
    """
    if event.evidence == EVIDENCE_HOLD:
        matches = event.amount_nano == event.reserved_nano and event.house_nano == 0
        return Charge((), event.reserved_nano, 0, matches)
    bill = lines(by_bucket(event.usage), dict(event.price.pico_per_unit))
    actual = total_nano(bill)
    if actual > MAX_AMOUNT_NANO:
        raise Unacceptable("the charge is out of range")
    hard = limited or bool(event.scopes) or event.house_nano > 0
    amount = min(actual, event.reserved_nano) if hard else actual
    house = actual - amount
    if event.amount_nano + event.house_nano == actual and _split_is_possible(event):
        # An account may have become prepaid, or stopped being so, since this was reserved: the split is the edge's.
        return Charge(bill, event.amount_nano, event.house_nano, matches=True)
    return Charge(bill, amount, house, matches=False)


def recomputed_nano(usage: Mapping[str, int], rates: Mapping[str, int]) -> int:
    """What usage costs at these rates, in whole nano-USD, rounded up once."""
    return total_nano(lines(usage, rates))


def by_bucket(amounts: Mapping[str, int]) -> dict[str, int]:
    """Token buckets in their usual order, then everything else by name; maps of events have no order of their own."""
    known = {bucket: amounts[bucket] for bucket in TOKEN_BUCKETS if bucket in amounts}
    return known | {bucket: amounts[bucket] for bucket in sorted(amounts) if bucket not in known}


def _split_is_possible(event: UsageSettled) -> bool:
    """Only what is above the reservation can be the house's, and a budget is never charged above it."""
    if event.house_nano > 0:
        return event.amount_nano == event.reserved_nano
    return not event.scopes or event.amount_nano <= event.reserved_nano
