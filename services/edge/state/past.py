"""Loads what a request goes on from: the turns before it, its conversation, the items that it refers to.

It decides the bounds of a past, and what is said when some of it isn't there: never whether it is somebody else's.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.openai_responses.history import REFERENCE, listed, replayed, seed_of
from services.edge import refusals
from services.edge.state.asked import Asked
from services.edge.state.records import (
    CONVERSATION,
    RESPONSE,
    SEGMENT,
    Conversation,
    Pointer,
    Segment,
    Turn,
    ids_of,
    is_id,
    items_size,
    pointer_key,
    segment_of,
)
from services.edge.state.store import RecordTooLarge, StateStore, StateUnavailable

MAX_TURNS = 500
MAX_REFERENCES = 100


class Past(msgspec.Struct):
    """What stands before a request, and its own input.

    `before` is what earlier turns said, as input; `items` the request's own with their ids, `own` the same as input.
    `taken` are the ids of all of them. `earlier` and `size` go into the record of its turn; `thread` is the same for
    all turns that go on from each other.
    """

    before: list[dict[str, Any]]
    items: list[dict[str, Any]]
    own: list[Any]
    taken: set[str]
    earlier: list[str]
    size: int
    thread: str


class Pasts:
    """The pasts of all requests of this process. A past and its request hold `max_bytes` at most."""

    def __init__(self, store: StateStore, max_bytes: int) -> None:
        self._store = store
        self._max_bytes = max_bytes

    async def load(self, account_id: str, asked: Asked, given: object, seed: str, seal: Seal) -> Past:
        """The past of a request with this input. Raises GatewayError 400, 404 or 503."""
        try:
            return await self._load(account_id, asked, given, seed, seal)
        except StateUnavailable:
            raise refusals.state_unavailable() from None
        except RecordTooLarge:
            raise refusals.past_too_long() from None

    async def _load(self, account_id: str, asked: Asked, given: object, seed: str, seal: Seal) -> Past:
        keys, size, thread = await self._keys(account_id, asked, seed)
        if len(keys) > MAX_TURNS or size > self._max_bytes:
            raise refusals.past_too_long()
        missing = refusals.previous_not_found if asked.previous else refusals.conversation_not_found
        before: list[dict[str, Any]] = []
        taken: set[str] = set()
        for segment in await self.segments(account_id, keys, renew=True):
            if segment is None:
                raise missing("previous_response_id" if asked.previous else "conversation")
            before += replayed(segment.items, segment.origin, seal)
            taken |= ids_of(segment.items)
        own = given if isinstance(given, list) else [{"role": "user", "content": given}] if given else []
        items = own
        if asked.references:
            found = await self._referred(account_id, asked.references)
            # Before they are put in: one item may be named often.
            sizes = {item_id: items_size([item]) for item_id, (item, _) in found.items()}
            if size + sum(sizes[each] for each in _named(own)) > self._max_bytes:
                raise refusals.past_too_long()
            items = [_plain(item, found) for item in own]
            own = [_resolved(item, found, seal) for item in own]
        items = listed(items, seed, taken=taken)
        taken |= ids_of(items)
        size += items_size(items)
        if size > self._max_bytes:
            raise refusals.past_too_long()
        return Past(before, items, own, taken, keys, size, thread)

    async def _keys(self, account_id: str, asked: Asked, seed: str) -> tuple[list[str], int, str]:
        """The keys of what stands before a request, their bytes, and the name of the thread."""
        if asked.previous:
            turn = await self.turn(account_id, asked.previous)
            if turn is None:
                raise refusals.previous_not_found("previous_response_id")
            keys = [*turn.earlier, segment_of(asked.previous)]
            return keys, turn.size, turn.conversation or keys[0]
        if asked.conversation:
            head = await self.conversation(account_id, asked.conversation)
            if head is None:
                raise refusals.conversation_not_found("conversation")
            return head.keys, head.size, asked.conversation
        return [], 0, SEGMENT + seed

    async def turn(self, account_id: str, response_id: str) -> Turn | None:
        """A stored response. Raises StateUnavailable."""
        if not is_id(response_id, RESPONSE):
            return None
        found = await self._store.read(account_id, response_id)
        return msgspec.json.decode(found.value, type=Turn) if found is not None else None

    async def conversation(self, account_id: str, conversation_id: str) -> Conversation | None:
        """A conversation's head. Raises StateUnavailable."""
        if not is_id(conversation_id, CONVERSATION):
            return None
        found = await self._store.read(account_id, conversation_id)
        return msgspec.json.decode(found.value, type=Conversation) if found is not None else None

    async def segments(self, account_id: str, keys: Sequence[str], *, renew: bool = False) -> list[Segment | None]:
        """Segments by their keys. Raises StateUnavailable, RecordTooLarge."""
        found = await self._store.read_all(account_id, keys, self._max_bytes * 2, renew=renew)
        return [None if one is None else msgspec.json.decode(one.value, type=Segment) for one in found]

    async def _referred(self, account_id: str, ids: Sequence[str]) -> dict[str, tuple[dict[str, Any], str]]:
        """The items of these ids, each with its origin. Raises GatewayError 404 for one that isn't there."""
        if len(ids) > MAX_REFERENCES:
            raise refusals.past_too_long()
        out: dict[str, tuple[dict[str, Any], str]] = {}
        wanted, looked = set(ids), set[str]()
        size = 0
        for item_id in ids:
            key = await self._segment_of(account_id, item_id) if item_id not in out else ""
            if key and key not in looked:
                looked.add(key)
                segment = (await self.segments(account_id, [key]))[0]
                for item in segment.items if segment is not None else ():
                    name = str(item.get("id"))
                    if name in wanted and name not in out:
                        out[name] = (item, segment.origin if segment is not None else "")
                        size += items_size([item])
                if size > self._max_bytes:
                    raise refusals.past_too_long()
            if item_id not in out:
                raise refusals.item_not_found("input")
        return out

    async def _segment_of(self, account_id: str, item_id: str) -> str:
        """The key of the segment that an item must be in; empty when there is none."""
        seed = seed_of(item_id)
        if seed:
            return SEGMENT + seed
        found = await self._store.read(account_id, pointer_key(item_id))
        return msgspec.json.decode(found.value, type=Pointer).segment if found is not None else ""


def _is_reference(item: object) -> bool:
    return isinstance(item, dict) and item.get("type") == REFERENCE


def _named(items: list[Any]) -> list[str]:
    """The ids that these refer to, each as often as it is named."""
    return [item["id"] for item in items if _is_reference(item)]


def _plain(item: Any, found: dict[str, tuple[dict[str, Any], str]]) -> Any:
    return found[item["id"]][0] if _is_reference(item) else item


def _resolved(item: Any, found: dict[str, tuple[dict[str, Any], str]], seal: Seal) -> Any:
    if not _is_reference(item):
        return item
    referred, origin = found[item["id"]]
    return replayed([referred], origin, seal)[0]
