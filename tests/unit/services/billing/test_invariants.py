"""Which booked amounts are impossible."""

import pytest

from services.billing.invariants import amount_fault

USAGE, PRICE = {"input": 11, "output": 7}, {"input": 1_500, "output": 6_001}
BILLED = 11 * 1_500 + 7 * 6_001


@pytest.mark.parametrize(
    ("kind", "amount", "house", "reserved", "billed", "right"),
    [
        ("final", 59, 0, 100, BILLED, True),
        ("final", 59, 0, 10, BILLED, True),
        ("final", 50, 9, 50, BILLED, True),
        ("final", 50, 9, 55, BILLED, False),
        ("final", 58, 0, 100, BILLED, False),
        ("final", 59, 1, 100, BILLED, False),
        ("final", 59, 0, 100, BILLED + 1_000, False),
        ("hold", 70, 0, 70, 0, True),
        ("hold", 69, 0, 70, 0, False),
        ("hold", 70, 1, 70, 0, False),
    ],
)
def test_amounts(kind: str, amount: int, house: int, reserved: int, billed: int, right: bool) -> None:
    assert (amount_fault(USAGE, PRICE, kind, amount, house, reserved, billed) == "") == right
