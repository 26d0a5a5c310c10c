from services.admin.identity import throttle
from services.admin.identity.throttle import FAILURES, WINDOW_S, Throttle


def test_failures_are_bounded_in_time() -> None:
    made = Throttle()
    for second in range(FAILURES):
        assert made.wait_s("a", second) == 0
        made.failed("a", second)
    assert made.wait_s("a", FAILURES) == WINDOW_S - FAILURES
    assert made.wait_s("b", FAILURES) == 0
    assert made.wait_s("a", WINDOW_S + 0.5) == 0
    made.failed("a", WINDOW_S + 0.5)
    assert made.wait_s("a", WINDOW_S + 0.6) > 0


def test_a_success_clears_them() -> None:
    made = Throttle()
    for _ in range(FAILURES):
        made.failed("a", 0)
    made.succeeded("a")
    assert made.wait_s("a", 0) == 0


def test_the_memory_is_bounded() -> None:
    made = Throttle()
    for number in range(throttle.NAMES + 5):
        made.failed(str(number), 0)
    assert len(made._failures) == throttle.NAMES
