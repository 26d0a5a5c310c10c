import contextlib

import pytest

from oneapi.dialects.errors import GatewayError
from services.edge.sandbox import limits
from services.edge.sandbox.limits import Limits


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_who_comes_too_fast_is_told_when_to_come_again() -> None:
    clock = Clock()
    found = Limits(clock)
    with pytest.raises(GatewayError) as refused:
        for number in range(limits.BURST + 2):
            with found.place(f"192.0.2.{number % 250}"):
                pass
    assert (refused.value.status, refused.value.code) == (429, "sandbox_rate_limited")
    assert refused.value.retry_after_s is not None
    with found.place("198.51.100.1"):
        pass
    clock.now_s += refused.value.retry_after_s
    with found.place("192.0.2.1"):
        pass


def test_places_are_counted_for_each_source_and_for_all() -> None:
    found = Limits(Clock())
    with contextlib.ExitStack() as held:
        for _ in range(limits.PLACES_OF_SOURCE):
            held.enter_context(found.place("192.0.2.1"))
        with pytest.raises(GatewayError) as refused, found.place("192.0.2.1"):
            pass
        assert (refused.value.status, refused.value.code) == (429, "sandbox_busy")
        for number in range(limits.PLACES - limits.PLACES_OF_SOURCE):
            held.enter_context(found.place(f"10.0.{number}.1"))
        with pytest.raises(GatewayError), found.place("198.51.100.1"):
            pass
    with found.place("192.0.2.1"), found.place("198.51.100.1"):
        pass


def test_a_place_is_given_back_however_its_request_ends() -> None:
    found = Limits(Clock())
    for _ in range(limits.PLACES_OF_SOURCE + 1):
        with pytest.raises(ZeroDivisionError), found.place("192.0.2.1"):
            raise ZeroDivisionError
    with found.place("192.0.2.1"):
        pass


def test_only_a_share_of_the_process_works_here() -> None:
    clock, worked = Clock(), Clock()
    found = Limits(clock, worked)
    with found.place("192.0.2.1"), found.work():
        worked.now_s += limits.WORK_SHARE * (limits.WORK_AHEAD_S + 2.0)
    with pytest.raises(GatewayError) as refused, found.place("198.51.100.1"):
        pass
    assert (refused.value.code, refused.value.retry_after_s) == ("sandbox_busy", 2.0)
    clock.now_s += 2.0
    with found.place("198.51.100.1"):
        pass
