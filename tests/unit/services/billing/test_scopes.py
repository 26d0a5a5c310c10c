"""Names of budget scopes, and until when they count."""

import datetime as dt

import pytest

from services.billing.scopes import Scope, counts, parse


def ms(*parts: int) -> int:
    return int(dt.datetime(*parts, tzinfo=dt.UTC).timestamp() * 1000)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("key:key_1:total", Scope("key_1", "total", "UTC", None)),
        ("key:key_1:day:2026-12-31", Scope("key_1", "day", "UTC", dt.date(2027, 1, 1))),
        ("key:key_1:week:2026-W53@Europe/Berlin", Scope("key_1", "week", "Europe/Berlin", dt.date(2027, 1, 4))),
        ("key:key_1:month:2026-12@Asia/Tokyo", Scope("key_1", "month", "Asia/Tokyo", dt.date(2027, 1, 1))),
        ("key:key_1:month:2026-02@Etc/GMT+12", Scope("key_1", "month", "Etc/GMT+12", dt.date(2026, 3, 1))),
    ],
)  # fmt: skip
def test_names_say_what_they_are(name: str, scope: Scope) -> None:
    assert parse(name) == scope


@pytest.mark.parametrize(
    "name",
    [
        "",
        "total",
        "key:a:day",
        "key:a:total:2026-01-01",
        "key:a:day:2026-02-30",
        "key:a:month:2026-13",
        "key:a b:total",
    ],
)
def test_other_names_say_nothing_and_count_for_ever(name: str) -> None:
    assert parse(name) is None
    assert counts(name, ms(2999, 1, 1))


def test_a_period_counts_until_it_is_over_everywhere() -> None:
    name = "key:key_1:day:2026-11-25"
    assert counts(name, ms(2026, 11, 25, 12))
    assert counts(name, ms(2026, 11, 26, 14))
    assert not counts(name, ms(2026, 11, 27, 3))
    assert counts("key:key_1:total", ms(2999, 1, 1))
    assert counts("key:key_1:month:2026-11", ms(2026, 12, 1, 1))
    assert not counts("key:key_1:week:2026-W48", ms(2026, 12, 3))
