from typing import Any

import msgspec
import pytest

from oneapi.catalog.types import MAX_AMOUNT_NANO, Account, Budget, KeyLimits
from services.edge.money import reserve_call, resp
from services.edge.money.reserve_call import Granted, NotOpen, Refused, ReserveCalls, WrongTime
from tests.unit.services.edge.money.claims import claim

NOON = 1_795_608_000_000  # 2026-11-25T12:00:00Z
MIDNIGHT = NOON + 12 * 3_600_000


def parts(packed: bytes) -> list[str]:
    """The arguments of a command (an array of bulk strings reads as a reply does)."""
    found: list[Any]
    found, end = resp.parse(packed, 0)
    assert end == len(packed)
    return [part.decode() for part in found]


def test_everything_travels_in_the_order_that_the_function_takes() -> None:
    limits = KeyLimits(rpm=60, concurrency=5)
    wanted = claim(Budget(amount_nano=700, window="day"), Budget(amount_nano=900), limits=limits)
    sent = parts(ReserveCalls("edge", lambda: NOON).reserve(wanted, 77))
    assert sent[:9] == [
        "FCALL", "oneapi_reserve", "6", "b:{acc}", "z:{acc}", "r:{acc}:rid", "g:{acc}:key:rpm", "g:{acc}:key:tpm",
        "c:{acc}:key",
    ]  # fmt: skip
    assert sent[9:22] == ["rid", "100", "60500", "77", "0", "60", "", "12", "5", "edge", "key", "user", "sandbox"]
    day = 86_400_000
    assert sent[22:] == [
        "2",
        "700", str(MIDNIGHT - 2 * day), "3",
        "key:key:day:2026-11-24", str(MIDNIGHT - day), "key:key:day:2026-11-25", str(MIDNIGHT),
        "key:key:day:2026-11-26", str(MIDNIGHT + day),
        "900", "0", "1", "key:key:total", "0",
    ]  # fmt: skip


def test_what_is_cached_follows_the_key_the_account_and_the_period() -> None:
    now = [NOON]
    calls = ReserveCalls("edge", lambda: now[0])
    first = claim(Budget(amount_nano=700, window="day"))
    assert calls.reserve(first, 0) == calls.reserve(first, 0)
    now[0] = MIDNIGHT
    assert "key:key:day:2026-11-27" in parts(calls.reserve(first, 0))
    assert parts(calls.reserve(claim(), 0))[22:] == ["0"]
    unlimited = claim(account=Account(id="acc", name="", unlimited=True))
    assert parts(calls.reserve(unlimited, 0))[13] == "1"
    other = msgspec.structs.replace(unlimited, user_id="else")
    assert parts(calls.reserve(other, 0))[20] == "else"


def test_an_amount_beyond_what_redis_counts_exactly_is_bounded() -> None:
    assert parts(ReserveCalls("edge", lambda: NOON).reserve(claim(reserve_nano=10**19), 0))[10] == str(MAX_AMOUNT_NANO)


def test_a_budget_that_cannot_be_evaluated_is_said() -> None:
    with pytest.raises(ValueError):
        ReserveCalls("edge", lambda: NOON).reserve(claim(Budget(amount_nano=1, window="day", timezone="No/Where")), 0)


def test_settling() -> None:
    assert parts(reserve_call.settle("acc", "key", "rid", 5, 9)) == [
        "FCALL", "oneapi_settle", "5", "b:{acc}", "z:{acc}", "r:{acc}:rid", "g:{acc}:key:tpm", "c:{acc}:key", "rid",
        "5", "9",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"ok\t1\t2\t3\t1\ta\nb\t5\t6\t\t", Granted(1, 2, 3, True, ("a", "b"), 5, 6, -1, -1)),
        (b"ok\t1\t2\t3\t0\t\t\t\t\t", Granted(1, 2, 3, False, (), -1, -1, -1, -1)),
        (b"no\t1\tbudget\t700\t650\tkey:k:total\t0", Refused(1, "budget", 700, 650, "key:k:total", 0)),
        (b"uninit\t1\t", NotOpen(1, "")),
        (b"uninit\t1\tnonce", NotOpen(1, "nonce")),
        (b"late\t1", WrongTime(1)),
        (b"clock\t1", WrongTime(1)),
    ],
)
def test_answers(reply: bytes, expected: reserve_call.Answer) -> None:
    assert reserve_call.answer(reply) == expected


def test_an_answer_that_is_not_known_is_said() -> None:
    with pytest.raises(ValueError):
        reserve_call.answer(b"maybe\t1")
