"""Which answers are asked for again, and what is certain when there is none."""

import asyncio
from typing import Any

import pytest

from oneapi.catalog.types import Budget
from services.edge.money import admission as subject
from services.edge.money.admission import Admission, NotReserved
from services.edge.money.redis_clock import RedisClock
from services.edge.money.redis_link import RedisAway, RedisSilent
from services.edge.money.reserve_call import ReserveCalls
from services.edge.money.resp import RedisRefused
from tests.unit.services.edge.money.claims import claim

NOW = 1_795_608_000_000
OK = b"ok\t%d\t2\t3\t1\t\t\t\t\t" % NOW
REFUSED = b"no\t%d\tcredits\t5\t5\t\t0" % NOW
NOT_OPEN = b"uninit\t%d\t" % NOW
BUILDING = b"uninit\t%d\tnonce" % NOW
LATE = b"late\t%d" % NOW


class Link:
    """Answers from a list; the last one stays."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[bytes] = []
        self.casts: list[bytes] = []
        self.loaded = 0

    async def call(self, command: bytes) -> Any:
        self.calls.append(command)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cast(self, command: bytes) -> None:
        self.casts.append(command)

    async def load_functions(self) -> None:
        self.loaded += 1


class Desk:
    def __init__(self, *answers: Any) -> None:
        self.link = Link(*answers)
        self.told: list[tuple[str, str]] = []
        self.clock = RedisClock(lambda: 0.0, lambda: NOW)
        calls = ReserveCalls("edge", lambda: NOW)
        self.admission = Admission(self.link, calls, self.clock, self.not_open)  # type: ignore[arg-type]

    async def not_open(self, account_id: str, rebuild_id: str) -> None:
        self.told.append((account_id, rebuild_id))

    async def refused(self, *budgets: Budget) -> tuple[int, bool]:
        with pytest.raises(NotReserved) as caught:
            await self.admission.reserve(claim(*budgets))
        return caught.value.error.status, caught.value.uncertain


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "SILENCE_RETRY_S", (0, 0))
    monkeypatch.setattr(subject, "OPENING_PAUSE_S", (0, 0))
    monkeypatch.setattr(subject, "OPENING_LIMIT_S", 0.05)


async def test_a_grant_is_a_grant() -> None:
    desk = Desk(OK)
    assert (await desk.admission.reserve(claim())).reserved_at_ms == 2
    assert desk.clock.now_ms == NOW


async def test_silence_is_asked_once_more_with_the_same_id() -> None:
    desk = Desk(RedisSilent(), OK)
    await desk.admission.reserve(claim())
    assert len(desk.link.calls) == 2
    assert desk.link.calls[0] == desk.link.calls[1]


@pytest.mark.parametrize(
    ("answers", "status", "uncertain", "calls"),
    [
        ([RedisSilent()], 503, True, 2),
        ([RedisAway()], 503, False, 1),
        ([RedisSilent(), RedisAway()], 503, True, 2),
        ([REFUSED], 402, False, 1),
        ([RedisSilent(), REFUSED], 402, True, 2),
        ([LATE], 503, False, 2),
        ([RedisRefused("OOM command not allowed")], 503, False, 1),
        ([RedisRefused("LOADING Redis is loading")], 503, False, 1),
        ([RedisRefused("ERR user_function: attempt to compare")], 503, True, 1),
        ([b"nonsense\t1"], 503, True, 1),
    ],
)
async def test_what_is_known_without_a_grant(answers: list[Any], status: int, uncertain: bool, calls: int) -> None:
    desk = Desk(*answers)
    assert await desk.refused() == (status, uncertain)
    assert len(desk.link.calls) == calls


async def test_a_call_that_came_too_late_is_repeated_by_the_clock_that_is_known_now() -> None:
    desk = Desk(LATE, OK)
    await desk.admission.reserve(claim())
    assert b"$1\r\n0\r\n" in desk.link.calls[0]
    assert b"%d" % (NOW + 1_000) in desk.link.calls[1]


async def test_an_account_that_opens_in_time_is_waited_for() -> None:
    desk = Desk(NOT_OPEN, BUILDING, OK)
    await desk.admission.reserve(claim())
    assert desk.told == [("acc", ""), ("acc", "nonce")]


async def test_an_account_that_does_not_open_is_a_503() -> None:
    desk = Desk(NOT_OPEN)
    assert await desk.refused() == (503, False)
    assert len(desk.told) > 1


async def test_a_grant_that_is_older_than_a_report_of_this_edge_counts_for_nothing() -> None:
    def reported_meanwhile() -> bytes:
        desk.admission.rebuilds["acc"] += 1
        return OK

    desk = Desk(reported_meanwhile, BUILDING, OK)
    await desk.admission.reserve(claim())
    assert len(desk.link.calls) == 3
    desk = Desk(reported_meanwhile, NOT_OPEN)
    assert await desk.refused() == (503, True)


async def test_a_lost_library_is_loaded_again() -> None:
    desk = Desk(RedisRefused("ERR Function not found"), OK)
    await desk.admission.reserve(claim())
    assert desk.link.loaded == 1


async def test_a_budget_that_cannot_be_evaluated_is_an_error_of_ours() -> None:
    desk = Desk(OK)
    assert await desk.refused(Budget(amount_nano=1, window="day", timezone="No/Where")) == (500, False)


async def test_being_cancelled_passes_through() -> None:
    blocked = asyncio.Event()

    class Waiting(Link):
        async def call(self, command: bytes) -> Any:
            await blocked.wait()

    desk = Desk(OK)
    desk.admission._link = Waiting(OK)  # type: ignore[assignment]
    task = asyncio.create_task(desk.admission.reserve(claim()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
