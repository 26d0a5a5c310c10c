"""How much of the time may go into what anybody may ask for."""

from oneapi.runtime.door.work_share import WorkShare


class Time:
    """A clock, and how much of it was worked."""

    now_s = 100.0
    worked_s = 0.0


def test_work_beyond_the_share_waits_until_time_has_paid_for_it() -> None:
    time = Time()
    share = WorkShare(0.5, 1.0, lambda: time.now_s, lambda: time.worked_s)
    assert share.wait_s() == 0.0
    with share.work():
        time.worked_s += 1.0
    assert share.wait_s() == 1.0, "two seconds of time, of which one may be in advance"
    time.now_s += 1.0
    assert share.wait_s() == 0.0
    time.now_s += 1_000.0
    with share.work():
        time.worked_s += 0.25
    assert share.wait_s() == 0.0, "what wasn't used is not saved up, and this is little"
    with share.work():
        time.worked_s += 2.0
    assert share.wait_s() == 3.5


def test_work_that_fails_is_counted() -> None:
    time = Time()
    share = WorkShare(0.5, 0.0, lambda: time.now_s, lambda: time.worked_s)
    try:
        with share.work():
            time.worked_s += 1.0
            raise ValueError
    except ValueError:
        pass
    assert share.wait_s() == 2.0
