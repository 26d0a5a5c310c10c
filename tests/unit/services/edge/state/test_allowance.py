"""How much may be stored for nothing."""

from services.edge.state.allowance import BURST_BYTES, MAX_ACCOUNTS, RATE_BYTES_PER_S, WRITE_BYTES, Allowance


def test_a_burst_and_then_a_rate() -> None:
    now = 100.0
    allowance = Allowance(lambda: now)
    half = BURST_BYTES // 2 - WRITE_BYTES
    assert allowance.take("a", half) == 0.0
    assert allowance.take("a", half) == 0.0
    wait_s = allowance.take("a", RATE_BYTES_PER_S - WRITE_BYTES)
    assert 0.0 < wait_s <= 1.0
    assert allowance.take("b", half) == 0.0, "others are not told to wait"
    now += wait_s
    assert allowance.take("a", RATE_BYTES_PER_S - WRITE_BYTES) == 0.0
    assert allowance.take("a", BURST_BYTES) > 0.0


def test_it_remembers_no_more_than_it_must() -> None:
    allowance = Allowance(lambda: 0.0)
    for number in range(MAX_ACCOUNTS + 5):
        allowance.take(str(number), 1)
    assert len(allowance._free_at) == MAX_ACCOUNTS
