"""The receipt's JSON, to the character."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from services.billing.charges import charge_of
from services.billing.receipts import RECEIPT_COLUMNS, render, rfc3339
from services.billing.rows import ms_of, usage_row
from tests.unit.services.billing.making import usage_event


def stored(**changes: Any) -> dict[str, Any]:
    """The row as ClickHouse gives it back."""
    event = usage_event(**changes)
    row = usage_row(event, charge_of(event, limited=False), stream_seq=1, limited=False)
    found = {name: getattr(row, name, None) for name in RECEIPT_COLUMNS}
    return found | {"at_ms": ms_of(row.reserved_at)}


def receipt(**changes: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(render(stored(**changes)))
    return decoded


def test_a_receipt_has_the_shape_of_the_contract() -> None:
    assert receipt(loss=["top_k"], trace_id="ab") == {
        "request_id": "r1",
        "at": "2026-11-18T11:06:40.123Z",
        "account_id": "acc_1",
        "user_id": "usr_1",
        "key_id": "key_1",
        "endpoint": "chat",
        "model": "m",
        "attempts": [{"channel": "ch_1", "upstream_model": "up", "status": 200, "outcome": "ok", "ms": 12}],
        "usage": {"input": 11, "output": 7},
        "evidence": "provider",
        "price": {"id": "price_1", "input": "0.0015", "output": "0.006001"},
        "lines": [
            {"bucket": "input", "quantity": 11, "unit_price_usd": "0.0000000015", "amount_usd": "0.0000000165"},
            {"bucket": "output", "quantity": 7, "unit_price_usd": "0.000000006001", "amount_usd": "0.000000042007"},
            {"bucket": "rounding", "quantity": 1, "unit_price_usd": "0.000000000493", "amount_usd": "0.000000000493"},
        ],
        "cost_usd": "0.000000059",
        "outcome": "ok",
        "trace_id": "ab",
        "loss": ["top_k"],
    }


def test_tuples_and_mappings_of_the_driver_are_the_same() -> None:
    row = stored()
    named = row | {
        "attempts": [dict(zip(("a", "b", "c", "d", "e"), one, strict=True)) for one in row["attempts"]],
        "lines": [dict(zip(("a", "b", "c", "d"), one, strict=True)) for one in row["lines"]],
    }
    assert render(named) == render(row)


def test_without_a_price_there_is_none() -> None:
    found = receipt(rates=None, amount_nano=0)
    assert (found["price"], found["lines"], found["cost_usd"]) == (None, [], "0")


def test_units_are_priced_each_and_tokens_per_million() -> None:
    found = receipt(usage={"image": 2, "input": 1}, rates={"image": 40_000_000_000, "input": 2_500_000})
    assert found["price"] == {"id": "price_1", "input": "2.5", "image": "0.04"}
    assert found["cost_usd"] == "0.0800025"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"amount_nano": 50, "house_nano": 9, "reserved_nano": 50},
        {"amount_nano": 0, "house_nano": 59, "reserved_nano": 0},
        {"usage": {}, "amount_nano": 0},
        {"version": 1, "evidence": "hold", "usage": {}, "rates": None, "amount_nano": 700, "reserved_nano": 700},
        {"usage": {"input": 2}, "rates": {"input": 500}},
    ],
)
def test_the_lines_add_up_to_the_cost(changes: dict[str, Any]) -> None:
    found = receipt(**changes)
    assert sum((Decimal(line["amount_usd"]) for line in found["lines"]), Decimal()) == Decimal(found["cost_usd"])
    for line in found["lines"]:
        assert Decimal(line["unit_price_usd"]) * line["quantity"] == Decimal(line["amount_usd"])


def test_what_a_limit_kept_from_the_account_is_a_line() -> None:
    found = receipt(amount_nano=50, house_nano=9, reserved_nano=50)
    assert found["lines"][-1] == {
        "bucket": "house",
        "quantity": 1,
        "unit_price_usd": "-0.000000009",
        "amount_usd": "-0.000000009",
    }
    assert found["cost_usd"] == "0.00000005"


def test_times_have_milliseconds() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_795_000_000_007) == "2026-11-18T11:06:40.007Z"
