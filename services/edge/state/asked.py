"""What a request for a response says of state: whether it shall be stored, and from what it goes on.

It decides which of it is refused at once, and must not know what is stored.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from oneapi.dialects.openai_responses.history import referred
from oneapi.dialects.request import refuse
from services.edge import refusals

FIELDS = ("previous_response_id", "conversation")
"""Resolved here: no upstream sees them."""


class Asked(msgspec.Struct, frozen=True):
    """`previous`, `conversation` and `references` are ids as the client wrote them, nothing is known of them yet."""

    store: bool
    previous: str
    conversation: str
    references: list[str]

    @property
    def plain(self) -> bool:
        """Whether the request goes on from nothing."""
        return not (self.previous or self.conversation or self.references)


def read(raw: Mapping[str, Any]) -> Asked:
    """Raises GatewayError 400."""
    store = raw.get("store")
    if store is not None and not isinstance(store, bool):
        raise refuse("'store' must be a boolean.", "store")
    if raw.get("background"):
        raise refusals.no_background()
    previous = _text(raw.get("previous_response_id"), "previous_response_id")
    conversation = raw.get("conversation")
    if isinstance(conversation, dict):
        conversation = conversation.get("id", 0)
    named = _text(conversation, "conversation")
    if previous and named:
        raise refusals.two_pasts()
    return Asked(store is not False, previous, named, referred(raw.get("input")))


def _text(value: object, field: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not value:
        raise refuse(f"'{field}' must be an id.", field)
    return value
