from services.edge.money.redis_clock import RedisClock


def test_redis_time_is_carried_on_by_the_monotonic_clock() -> None:
    monotonic, wall = [1_000.0], [50_000_000]
    clock = RedisClock(lambda: monotonic[0], lambda: wall[0])
    assert clock.not_after_ms == 0
    assert clock.now_ms == 50_000_000
    clock.learn(50_000_100)
    monotonic[0] += 500
    wall[0] += 3_600_000  # somebody sets the edge's clock
    assert clock.now_ms == 50_000_600
    assert clock.not_after_ms == 50_001_600
    assert clock.problem == ""


def test_clocks_that_differ_too_much_stop_admission_until_they_agree() -> None:
    wall = [100_000_000]
    clock = RedisClock(lambda: 0.0, lambda: wall[0])
    clock.learn(wall[0] - 29_000)
    assert clock.problem == ""
    clock.learn(wall[0] + 31_000)
    assert "-31000 ms" in clock.problem
    clock.learn(wall[0])
    assert clock.problem == ""
