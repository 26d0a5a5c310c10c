"""Which events can be booked."""

from typing import Any

import pytest

from oneapi.catalog.types import MAX_AMOUNT_NANO
from proto.events.v1.events_pb2 import SpoolSync, UsageBatch, UsageSettled
from services.billing.events import (
    LineKey,
    Unacceptable,
    check_usage,
    credit_key,
    digest,
    read_credit,
    read_usage,
    reserved_at_ms,
    usage_key,
)
from tests.unit.services.billing.making import credit_event, usage_event


def test_a_batch_is_read() -> None:
    batch = UsageBatch(edge_id="e", events=[usage_event()], syncs=[SpoolSync(account_id="a")])
    assert read_usage(batch.SerializeToString()) == batch


@pytest.mark.parametrize("payload", [b"", b"\xff\xff\xff", UsageBatch(edge_id="e").SerializeToString()])
def test_what_is_no_batch_is_refused(payload: bytes) -> None:
    with pytest.raises(Unacceptable):
        read_usage(payload)


@pytest.mark.parametrize(
    "changes",
    [
        {"account_id": ""},
        {"account_id": "a}{b"},
        {"account_id": "a" * 201},
        {"request_id": "r 1"},
        {"event_id": "r1:est"},
        {"event_id": "r2:final"},
        {"version": 3},
        {"amount_nano": -1},
        {"house_nano": -1},
        {"reserved_nano": MAX_AMOUNT_NANO + 1},
        {"outcome": ""},
        {"reserved_at_ms": 5},
        {"reserved_at_ms": 10**15},
        {"scopes": ["key:a:total"] * 65},
        {"scopes": [""]},
        {"scopes": ["key:a\nb:total"]},
        {"usage": {"input": 10**16}},
        {"rates": {"input": 2 * 10**18}, "usage": {}},
    ],
)
def test_what_would_be_booked_wrongly_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unacceptable):
        check_usage(usage_event(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"version": 1},
        {"outcome": "something new", "evidence": "something new"},
        {"usage": {"a bucket of tomorrow": 5}},
        {"client_request_id": "x" * 100_000, "model": "y" * 5_000},
        {"reserved_at_ms": 0, "outcome": "void"},
    ],
)
def test_what_is_merely_unknown_or_long_is_booked(changes: dict[str, Any]) -> None:
    check_usage(usage_event(**changes))


def test_a_void_request_has_the_time_of_its_end() -> None:
    event = usage_event(reserved_at_ms=0)
    assert reserved_at_ms(event) == event.ended_at_ms
    assert reserved_at_ms(usage_event()) == usage_event().reserved_at_ms


@pytest.mark.parametrize(
    "changes",
    [
        {"account_id": ""},
        {"credit_id": ""},
        {"event_id": "topup:other"},
        {"amount_nano": MAX_AMOUNT_NANO + 1},
        {"granted_at_ms": 0},
    ],
)
def test_credits_that_are_wrong_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unacceptable):
        read_credit(credit_event(**changes).SerializeToString())


def test_a_credit_may_take_back() -> None:
    credit = credit_event(amount_nano=-5)
    assert read_credit(credit.SerializeToString()) == credit
    assert credit_key(credit) == LineKey("acc_1", "topup:cr_1", "topup:cr_1")


def test_the_digest_is_of_the_contents_not_of_the_packing() -> None:
    event = usage_event(usage={"input": 1, "output": 2, "reasoning": 3})
    again = UsageSettled()
    again.ParseFromString(event.SerializeToString())
    assert digest(again) == digest(event)
    assert digest(usage_event(usage={"input": 2})) != digest(event)
    assert usage_key(event) == LineKey("acc_1", "r1", "main")
