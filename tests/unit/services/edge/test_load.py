import asyncio

from services.edge.load import FEWEST, Load


def test_no_more_than_the_bound_comes_in() -> None:
    load = Load(2)
    for _ in range(2):
        assert load.refusal() is None
        load.enter()
    refusal = load.refusal()
    assert refusal is not None
    assert (refusal.status, refusal.code) == (503, "overloaded")
    load.leave()
    assert load.refusal() is None


def test_what_arrives_in_one_turn_of_the_loop_counts() -> None:
    load = Load(2)
    load.arrive()
    assert load.refusal() is None
    load.arrive()
    assert load.refusal() is not None
    load.begin()
    assert load.refusal(decided=True) is None
    load.enter()
    load.begin()
    assert load.refusal() is None


def test_nothing_comes_in_while_draining() -> None:
    load = Load(2)
    load.draining = True
    refusal = load.refusal()
    assert refusal is not None
    assert refusal.code == "server_shutdown"
    assert load.refusal(decided=True) is not None


async def test_waiting_for_the_last_to_leave() -> None:
    load = Load(2)
    assert await load.wait_idle(0)
    load.enter()
    load.enter()
    assert not await load.wait_idle(0)
    waiting = asyncio.ensure_future(load.wait_idle(5))
    load.leave()
    load.leave()
    assert await waiting


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def crowd(load: Load, clock: Clock, count: int, seconds: float) -> None:
    """So many wait at the same time, each for so long."""
    since = [load.wait() for _ in range(count)]
    clock.now += seconds
    for began in since:
        load.proceed(began)


def test_a_crowd_of_which_none_is_quick_makes_less_room() -> None:
    clock = Clock()
    load = Load(1000, clock)
    crowd(load, clock, 1, 0.0)
    for _ in range(4):
        crowd(load, clock, 400, 0.2)
    assert FEWEST <= load.room < 400
    began = [load.wait() for _ in range(int(load.room) + 1)]
    assert load.overloaded
    refusal = load.refusal()
    assert refusal is not None
    assert refusal.code == "overloaded"
    for each in began:
        load.proceed(each)
    assert not load.overloaded


def test_a_burst_is_answered() -> None:
    clock = Clock()
    load = Load(1000, clock)
    crowd(load, clock, 1, 0.0)
    for _ in range(20):
        crowd(load, clock, 500, 0.3)
        assert load.room == 1000
        clock.now += 60


def test_room_comes_back() -> None:
    clock = Clock()
    load = Load(1000, clock)
    for _ in range(20):
        crowd(load, clock, 400, 0.5)
    assert load.room == FEWEST
    for _ in range(60):
        crowd(load, clock, 10, 0.11)
    assert load.room == 1000


def test_room_is_whole_again_when_nobody_has_come_for_a_while() -> None:
    clock = Clock()
    load = Load(1000, clock)
    for _ in range(20):
        crowd(load, clock, 400, 0.5)
    waiting = [load.wait() for _ in range(FEWEST)]
    clock.now += 5
    assert load.refusal() is not None, "a standstill is no silence"
    for began in waiting:
        load.proceed(began)
    clock.now += 5
    assert load.refusal() is None
    assert load.room == 1000


def test_a_quick_one_in_the_crowd_shows_that_nothing_stands() -> None:
    clock = Clock()
    load = Load(1000, clock)
    for _ in range(10):
        since = [load.wait() for _ in range(400)]
        clock.now += 0.2
        load.proceed(load.wait())
        for began in since:
            load.proceed(began)
    assert load.room > 900


def test_few_that_are_slow_are_no_overload() -> None:
    clock = Clock()
    load = Load(1000, clock)
    for _ in range(10):
        crowd(load, clock, FEWEST - 1, 5.0)
    assert load.room == 1000
