"""One request's life, and what a kill of the process at any point of it leaves on the disk."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oneapi.dialects.errors import GatewayError
from proto.events.v1.events_pb2 import UsageSettled
from services.edge.money import records, recovery, segments
from services.edge.money.desk import OpenRequests
from services.edge.money.hold import Hold, rate_headers
from services.edge.money.progress import Progress
from services.edge.money.records import Tent
from services.edge.money.redis_clock import RedisClock
from services.edge.money.reserve_call import Granted
from services.edge.money.settlement import VOID, Ending
from services.edge.money.spool import Spool, SpoolUnavailable

RATES = {"input": 1_000, "output": 2_000}
TENT = Tent("rid", "acc", "user", "key", "model", "chat", "", "", True, 500, RATES, 40, 1_796_000_000_000)
GRANTED = Granted(1, 1_796_000_000_001, 1_796_000_060_000, True, ("key:key:total",), -1, -1, -1, -1)
OK = Ending("ok", {"input": 10, "output": 20}, "provider", "p1", RATES, "ch", 200, 5)


class Edge:
    """A spool whose writes wait for an explicit flush, so that a forgotten one shows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "spool"
        self.later: list[Callable[[], None]] = []
        self.spool = Spool(self.folder, min_free_bytes=0, later=lambda _s, call: self.later.append(call))
        list(self.spool.recover())
        self.spool.begin()
        self.progress = Progress(self.folder / "progress", slots=2)
        self.progress.reset()
        self.settled: list[tuple[str, int, int]] = []
        clock = RedisClock(lambda: 0.0, lambda: 1_796_000_000_002)
        self.open = OpenRequests(self.spool, self.progress, clock, self.settle, lambda end: None)

    def settle(self, account_id: str, key_id: str, request_id: str, amount_nano: int, tokens: int) -> None:
        self.settled.append((request_id, amount_nano, tokens))

    def begin(self) -> Hold:
        hold = self.open.begin(TENT)
        self.spool.flush()  # as the connection to Redis does before it writes
        hold.grant(GRANTED, 500, (None, None))
        return hold

    def left(self) -> list[UsageSettled]:
        """What a process that starts now makes of the request, if this one is killed now."""
        copy = self.folder.with_name("copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.folder, copy)
        spool, progress = Spool(copy, min_free_bytes=0), Progress(copy / "progress", slots=2)
        found = list(spool.recover())
        stories = recovery.unfinished(found, progress.left_behind())
        ends = [record.payload for record in found if record.kind == records.FINAL]
        events = [UsageSettled.FromString(records.event_of(payload)) for payload in ends]
        ended = [recovery.finish(story, edge_id="edge", now_ms=1).event for story in stories.values()]
        events += [UsageSettled.FromString(event) for event in ended]
        progress.close()
        spool.close()
        return events

    def finals(self) -> list[UsageSettled]:
        self.spool.flush()
        path = next(self.folder.glob("*.spool"))
        rows = segments.records(path.read_bytes(), 0, 0)
        return [UsageSettled.FromString(records.event_of(row.payload)) for row in rows if row.kind == records.FINAL]


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    found = Edge(tmp_path)
    yield found
    found.spool.close()
    found.progress.close()


def test_a_kill_after_each_step_of_a_stream(edge: Edge) -> None:
    hold = edge.begin()
    assert [event.outcome for event in edge.left()] == ["void"], "nobody was asked yet"
    attempt = hold.attempt("ch", "gpt", price_id="p1", rates=RATES)
    (event,) = edge.left()
    assert (event.outcome, event.amount_nano, event.reserved_nano) == ("recovered", 0, 500)
    hold.checkpoint(0, {"input": 12})
    (event,) = edge.left()
    assert (dict(event.usage), event.evidence) == ({"input": 12}, "provider")
    for delivered in range(1, 300, 7):
        hold.checkpoint(delivered, {"input": 12})
        (event,) = edge.left()
        assert event.usage["output"] == -(-delivered // 4), "exact at any instant"
        assert event.usage["input"] == 12
    attempt.done(200, "ok")
    hold.checkpoint(295, {"input": 10, "output": 20})
    (event,) = edge.left()
    assert (dict(event.usage), event.amount_nano) == ({"input": 10, "output": 20}, 50)
    charged = hold.finish(OK)
    assert charged.amount_nano == 50
    (event,) = edge.left()
    assert (event.outcome, event.amount_nano, event.attempts[0].status) == ("ok", 50, 200)
    assert edge.settled == [("rid", 50, 30)]
    assert edge.open.floor == edge.spool.end
    assert edge.progress.left_behind() == {}


def test_a_whole_answer_is_written_before_it_may_be_sent(edge: Edge) -> None:
    hold = edge.begin()
    hold.attempt("ch", "gpt").done(200, "ok")
    hold.finish(OK)
    (event,) = edge.left()
    assert event.outcome == "ok"


def test_there_is_one_end(edge: Edge) -> None:
    hold = edge.begin()
    first = hold.finish(OK)
    assert hold.finish(Ending(VOID)) is first
    hold.checkpoint(99, {"input": 99})
    assert hold.finished
    assert len(edge.finals()) == 1
    assert len(edge.settled) == 1


def test_more_streams_than_slots_are_counted_in_the_spool(edge: Edge) -> None:
    holds = [edge.begin() for _ in range(3)]
    for hold in holds:
        hold.attempt("ch", "gpt")
        hold.checkpoint(40)
        hold.checkpoint(80)
    assert [event.usage["output"] for event in edge.left()] == [20, 20, 20]
    holds[0].finish(OK)
    assert edge.begin().ticket > holds[2].ticket


def test_an_end_that_waits_for_the_disk_keeps_the_exact_count_until_then(edge: Edge) -> None:
    hold = edge.begin()
    hold.attempt("ch", "gpt", price_id="p1", rates=RATES)
    hold.checkpoint(0)
    hold.checkpoint(77)
    flush = edge.spool.flush

    def full() -> None:
        raise SpoolUnavailable("full")

    edge.spool.flush = full  # type: ignore[method-assign]
    hold.finish(Ending("client_gone", {"input": 10, "output": 20}, "counted", "p1", RATES, "ch", 200))
    (event,) = edge.left()
    assert (event.outcome, event.usage["output"]) == ("recovered", 20)
    edge.spool.flush = flush  # type: ignore[method-assign]
    edge.begin().finish(OK)
    assert [event.outcome for event in edge.left()] == ["client_gone", "ok"]
    assert edge.progress.left_behind() == {}


def test_only_now_and_then_does_the_count_go_into_the_spool(edge: Edge) -> None:
    hold = edge.begin()
    hold.checkpoint(0)
    before = edge.spool.end
    for n in range(160):
        hold.checkpoint(n)
    written = (edge.spool.end - before) // 25
    assert 5 <= written <= 30


def test_how_a_failed_attempt_ended_is_kept_when_another_follows(edge: Edge) -> None:
    hold = edge.begin()
    first = hold.attempt("ch1", "gpt")
    first.done(503, "upstream_error")
    first.done(200, "ok")
    hold.attempt("ch2", "claude")
    (event,) = edge.left()
    assert [(a.channel_id, a.status, a.outcome) for a in event.attempts] == [
        ("ch1", 503, "upstream_error"), ("ch2", 0, "unfinished"),
    ]  # fmt: skip


def test_no_upstream_is_asked_when_that_cannot_be_written_down(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = edge.begin()

    def full() -> None:
        raise SpoolUnavailable("full")

    edge.open.flush = full
    with pytest.raises(GatewayError) as caught:
        hold.attempt("ch", "gpt")
    assert (caught.value.status, caught.value.code) == (503, "usage_log_unavailable")
    assert hold.attempts == []


def test_an_end_that_cannot_be_written_does_not_fail_and_frees_nothing(edge: Edge) -> None:
    hold = edge.begin()

    def suspect(kind: int, payload: bytes) -> int:
        raise SpoolUnavailable("suspect")

    edge.spool.append = suspect  # type: ignore[method-assign]
    assert hold.finish(OK).amount_nano == 50
    assert edge.settled == []
    assert len(edge.open) == 1
    assert edge.open.floor == hold.ticket


def test_a_refused_request_leaves_nothing_for_a_recovery(edge: Edge) -> None:
    hold = edge.open.begin(TENT)
    edge.open.deny(hold)
    edge.spool.flush()
    assert edge.left() == []
    assert len(edge.open) == 0


def test_what_is_held_is_what_was_granted(edge: Edge) -> None:
    edge.open.begin(TENT)
    hold = edge.begin()
    assert [opened for _, opened in edge.open.held("acc")] == [hold.opened]
    assert list(edge.open.held("other")) == []
    assert (hold.request_id, hold.reserved_nano, hold.hard, hold.scopes, hold.reserved_at_ms) == (
        "rid", 500, True, ("key:key:total",), GRANTED.reserved_at_ms,
    )  # fmt: skip


def test_rate_headers() -> None:
    granted = Granted(1, 2, 3, True, (), 59, 1_000, 900, 61_500)
    assert dict(rate_headers(granted, (60, 1_000))) == {
        b"x-ratelimit-limit-requests": b"60",
        b"x-ratelimit-remaining-requests": b"59",
        b"x-ratelimit-reset-requests": b"1.000s",
        b"x-ratelimit-limit-tokens": b"1000",
        b"x-ratelimit-remaining-tokens": b"900",
        b"x-ratelimit-reset-tokens": b"61.500s",
    }
    assert len(rate_headers(granted, (None, 1_000))) == 3
    assert rate_headers(granted, (None, None)) == ()
