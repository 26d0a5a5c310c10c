"""What of a batch is new."""

from services.billing.charges import charge_of
from services.billing.events import LineKey
from services.billing.ledger import Present, plan, token
from services.billing.rows import LedgerRow, ms_of, usage_row
from tests.unit.services.billing.making import AT_MS, usage_event


def row(**changes: object) -> LedgerRow:
    event = usage_event(**changes)
    return usage_row(event, charge_of(event, limited=False), stream_seq=1, limited=False)


def present(one: LedgerRow, *, version: int | None = None) -> dict[LineKey, Present]:
    version = one.version if version is None else version
    return {one.key: Present(version, {version: one.payload_sha}, ms_of(one.reserved_at), frozenset(one.scopes))}


HOLD = {"version": 1, "evidence": "hold", "usage": {}, "rates": None, "amount_nano": 9, "reserved_nano": 9}


def test_what_is_new_is_written_once() -> None:
    made = plan([row(), row(), row(request_id="r2")], {})
    assert [one.request_id for one in made.rows] == ["r1", "r2"]
    assert made.conflicts == []


def test_what_is_there_is_left_out_but_its_sums_are_set_again() -> None:
    one = row(scopes=["key:k:total"])
    made = plan([one], present(one))
    assert made.rows == []
    assert made.touched == {"acc_1": {"key:k:total"}}


def test_the_first_of_two_contents_is_kept() -> None:
    first, second = row(), row(usage={"input": 99})
    made = plan([first, second], {})
    assert (made.rows, made.conflicts) == ([first], [second])
    made = plan([second], present(first))
    assert (made.rows, made.conflicts) == ([], [second])


def test_a_final_replaces_a_hold_and_never_the_other_way_round() -> None:
    final, hold = row(), row(**HOLD)
    assert plan([hold, final], {}).rows == [hold, final]
    assert plan([final, hold], {}).rows == [final]
    assert plan([hold], present(final)).rows == []
    assert plan([final], present(hold)).rows == [final]


def test_all_versions_stay_where_the_first_one_is() -> None:
    hold = row(**HOLD, reserved_at_ms=AT_MS - 40 * 86_400_000, scopes=["key:k:day:2026-10-09"])
    final = row()
    for made in (plan([final], present(hold)), plan([hold, final], {})):
        assert made.rows[-1].reserved_at == hold.reserved_at
        assert made.rows[-1].event_id == final.event_id
        # The budget that the hold counted against has another sum as well.
        assert made.touched["acc_1"] == {"key:k:day:2026-10-09"}


def test_the_token_is_of_the_events_in_any_order() -> None:
    one, two = row(), row(request_id="r2")
    assert token([one, two]) == token([two, one])
    assert token([one]) != token([one, two])
    assert token([one]) != token([row(usage={"input": 99})])
