import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.admin.clock import instant_text, parse_instant


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-25T10:00:00Z", 1_795_600_800_000),
        ("2026-11-25t10:00:00z", 1_795_600_800_000),
        ("2026-11-25T12:00:00+02:00", 1_795_600_800_000),
        ("2026-11-25T10:00:00.5Z", 1_795_600_800_500),
        ("2026-11-25T10:00:00.123456789Z", 1_795_600_800_123),
    ],
)
def test_rfc_3339_is_read(text: str, at_ms: int) -> None:
    assert parse_instant(text) == at_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-25",
        "2026-11-25T10:00:00",
        "2026-11-25 10:00:00Z",
        "2026-13-25T10:00:00Z",
        "2026-11-25T25:00:00Z",
        "2026-W48-3T10:00:00Z",
        "1969-12-31T23:59:59Z",
        "٢٠٢٦-11-25T10:00:00Z",
    ],
)
def test_nothing_else_is(text: str) -> None:
    with pytest.raises(ValueError):
        parse_instant(text)


@given(st.integers(0, 253_402_300_799_999))
def test_what_is_written_is_read_again(at_ms: int) -> None:
    assert parse_instant(instant_text(at_ms)) == at_ms
