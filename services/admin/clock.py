"""The time of admin's records, and how the API writes it. This module must not know what is being dated."""

import re
import time
from datetime import UTC, datetime

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_LATEST_MS = 253_402_300_799_999  # the last millisecond of 9999


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def instant_text(at_ms: int) -> str:
    """RFC 3339 in UTC: 2026-11-25T10:00:00Z, with milliseconds when there are any."""
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    fraction = f".{at_ms % 1000:03d}" if at_ms % 1000 else ""
    return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def parse_instant(text: str) -> int:
    """Milliseconds of an RFC 3339 time with an offset; finer digits are dropped. ValueError for anything else."""
    if not _RFC3339.fullmatch(text):
        raise ValueError("must be an RFC 3339 time with an offset, such as 2026-11-25T10:00:00Z")
    fraction = re.search(r"\.(\d+)", text)
    whole = text.upper().replace(fraction.group(0), "") if fraction else text.upper()
    seconds = round(datetime.fromisoformat(whole).timestamp())
    at_ms = seconds * 1000 + (int(fraction.group(1)[:3].ljust(3, "0")) if fraction else 0)
    if not 0 <= at_ms <= _LATEST_MS:
        raise ValueError("must be between 1970 and 9999")
    return at_ms
