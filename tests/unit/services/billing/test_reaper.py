"""When a reservation has no one to end it, and what the hold says."""

from services.billing.charges import charge_of
from services.billing.events import check_usage
from services.billing.reaper import PENDING_GRACE_MS, SETTLED_GRACE_MS, hold_for, is_due

HELD = {
    "st": "pending",
    "amt": "700",
    "scopes": "key:k:total\nkey:k:day:2026-11-18",
    "at_ms": "1795000000000",
    "edge": "edge-1",
    "key": "k",
    "user": "u",
    "model": "m",
}
END_MS = 1_795_000_060_000


def test_a_hold_charges_what_was_reserved_and_can_be_booked() -> None:
    hold = hold_for("acc_1", "r1", HELD, END_MS)
    check_usage(hold)
    assert hold.event_id == "r1:est"
    assert (hold.version, hold.evidence, hold.reserved_at_ms) == (1, "hold", 1_795_000_000_000)
    assert list(hold.scopes) == ["key:k:total", "key:k:day:2026-11-18"]
    assert charge_of(hold, limited=True).amount_nano == 700
    assert hold_for("acc_1", "r1", HELD, END_MS) == hold


def test_a_settled_one_is_held_at_what_was_settled() -> None:
    hold = hold_for("acc_1", "r1", {**HELD, "st": "settled", "act": "20"}, END_MS)
    assert charge_of(hold, limited=True).amount_nano == 20


def test_grace() -> None:
    assert not is_due("pending", END_MS, END_MS + PENDING_GRACE_MS - 1)
    assert is_due("pending", END_MS, END_MS + PENDING_GRACE_MS)
    assert not is_due("settled", END_MS, END_MS + SETTLED_GRACE_MS - 1)
    assert is_due("settled", END_MS, END_MS + SETTLED_GRACE_MS)
