"""Lets a request go on from what is stored, and has its answer stored.

It decides what an upstream sees of that: the whole past as input, and nothing of what the gateway does itself. It must
not know how anything is stored.
"""

import msgspec

from oneapi.dialects.openai_responses.compaction import holds_summaries, opened
from oneapi.dialects.request import edit, reshape
from services.edge.inference import compacting
from services.edge.inference.carriage import Carriage
from services.edge.inference.exchange import Exchange
from services.edge.state import asked as state_asked
from services.edge.state.keeper import Keeper

RESPONSES = "openai_responses"
_NOT_STORED_THERE = {"store": False}


class Memory:
    """What the requests of this process remember."""

    def __init__(self, keeper: Keeper, carriage: Carriage) -> None:
        self._keeper = keeper
        self._carriage = carriage

    async def begin(self, exchange: Exchange) -> None:
        """Puts what the request goes on from before its input. Raises GatewayError 400, 404, 503."""
        if exchange.endpoint.dialect != RESPONSES:
            return
        await self._begin(exchange)
        given = exchange.facts.raw.get("input")
        if holds_summaries(given):
            found = opened(given, self._carriage.seal(exchange.account.id))
            exchange.body = edit(exchange.body, {"input": found})
            exchange.facts = exchange.dialect.inspect(exchange.body)
        if exchange.endpoint.compacts:
            compacting.begin(exchange, self._carriage)

    async def _begin(self, exchange: Exchange) -> None:
        facts = exchange.facts
        asked = state_asked.read(facts.raw)
        kept = exchange.endpoint.converses
        keeps = asked.store and kept
        if asked.plain and not keeps:
            return
        account_id = exchange.account.id
        seed = exchange.arrival.request_id.replace("-", "")
        seal = self._carriage.seal(account_id)
        past, keeping = await self._keeper.begin(account_id, asked, facts.raw.get("input"), seed, seal)
        if kept:
            exchange.keeping = keeping
        if asked.plain:
            exchange.body = edit(exchange.body, _NOT_STORED_THERE)
            exchange.facts = msgspec.structs.replace(facts, raw={**facts.raw, **_NOT_STORED_THERE})
            return
        body = edit(exchange.body, {**_NOT_STORED_THERE, "input": [*past.before, *past.own]})
        exchange.body = reshape(body, renamed={}, dropped=state_asked.FIELDS)
        exchange.facts = exchange.dialect.inspect(exchange.body)
