"""Queries are put together from fixed parts; what a caller says is a parameter."""

import pytest

from services.billing import report_queries as queries
from services.billing.hours import HOUR_S, Hours
from services.billing.report_queries import HOUR_MS, BadQuestion

HOSTILE = "x'; DROP TABLE ledger; --"


def test_values_are_never_text_of_the_query() -> None:
    filters = dict.fromkeys(queries.FILTERS, HOSTILE)
    asked = [
        queries.usage(0, HOUR_MS, ["model"], filters, Hours()),
        queries.receipt(HOSTILE, HOSTILE, HOSTILE),
        queries.receipts(0, HOUR_MS, filters, (5, HOSTILE), 10),
    ]
    for query in asked:
        assert HOSTILE not in query.text
        assert HOSTILE in query.parameters.values()


@pytest.mark.parametrize("name", ["cost_nano", "key_id", "", HOSTILE])
def test_only_known_names_can_be_grouped_by(name: str) -> None:
    with pytest.raises(BadQuestion):
        queries.usage(0, 1, [name], {}, Hours())


def test_unknown_filters_are_no_columns() -> None:
    query = queries.usage(0, 1, [], {HOSTILE: "x", "model": ""}, Hours())
    assert "DROP" not in query.text
    assert "filter_" not in query.text


def test_groups_have_the_names_of_the_contract() -> None:
    query = queries.usage(0, 1, ["model", "key", "user", "channel", "account", "day", "hour", "day"], {}, Hours())
    assert query.names == ("model", "key_id", "user_id", "channel_id", "account_id", "day", "hour")
    assert "ORDER BY group_day, group_hour, all_cost DESC" in query.text


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "hours", "partly"),
    [
        (0, 2 * HOUR_MS, (0, 2 * HOUR_S), {2 * HOUR_S}),
        (1, 2 * HOUR_MS, (HOUR_S, 2 * HOUR_S), {0, 2 * HOUR_S}),
        (HOUR_MS - 1, 2 * HOUR_MS + 1, (HOUR_S, 2 * HOUR_S), {0, 2 * HOUR_S}),
        (5, 6, (HOUR_S, 0), {0}),
    ],
)
def test_hours_that_are_partly_asked_for_are_read_from_the_ledger(
    from_ms: int, to_ms: int, hours: tuple[int, int], partly: set[int]
) -> None:
    query = queries.usage(from_ms, to_ms, [], {}, Hours(10 * HOUR_S, frozenset({7 * HOUR_S})))
    assert (query.parameters["from_hour"], query.parameters["to_hour"]) == hours
    assert query.parameters["dirty"] == sorted(partly | {7 * HOUR_S})


def test_time_must_begin_before_it_ends() -> None:
    with pytest.raises(BadQuestion):
        queries.usage(5, 5, [], {}, Hours())


def test_cursors_come_back_as_they_were() -> None:
    assert queries.decode_cursor(queries.encode_cursor(1_795_000_000_123, "r:1")) == (1_795_000_000_123, "r:1")


@pytest.mark.parametrize("cursor", ["", "x", "!!!!", "é", queries.encode_cursor(1, ""), "YWJj"])
def test_other_texts_are_no_cursors(cursor: str) -> None:
    with pytest.raises(BadQuestion):
        queries.decode_cursor(cursor)


def test_pages_have_a_size() -> None:
    assert [queries.page_size(limit) for limit in (0, 1, 200)] == [50, 1, 200]
    with pytest.raises(BadQuestion):
        queries.page_size(201)
