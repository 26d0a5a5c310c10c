"""Turns a request to compact a conversation into one for its summary.

It decides when in a request's course that happens: from then on it is an ordinary request, which is admitted, routed,
converted and billed like any. It must not know what a summary is asked for with.
"""

import msgspec

from oneapi.dialects.openai_responses.compaction import Compaction, summary_request
from services.edge import refusals
from services.edge.inference.carriage import Carriage
from services.edge.inference.exchange import Exchange


def begin(exchange: Exchange, carriage: Carriage) -> None:
    """Asks for the summary; what the request goes on from stands in its input already. Raises GatewayError 400."""
    facts = exchange.facts
    if facts.stream:
        raise refusals.no_stream_of_compaction()
    seed = exchange.arrival.request_id.replace("-", "")
    exchange.compaction = Compaction(facts.raw.get("input"), seed, carriage.seal(exchange.account.id))
    exchange.body = msgspec.json.encode(summary_request(facts.raw))
    exchange.facts = exchange.dialect.inspect(exchange.body)
