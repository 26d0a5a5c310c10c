"""When a new version of a price may begin, and whether it says anything new.

Decides that a price is never changed for a time that has begun. It must not know SQL or HTTP.
"""

from collections.abc import Sequence
from typing import Any

from services.admin.publishing.published import in_force
from services.admin.store.schema import PriceVersion

CONTENT = ("rates", "tiers", "windows")


class TooEarly(Exception):
    """The version would change a price that is in force already. `in_force_from_ms` is since when."""

    def __init__(self, in_force_from_ms: int) -> None:
        super().__init__("the version begins before the one in force")
        self.in_force_from_ms = in_force_from_ms


def same(version: PriceVersion, columns: dict[str, Any]) -> bool:
    """Whether a version says what these columns say."""
    return all(getattr(version, name) == columns[name] for name in CONTENT)


def repeated(
    versions: Sequence[PriceVersion], columns: dict[str, Any], effective_from_ms: int | None, now_ms: int
) -> bool:
    """Whether a PUT of these columns would change nothing: the same price, from the same time, is there already."""
    valid = in_force(versions, now_ms)
    if effective_from_ms is None:
        return bool(valid) and valid[0].effective_from_ms <= now_ms and same(valid[0], columns)
    return any(version.effective_from_ms == effective_from_ms and same(version, columns) for version in valid)


def begin_ms(versions: Sequence[PriceVersion], effective_from_ms: int | None, now_ms: int) -> int:
    """When a new version begins: as asked, or now. Raises TooEarly."""
    past = [version.effective_from_ms for version in in_force(versions, now_ms) if version.effective_from_ms <= now_ms]
    if effective_from_ms is None:
        # Two changes within a millisecond still have an order.
        return max([now_ms, *(at + 1 for at in past)])
    if past and effective_from_ms <= past[0]:
        raise TooEarly(past[0])
    return effective_from_ms
