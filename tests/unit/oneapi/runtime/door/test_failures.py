from oneapi.runtime.door.failures import FailureLimiter


def test_a_burst_is_borne_then_the_rate_holds() -> None:
    limiter = FailureLimiter(rate_per_s=20, burst=100)
    assert all(limiter.strike("a", 1000.0) == 0.0 for _ in range(100))
    assert limiter.strike("a", 1000.0) > 0
    borne = sum(limiter.strike("a", 1000.0 + n / 1000) == 0.0 for n in range(10_000))
    assert 190 <= borne <= 201


def test_a_source_that_keeps_trying_is_heard_at_the_rate() -> None:
    limiter = FailureLimiter(rate_per_s=1, burst=1)
    assert limiter.strike("a", 0.0) == 0.0
    assert all(limiter.strike("a", n / 100) > 0 for n in range(1, 100))
    assert limiter.strike("a", 1.0) == 0.0


def test_sources_are_apart_and_bounded() -> None:
    limiter = FailureLimiter(rate_per_s=1, burst=1, max_sources=2)
    assert limiter.strike("a", 0.0) == 0.0
    assert limiter.strike("b", 0.0) == 0.0
    assert limiter.strike("c", 0.0) == 0.0
    assert limiter.strike("a", 0.0) == 0.0
    assert limiter.strike("c", 0.0) > 0
