"""Conversations: made, read, added to, and taken away again, with their items.

It decides their bounds, that what is added at the same time is all there in the end, and that a conversation which is
used stays as a whole. It must not know how turns are served.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from oneapi.dialects.openai_responses.history import REFERENCE, listed
from oneapi.dialects.request import refuse
from oneapi.runtime.tasks import Backoff
from services.edge import refusals
from services.edge.state.allowance import Allowance
from services.edge.state.records import CONVERSATION, SEGMENT, Conversation, Place, Segment, is_id, items_size
from services.edge.state.store import Found, RecordTooLarge, StateConflict, StateStore, StateUnavailable

MAX_ITEMS = 5_000
MAX_ADDED = 20
"""Items that one call may add, as in OpenAI's API."""
MAX_PAIRS, MAX_NAME, MAX_VALUE = 16, 64, 512
_TRIES = 20
_PAUSE = Backoff(0.005, 0.2)


class Conversations:
    """The conversations of all accounts. One holds `max_bytes` at most."""

    def __init__(self, store: StateStore, max_bytes: int) -> None:
        self._store = store
        self._max_bytes = max_bytes
        self._allowance = Allowance()

    async def create(self, account_id: str, seed: str, metadata: dict[str, str], items: list[dict[str, Any]]) -> str:
        """A new conversation; its id. Raises GatewayError."""
        head = Conversation(int(time.time()), metadata)
        conversation_id = CONVERSATION + seed
        try:
            segment = Segment(listed(items, seed))
            if items:
                head.places.append(_place(seed, segment))
                self._check(head)
            self._allow(account_id, head.size)
            if items:
                await self._write_segment(account_id, seed, segment)
            await self._store.write(account_id, conversation_id, msgspec.json.encode(head))
        except StateUnavailable:
            raise refusals.state_unavailable() from None
        return conversation_id

    async def read(self, account_id: str, conversation_id: str) -> Conversation:
        """The head. Raises GatewayError 404, 503."""
        return (await self._read(account_id, conversation_id))[0]

    async def update(self, account_id: str, conversation_id: str, metadata: dict[str, str]) -> Conversation:
        """Sets the labels. Raises GatewayError 404, 409, 503."""

        def change(head: Conversation) -> None:
            head.metadata = metadata

        return await self._change(account_id, conversation_id, change)

    async def delete(self, account_id: str, conversation_id: str) -> None:
        """Takes it away with its items. Raises GatewayError 404, 409, 503."""
        try:
            for attempt in range(1, _TRIES + 1):
                head, found = await self._read(account_id, conversation_id)
                # It last: should this break off, whoever tries again finds what is left.
                await self._store.delete_all(account_id, head.keys)
                try:
                    await self._store.delete(account_id, conversation_id, last=found.revision)
                except StateConflict:
                    await asyncio.sleep(_PAUSE.delay(attempt))
                    continue
                return
        except StateUnavailable:
            raise refusals.state_unavailable() from None
        raise refusals.state_contended()

    async def add(self, account_id: str, conversation_id: str, seed: str, items: list[dict[str, Any]]) -> list[Any]:
        """Adds items; they with their ids. Raises GatewayError."""
        head = await self.read(account_id, conversation_id)
        taken = [item_id for place in head.places for item_id in place.ids]
        segment = Segment(listed(items, seed, taken=taken))
        try:
            # What is added to stays as a whole.
            await self._store.read_all(account_id, head.keys, self._max_bytes * 2, renew=True)
            await self.append(account_id, conversation_id, seed, segment, bounded=True)
        except StateUnavailable:
            raise refusals.state_unavailable() from None
        except RecordTooLarge:
            raise refusals.conversation_full() from None
        return segment.items

    async def append(
        self, account_id: str, conversation_id: str, seed: str, segment: Segment, *, bounded: bool = False
    ) -> None:
        """Adds a segment at the end. `bounded`: only if there is room for it.

        Raises StateUnavailable, GatewayError 404, 409, and 400 when there is no room.
        """
        place = _place(seed, segment)
        if bounded:
            head = await self.read(account_id, conversation_id)
            head.places.append(place)
            self._check(head)
            self._allow(account_id, place.size)
        await self._write_segment(account_id, seed, segment)

        def change(head: Conversation) -> None:
            if any(known.segment == place.segment for known in head.places):
                # Its acknowledgement was lost.
                return
            head.places.append(place)
            if bounded:
                self._check(head)

        await self._change(account_id, conversation_id, change)

    async def remove(self, account_id: str, conversation_id: str, item_id: str) -> Conversation:
        """Takes an item away. Raises GatewayError 404, 409, 503."""
        head = await self.read(account_id, conversation_id)
        place = next((place for place in head.places if item_id in place.ids), None)
        if place is None:
            raise refusals.item_not_found()
        try:
            segment = await self._without(account_id, place.segment, item_id)
        except StateUnavailable:
            raise refusals.state_unavailable() from None

        def change(head: Conversation) -> None:
            for known in head.places:
                if known.segment == place.segment:
                    known.ids = [known_id for known_id in known.ids if known_id != item_id]
                    known.size = items_size(segment.items)

        return await self._change(account_id, conversation_id, change)

    async def items(self, account_id: str, conversation_id: str) -> list[dict[str, Any]]:
        """All items, the first one first. Raises GatewayError 404, 503."""
        head = await self.read(account_id, conversation_id)
        return await self._items(account_id, head.keys)

    async def item(self, account_id: str, conversation_id: str, item_id: str) -> dict[str, Any]:
        """One item. Raises GatewayError 404, 503."""
        head = await self.read(account_id, conversation_id)
        keys = [place.segment for place in head.places if item_id in place.ids]
        for item in await self._items(account_id, keys):
            if item.get("id") == item_id:
                return item
        raise refusals.item_not_found()

    async def _items(self, account_id: str, keys: Sequence[str]) -> list[dict[str, Any]]:
        try:
            found = await self._store.read_all(account_id, keys, self._max_bytes * 2)
        except StateUnavailable:
            raise refusals.state_unavailable() from None
        except RecordTooLarge:
            raise refusals.past_too_long() from None
        segments = [msgspec.json.decode(one.value, type=Segment) for one in found if one is not None]
        return [item for segment in segments for item in segment.items]

    async def _without(self, account_id: str, key: str, item_id: str) -> Segment:
        """A segment that has been written again without this item. Raises StateUnavailable, GatewayError 404, 409."""
        for attempt in range(1, _TRIES + 1):
            found = await self._store.read(account_id, key)
            if found is None:
                raise refusals.item_not_found()
            segment = msgspec.json.decode(found.value, type=Segment)
            segment.input = [item for item in segment.input if item.get("id") != item_id]
            segment.output = [item for item in segment.output if item.get("id") != item_id]
            try:
                await self._store.write(account_id, key, msgspec.json.encode(segment), last=found.revision)
            except StateConflict:
                await asyncio.sleep(_PAUSE.delay(attempt))
                continue
            return segment
        raise refusals.state_contended()

    async def _write_segment(self, account_id: str, seed: str, segment: Segment) -> None:
        await self._store.write(account_id, SEGMENT + seed, msgspec.json.encode(segment))

    async def _read(self, account_id: str, conversation_id: str) -> tuple[Conversation, Found]:
        found: Found | None = None
        if is_id(conversation_id, CONVERSATION):
            try:
                found = await self._store.read(account_id, conversation_id)
            except StateUnavailable:
                raise refusals.state_unavailable() from None
        if found is None:
            raise refusals.conversation_not_found("conversation")
        return msgspec.json.decode(found.value, type=Conversation), found

    async def _change(self, account_id: str, conversation_id: str, change: Any) -> Conversation:
        """Changes the head as it is at that moment. Raises GatewayError 404, 409, 503, and what the change raises."""
        try:
            for attempt in range(1, _TRIES + 1):
                head, found = await self._read(account_id, conversation_id)
                change(head)
                try:
                    value = msgspec.json.encode(head)
                    await self._store.write(account_id, conversation_id, value, last=found.revision)
                except StateConflict:
                    await asyncio.sleep(_PAUSE.delay(attempt))
                    continue
                return head
        except StateUnavailable:
            raise refusals.state_unavailable() from None
        raise refusals.state_contended()

    def _allow(self, account_id: str, size: int) -> None:
        wait_s = self._allowance.take(account_id, size)
        if wait_s > 0:
            raise refusals.storing_too_fast(wait_s)

    def _check(self, head: Conversation) -> None:
        if head.count > MAX_ITEMS or head.size > self._max_bytes:
            raise refusals.conversation_full()


def _place(seed: str, segment: Segment) -> Place:
    items = segment.items
    return Place(SEGMENT + seed, [str(item.get("id", "")) for item in items], items_size(items))


def read_metadata(value: object) -> dict[str, str]:
    """The client's labels. Raises GatewayError 400."""
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MAX_PAIRS:
        raise refuse(f"'metadata' must be an object of {MAX_PAIRS} pairs at most.", "metadata")
    for name, text in value.items():
        if len(name) > MAX_NAME or not isinstance(text, str) or len(text) > MAX_VALUE:
            raise refuse(
                f"Names in 'metadata' have {MAX_NAME} characters at most, values are texts of {MAX_VALUE} at most.",
                "metadata",
            )
    return value


def read_items(value: object, *, needed: bool) -> list[dict[str, Any]]:
    """Items that are to be added. Raises GatewayError 400."""
    if value is None and not needed:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value) or (needed and not value):
        raise refuse("'items' must be a list of objects.", "items")
    if len(value) > MAX_ADDED:
        raise refuse(f"'items' may have {MAX_ADDED} elements at most.", "items")
    if any(item.get("type") == REFERENCE for item in value):
        raise refuse("'items' must be whole: references can't be added.", "items")
    return value
