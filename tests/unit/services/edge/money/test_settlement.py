from decimal import ROUND_CEILING, Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.catalog.types import TOKEN_BUCKETS, UNITS
from proto.events.v1.events_pb2 import UsageSettled
from services.edge.money import settlement
from services.edge.money.records import AttemptDone, Attempted, Opened, Tent
from services.edge.money.settlement import NOT_OPENED, AttemptEntry, Charge, Ending, charge_for

RATES = {"input": 1_000, "output": 2_000}
TENT = Tent("rid", "acc", "user", "key", "model", "chat", "client", "", True, 100, RATES, 7, 1_796_000_000_000)
OPENED = Opened(100, True, ("key:key:total",), 1_796_000_000_001, 1_796_000_060_000)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def settled(tent: Tent = TENT, ending: Ending | None = None, opened: Opened = OPENED) -> UsageSettled:
    ending = ending or Ending("ok", {"input": 3, "output": 4}, "provider", "p1", RATES, "ch", 200, 12, ("top_k",))
    data = settlement.event(
        tent,
        opened,
        [
            AttemptEntry(Attempted(1, "ch0", "gpt", "", None), AttemptDone(1, 500, "upstream_error", 9)),
            AttemptEntry(Attempted(2, "ch", "gpt", "p1", RATES)),
        ],
        ending,
        charge_for(ending, opened.reserved_nano, opened.hard),
        edge_id="edge",
        reserved_at_ms=opened.reserved_at_ms,
        ended_at_ms=1_796_000_001_000,
        duration_ms=999,
    )
    return UsageSettled.FromString(data)


@given(
    st.dictionaries(st.sampled_from(TOKEN_BUCKETS + UNITS), st.integers(0, 10**6)),
    st.dictionaries(st.sampled_from(TOKEN_BUCKETS + UNITS), st.integers(0, 10**9), min_size=1),
    st.integers(0, 10**12),
    st.booleans(),
)
def test_the_charge_is_exact_and_a_hard_limit_bounds_it(
    usage: dict[str, int], rates: dict[str, int], reserved: int, hard: bool
) -> None:
    charged = charge_for(Ending("ok", usage, "provider", "p", rates), reserved, hard)
    exact = sum((Decimal(line.quantity) * line.unit_price_pico for line in charged.lines), Decimal())
    whole = int((exact / 1_000).to_integral_value(ROUND_CEILING))
    assert charged.amount_nano + charged.house_nano == whole
    assert charged.amount_nano == (min(whole, reserved) if hard else whole)


def test_without_a_price_nothing_is_charged() -> None:
    assert charge_for(Ending("ok", {"input": 5}, "provider"), 10, True) == Charge(0, 0, ())


@pytest.mark.parametrize("count", [-1, 10**30, 2**64])
def test_impossible_usage_is_bounded_and_can_be_written_down(count: int) -> None:
    ending = Ending("ok", {"input": count, "output": 4}, "provider", "p1", RATES)
    event = settled(ending=ending)
    assert event.usage["input"] in {0, settlement.LARGEST_COUNT}
    assert event.usage["output"] == 4
    assert event.amount_nano == 100 if count > 0 else 8


def test_a_cost_that_cannot_be_booked_is_dropped_with_its_usage() -> None:
    event = settled(ending=Ending("ok", {"input": 10**9}, "provider", "p1", {"input": 10**12}))
    assert (event.amount_nano, event.house_nano, dict(event.usage)) == (0, 0, {})


def test_the_event_says_everything() -> None:
    event = settled()
    assert (event.event_id, event.request_id, event.version) == ("rid:final", "rid", 2)
    assert (event.amount_nano, event.house_nano, event.reserved_nano) == (11, 0, 100)
    assert list(event.scopes) == ["key:key:total"]
    assert (event.price.id, dict(event.price.pico_per_unit)) == ("p1", RATES)
    assert [(a.channel_id, a.status, a.outcome, a.ms) for a in event.attempts] == [
        ("ch0", 500, "upstream_error", 9), ("ch", 0, "unfinished", 0),
    ]  # fmt: skip
    assert (event.status, event.first_byte_ms, event.duration_ms) == (200, 12, 999)
    assert (event.traceparent, event.trace_id, list(event.loss)) == ("", "", ["top_k"])


def test_only_a_recorded_trace_travels_and_every_trace_is_named() -> None:
    event = settled(msgspec.structs.replace(TENT, traceparent=TRACEPARENT))
    assert (event.traceparent, event.trace_id) == (TRACEPARENT, TRACEPARENT[3:35])
    event = settled(msgspec.structs.replace(TENT, traceparent=TRACEPARENT[:-1] + "0"))
    assert (event.traceparent, event.trace_id) == ("", TRACEPARENT[3:35])


def test_a_price_without_rates_is_one() -> None:
    assert settled(ending=Ending("ok", {"input": 3}, "provider", "", {})).HasField("price")


def test_a_void_has_no_price() -> None:
    event = settled(ending=Ending(settlement.VOID), opened=NOT_OPENED)
    assert not event.HasField("price")
    assert (event.outcome, event.evidence, event.amount_nano, event.reserved_nano) == ("void", "none", 0, 0)


def test_the_same_arguments_give_the_same_bytes() -> None:
    usage = {bucket: n for n, bucket in enumerate(TOKEN_BUCKETS)}
    backwards = dict(reversed(usage.items()))
    one, two = (settled(ending=Ending("ok", u, "provider", "p", RATES)) for u in (usage, backwards))
    assert one.SerializeToString(deterministic=True) == two.SerializeToString(deterministic=True)


def test_tokens_are_counted_without_units() -> None:
    assert settlement.total_tokens({"input": 3, "output": 4, "per_call": 1, "second": 60}) == 7
