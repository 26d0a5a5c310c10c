"""What a crash after each step leaves, and how it ends (the table of the money path's design)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.events.v1.events_pb2 import UsageSettled
from services.edge.money import records, recovery
from services.edge.money.records import AttemptDone, Attempted, Checkpoint, Detail, Opened, Tent
from services.edge.money.segments import Record

RATES = {"input": 1_000, "output": 2_000}
CEILING = {"input": 5_000, "output": 5_000, "per_call": 1_000}
TENT = Tent("rid", "acc", "user", "key", "model", "chat", "", "", True, 10_000, CEILING, 401, 1_796_000_000_000)
OPENED = Opened(10_000, True, ("key:key:total",), 1_796_000_000_001, 1_796_000_060_000)
ATTEMPT = Attempted(1, "ch", "gpt", "p1", RATES)
TICKET = 74

Row = tuple[int, Detail | Tent | bytes]


def rows(*details: Detail | Tent | bytes) -> list[Record]:
    """Records of one request as they would lie in a spool."""
    kinds = {Opened: records.OPEN, Attempted: records.ATTEMPT, AttemptDone: records.ATTEMPT_DONE}
    found: list[Record] = []
    offset = TICKET
    for detail in details:
        if isinstance(detail, Tent):
            kind, payload = records.TENT, records.encode_tent(detail)
        elif isinstance(detail, bytes):
            kind, payload = records.FINAL, records.encode_event(TICKET, detail)
        else:
            kind = kinds.get(type(detail), records.CHECKPOINT)
            payload = records.encode_detail(TICKET, detail)
        found.append(Record(offset, offset + 9 + len(payload), kind, payload))
        offset = found[-1].end
    return found


def finished(*details: Detail | Tent | bytes, progress: int | None = None) -> UsageSettled | None:
    stories = recovery.unfinished(rows(*details), {} if progress is None else {TICKET: progress})
    if not stories:
        return None
    assert list(stories) == [TICKET]
    found = recovery.finish(stories[TICKET], edge_id="edge", now_ms=1_796_000_005_000)
    return UsageSettled.FromString(found.event)


def certainly(event: UsageSettled | None) -> UsageSettled:
    assert event is not None
    return event


def test_a_request_that_was_about_to_be_reserved_is_void() -> None:
    event = certainly(finished(TENT))
    assert (event.outcome, event.amount_nano, event.reserved_nano, event.evidence) == ("void", 0, 0, "none")
    assert event.reserved_at_ms == TENT.begun_at_ms


def test_a_refused_or_finished_request_is_left_alone() -> None:
    denied = Record(999, 1_020, records.DENIED, records.encode_event(TICKET, b""))
    assert recovery.unfinished([*rows(TENT), denied], {}) == {}
    assert finished(TENT, OPENED, ATTEMPT, b"event") is None


@pytest.mark.parametrize("details", [(TENT, OPENED), (TENT, OPENED, ATTEMPT)])
def test_a_granted_request_that_delivered_nothing_costs_nothing(details: tuple[Detail | Tent, ...]) -> None:
    event = certainly(finished(*details))
    assert (event.outcome, event.amount_nano, event.reserved_nano, event.evidence) == ("recovered", 0, 10_000, "none")
    assert list(event.scopes) == ["key:key:total"]
    assert event.reserved_at_ms == OPENED.reserved_at_ms


def test_delivered_text_is_counted_at_the_price_of_its_attempt() -> None:
    event = certainly(finished(TENT, OPENED, ATTEMPT, Checkpoint(0, None), Checkpoint(17, None)))
    assert (event.outcome, event.evidence, event.channel_id) == ("recovered", "counted", "ch")
    assert dict(event.usage) == {"input": 101, "output": 5}
    assert (event.amount_nano, event.price.id) == (111, "p1")


def test_the_mapped_count_is_newer_than_the_checkpoints() -> None:
    event = certainly(finished(TENT, OPENED, ATTEMPT, Checkpoint(4, None), progress=400))
    assert event.usage["output"] == 100
    assert certainly(finished(TENT, OPENED, ATTEMPT, progress=0)).usage["output"] == 0


def test_without_a_price_of_the_attempt_the_ceiling_counts() -> None:
    attempt = Attempted(1, "ch", "gpt", "", None)
    event = certainly(finished(TENT, OPENED, attempt, Checkpoint(4, None)))
    assert dict(event.usage) == {"input": 101, "output": 1, "per_call": 1}
    assert event.amount_nano == 102 * 5 + 1


def test_the_providers_usage_counts_when_nothing_came_after_it() -> None:
    usage = {"input": 25, "output": 60}
    event = certainly(finished(TENT, OPENED, ATTEMPT, Checkpoint(200, None), Checkpoint(200, usage), progress=200))
    assert (event.evidence, dict(event.usage), event.amount_nano) == ("provider", usage, 145)


def test_early_usage_gives_the_input_and_the_output_is_counted() -> None:
    early = {"input": 25, "cached_input": 5, "output": 1}
    event = certainly(finished(TENT, OPENED, ATTEMPT, Checkpoint(0, early), progress=40))
    assert (event.evidence, dict(event.usage)) == ("counted", {"input": 25, "cached_input": 5, "output": 10})


def test_only_the_last_attempt_is_paid_and_all_are_named() -> None:
    second = Attempted(2, "ch2", "claude", "p2", {"input": 10_000, "output": 10_000})
    failed = AttemptDone(1, 503, "upstream_error", 40)
    event = certainly(finished(TENT, OPENED, ATTEMPT, failed, second, Checkpoint(4, None)))
    assert (event.channel_id, event.price.id, event.amount_nano) == ("ch2", "p2", 1_020)
    assert [(a.channel_id, a.outcome) for a in event.attempts] == [("ch", "upstream_error"), ("ch2", "unfinished")]


def test_no_more_than_the_reservation_is_charged() -> None:
    event = certainly(finished(TENT, OPENED, ATTEMPT, progress=100_000))
    assert (event.amount_nano, event.house_nano) == (10_000, 101 + 50_000 - 10_000)
    soft = msgspec.structs.replace(OPENED, hard=False)
    event = certainly(finished(TENT, soft, ATTEMPT, progress=100_000))
    assert (event.amount_nano, event.house_nano) == (50_101, 0)


def test_records_of_requests_that_began_earlier_are_passed_over() -> None:
    assert recovery.unfinished(rows(TENT, OPENED, ATTEMPT, Checkpoint(1, None))[1:], {TICKET: 5, 12: 7}) == {}


@given(st.integers(0, 6))
def test_recovering_what_was_recovered_changes_nothing(steps: int) -> None:
    every = rows(TENT, OPENED, ATTEMPT, Checkpoint(0, {"input": 3}), Checkpoint(50, None), Checkpoint(60, None))[:steps]
    stories = recovery.unfinished(every, {})
    for ticket, story in stories.items():
        event = recovery.finish(story, edge_id="edge", now_ms=1).event
        end = every[-1].end
        every.append(Record(end, end + 1, records.FINAL, records.encode_event(ticket, event)))
    assert recovery.unfinished(every, {}) == {}


def test_a_spool_may_have_lain_for_longer_than_a_duration_can_be() -> None:
    (story,) = recovery.unfinished(rows(TENT), {}).values()
    found = recovery.finish(story, edge_id="edge", now_ms=TENT.begun_at_ms + 90 * 86_400_000)
    assert UsageSettled.FromString(found.event).duration_ms == 2**32 - 1
