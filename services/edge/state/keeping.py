"""Keeps a response when it has ended, before its client sees the end.

It decides what is written, and what a failure means: an answer that was paid for is given all the same and says that it
isn't stored, but one that its conversation lacks is an error, as the next turn would silently go on without it. It must
not know how the answer came to be.
"""

import asyncio
import contextlib
import logging
from typing import Any

import msgspec

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.openai_responses.history import FIRST_OUTPUT, listed, seed_of
from oneapi.dialects.openai_responses.shown import Shown
from services.edge import refusals
from services.edge.state.asked import Asked
from services.edge.state.conversations import Conversations
from services.edge.state.past import Past
from services.edge.state.records import RESPONSE, SEGMENT, Pointer, Segment, Turn, items_size, pointer_key
from services.edge.state.store import RecordTooLarge, StateConflict, StateStore, StateUnavailable

logger = logging.getLogger(__name__)

MAX_POINTERS = 64
GONE = 404


class Keeping:
    """What is kept of one response, and what its client is told of that. `seed` is the number in its keys."""

    __slots__ = ("_account_id", "_asked", "_conversations", "_past", "_seed", "_store", "lost", "shown")

    def __init__(
        self, store: StateStore, conversations: Conversations, account_id: str, asked: Asked, past: Past, seed: str
    ) -> None:
        self._store = store
        self._conversations = conversations
        self._account_id = account_id
        self._asked = asked
        self._past = past
        self._seed = seed
        self.lost = False
        """Whether it should have been stored and isn't."""
        self.shown = Shown(
            id=RESPONSE + seed if asked.store else "",
            previous=asked.previous or None,
            conversation=asked.conversation or None,
        )

    @property
    def thread(self) -> str:
        """The same for all turns that go on from each other."""
        return self._past.thread

    async def end(self, origin: str) -> bytes:
        """Writes all that is to be kept, and gives what was held of the answer.

        Raises GatewayError when the conversation doesn't have it.
        """
        response = self.shown.response
        if response is None or response.get("status") == "failed":
            return self.shown.end(kept=False)
        output = response.get("output")
        items = listed(
            output if isinstance(output, list) else [], self._seed, taken=self._past.taken, first=FIRST_OUTPUT
        )
        segment = Segment(self._past.items, items, origin)
        conversation = self._asked.conversation
        if conversation:
            try:
                await self._conversations.append(self._account_id, conversation, self._seed, segment)
            except (StateUnavailable, RecordTooLarge):
                raise refusals.state_unavailable() from None
            except GatewayError as error:
                # Who took the conversation away meanwhile doesn't miss this turn in it.
                if error.status != GONE:
                    raise
                with contextlib.suppress(StateUnavailable):
                    await self._store.delete(self._account_id, SEGMENT + self._seed)
        if not self._asked.store:
            return self.shown.end(kept=False)
        self.lost = not await self._store_turn(response, segment)
        return self.shown.end(kept=not self.lost)

    async def _store_turn(self, response: dict[str, Any], segment: Segment) -> bool:
        if not self._store.connected:
            return False
        conversation = self._asked.conversation
        turn = Turn(
            {**response, "store": True},
            self._past.earlier,
            self._past.size + items_size(segment.output),
            conversation,
        )
        key = SEGMENT + self._seed
        writes = {RESPONSE + self._seed: msgspec.json.encode(turn)}
        if not conversation:
            writes[key] = msgspec.json.encode(segment)
        done = await asyncio.gather(
            *(self._store.write(self._account_id, name, value) for name, value in writes.items()),
            *(self._point(pointer_key(item_id), key) for item_id in _named_elsewhere(segment.output)),
            return_exceptions=True,
        )
        for failure in done:
            if isinstance(failure, StateUnavailable | RecordTooLarge):
                logger.warning("a response was not stored", extra={"fields": {"why": repr(failure)}})
                return False
            if failure is not None:
                raise failure
        return True

    async def _point(self, name: str, key: str) -> None:
        """Says where an item is. Raises StateUnavailable."""
        try:
            await self._store.write(self._account_id, name, msgspec.json.encode(Pointer(key)), last=0)
        except StateConflict:
            # Two items of this account have this id: neither is found by it, rather than another's.
            await self._store.write(self._account_id, name, msgspec.json.encode(Pointer("")))


def _named_elsewhere(items: list[dict[str, Any]]) -> list[str]:
    """Ids that an upstream made: they don't say where their items are."""
    ids = [item_id for item in items if isinstance(item_id := item.get("id"), str) and not seed_of(item_id)]
    return ids[:MAX_POINTERS]
