"""Marks of what to cache, as blocks of their own behind what they mark.

A mark that lives long may not follow a short one, so that from the first short one on all are short. They are set in
the order in which models read: tools, instructions, messages. The profile says which marks a model knows.
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

    def after(self, mark: Cache | None, *, tool: bool = False) -> list[dict[str, Any]]:
        """The block behind what is marked, which may be a tool; none for a model that knows no such marks: a loss."""
        profile = self._sending.profile
        if mark is None:
            return []
        if not profile.cache_marks or (tool and not profile.tool_cache_marks):
            self._sending.losses.add("cache_control", "tools" if profile.cache_marks else "")
            return []
        if mark.long and not profile.long_cache_marks:
            self._sending.losses.add("cache_control", "ttl")
            return [{"cachePoint": {"type": "default"}}]
        if mark.long and self._short:
            self._sending.losses.add("cache_control", "ttl")
        self._short = self._short or not mark.long
        return [{"cachePoint": {"type": "default"} | ({} if self._short else {"ttl": "1h"})}]
