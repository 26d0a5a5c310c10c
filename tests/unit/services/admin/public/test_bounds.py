"""How often one address may ask for what isn't kept, and how much all may cost."""

from services.admin.public.bounds import BURST, WORK_AHEAD_S, WORK_SHARE, Bounds


def test_one_source_waits_and_another_does_not() -> None:
    bounds = Bounds(clock=lambda: 100.0, worked=lambda: 0.0)
    waits = [bounds.wait_s("a") for _ in range(BURST + 5)]
    assert waits[0] == 0.0
    assert waits[-1] > 0.0
    assert bounds.wait_s("b") == 0.0


def test_all_wait_while_the_work_of_all_is_too_much() -> None:
    spent = [0.0]
    bounds = Bounds(clock=lambda: 100.0, worked=lambda: spent[0])
    with bounds.work():
        spent[0] += (WORK_AHEAD_S + 1.0) * WORK_SHARE
    assert bounds.wait_s("a") == 1.0
