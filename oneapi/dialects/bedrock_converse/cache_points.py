"""Marks of what to cache, as blocks of their own behind what they mark.

A mark that lives long may not follow a short one, so that from the first short one on all are short. They are set in
the order in which models read: tools, instructions, messages.
"""

from typing import Any

from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.parts import Cache


class CachePoints:
    """The marks of one request."""

    __slots__ = ("_sending", "_short")

    def __init__(self, sending: Sending) -> None:
        self._sending = sending
        self._short = False

    def after(self, mark: Cache | None) -> list[dict[str, Any]]:
        """The block behind what is marked; none for a model that knows no marks, which is a loss."""
        if mark is None:
            return []
        if not self._sending.profile.cache_marks:
            self._sending.losses.add("cache_control")
            return []
        if mark.long and self._short:
            self._sending.losses.add("cache_control", "ttl")
        self._short = self._short or not mark.long
        return [{"cachePoint": {"type": "default"} | ({} if self._short else {"ttl": "1h"})}]
