"""Stored responses as their clients ask for them: read, listed, taken away.

It decides what a response's input is, and must not know how one is made.
"""

from typing import Any

from services.edge import refusals
from services.edge.state.past import Pasts
from services.edge.state.records import Turn, segment_of
from services.edge.state.store import RecordTooLarge, StateStore, StateUnavailable


class Responses:
    """The responses of all accounts."""

    def __init__(self, store: StateStore, pasts: Pasts) -> None:
        self._store = store
        self._pasts = pasts

    async def read(self, account_id: str, response_id: str) -> dict[str, Any]:
        """The response as its client got it. Raises GatewayError 404, 503."""
        return (await self._turn(account_id, response_id)).response

    async def delete(self, account_id: str, response_id: str) -> None:
        """Takes it away. What its conversation has of it stays there. Raises GatewayError 404, 503."""
        turn = await self._turn(account_id, response_id)
        try:
            await self._store.delete(account_id, response_id)
            if not turn.conversation:
                await self._store.delete(account_id, segment_of(response_id))
        except StateUnavailable:
            raise refusals.state_unavailable() from None

    async def input_items(self, account_id: str, response_id: str) -> list[dict[str, Any]]:
        """All that it was an answer to, the first item first. Raises GatewayError 400, 404, 503."""
        turn = await self._turn(account_id, response_id)
        try:
            *before, last = await self._pasts.segments(account_id, [*turn.earlier, segment_of(response_id)])
        except StateUnavailable:
            raise refusals.state_unavailable() from None
        except RecordTooLarge:
            raise refusals.past_too_long() from None
        items = [item for segment in before if segment is not None for item in segment.items]
        return [*items, *(last.input if last is not None else ())]

    async def _turn(self, account_id: str, response_id: str) -> Turn:
        try:
            turn = await self._pasts.turn(account_id, response_id)
        except StateUnavailable:
            raise refusals.state_unavailable() from None
        if turn is None:
            raise refusals.response_not_found()
        return turn
