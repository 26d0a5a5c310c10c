"""Lines are made from events without losing what a receipt needs."""

import datetime as dt
import re

from services.billing.charges import charge_of
from services.billing.rows import COLUMNS, at, by_partition, credit_row, ms_of, usage_row
from services.billing.schema import migrations
from tests.unit.services.billing.making import AT_MS, credit_event, usage_event


def test_columns_are_those_of_the_table() -> None:
    text = migrations()[0].text
    assert list(COLUMNS)
    for name, kind in COLUMNS.items():
        assert re.search(rf"^    {name} {re.escape(kind)}", text, re.MULTILINE), name


def test_a_line_keeps_the_event() -> None:
    event = usage_event(
        loss=["top_k"], scopes=["key:k:total", "key:k:total"], streamed=True, usage={"input": 3, "output": 0}
    )
    row = usage_row(event, charge_of(event, limited=False), stream_seq=7, limited=False)
    assert row.key.line == "main"
    assert (row.usage, row.price_id, row.priced) == ({"input": 3}, "price_1", True)
    assert row.attempts == [("ch_1", "up", 200, "ok", 12)]
    assert row.lines == [("input", 3, 1_500, 4_500)]
    assert (row.scopes, row.loss, row.kind, row.claimed_nano) == (["key:k:total"], ["top_k"], "final", 5)
    assert row.reserved_at == dt.datetime(2026, 11, 18, 11, 6, 40, 123_000, tzinfo=dt.UTC)
    assert ms_of(row.reserved_at) == AT_MS
    assert len(row.values()) == len(COLUMNS)
    assert row.hour == dt.datetime(2026, 11, 18, 11, tzinfo=dt.UTC)


def test_what_a_client_makes_long_is_cut() -> None:
    event = usage_event(client_request_id="x" * 5_000, status=99_999)
    row = usage_row(event, charge_of(event, limited=False), stream_seq=7, limited=False)
    assert len(row.client_request_id) == 1_024
    assert row.status == 65_535


def test_the_trace_is_in_the_line_though_it_came_in_a_traceparent_only() -> None:
    event = usage_event(traceparent=f"00-{'ab' * 16}-{'cd' * 8}-01")
    row = usage_row(event, charge_of(event, limited=False), stream_seq=7, limited=False)
    assert row.trace_id == "ab" * 16


def test_a_credit_is_a_line_of_its_own() -> None:
    row = credit_row(credit_event(), stream_seq=9, trace_id="t")
    assert (row.line, row.kind, row.amount_nano, row.reason, row.granted_by) == (
        "topup:cr_1",
        "credit",
        5_000,
        "paid",
        "usr_1",
    )


def test_rows_are_parted_by_month() -> None:
    event = usage_event()
    row = usage_row(event, charge_of(event, limited=False), stream_seq=7, limited=False)
    other = row.moved_to(at(AT_MS + 40 * 86_400_000))
    assert {key: len(rows) for key, rows in by_partition([row, other, row]).items()} == {(2026, 11): 2, (2026, 12): 1}
    assert row.moved_to(row.reserved_at) is row
