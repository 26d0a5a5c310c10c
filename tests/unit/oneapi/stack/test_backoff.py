from oneapi.stack.backoff import Backoff


def test_waits_grow_to_a_bound() -> None:
    backoff = Backoff()
    assert [backoff.next_wait(1) for _ in range(9)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 10]


def test_a_minute_of_life_begins_anew() -> None:
    backoff = Backoff()
    for _ in range(20):
        backoff.next_wait(0)
    assert backoff.next_wait(60) == 0.2
    assert backoff.next_wait(59) == 0.4
