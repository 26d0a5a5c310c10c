"""Events for the unit tests of billing."""

from typing import Any

from oneapi.pricing.charge import lines, total_nano
from proto.events.v1.events_pb2 import AppliedPrice, Attempt, CreditGranted, UsageSettled

AT_MS = 1_795_000_000_123
RATES = {"input": 1_500, "output": 6_001}


def usage_event(**changes: Any) -> UsageSettled:
    """A request that was priced as an edge does it; anything may be changed."""
    request_id = changes.pop("request_id", "r1")
    usage = changes.pop("usage", {"input": 11, "output": 7})
    rates = changes.pop("rates", RATES)
    version = changes.pop("version", 2)
    amount = total_nano(lines(usage, rates or {}))
    fields: dict[str, Any] = {
        "event_id": f"{request_id}:{'final' if version == 2 else 'est'}",
        "account_id": "acc_1",
        "user_id": "usr_1",
        "key_id": "key_1",
        "endpoint": "chat",
        "model": "m",
        "channel_id": "ch_1",
        "attempts": [Attempt(channel_id="ch_1", upstream_model="up", status=200, outcome="ok", ms=12)],
        "evidence": "provider",
        "amount_nano": amount,
        "reserved_nano": 1_000,
        "outcome": "ok",
        "reserved_at_ms": AT_MS,
        "ended_at_ms": AT_MS + 12,
        "edge_id": "edge-1",
        "status": 200,
    }
    event = UsageSettled(request_id=request_id, usage=usage, version=version, **(fields | changes))
    if rates is not None:
        event.price.CopyFrom(AppliedPrice(id="price_1", pico_per_unit=rates))
    return event


def credit_event(**changes: Any) -> CreditGranted:
    """A credit; anything may be changed."""
    fields: dict[str, Any] = {
        "event_id": "topup:cr_1",
        "credit_id": "cr_1",
        "account_id": "acc_1",
        "amount_nano": 5_000,
        "reason": "paid",
        "granted_at_ms": AT_MS,
        "granted_by": "usr_1",
    }
    return CreditGranted(**(fields | changes))
