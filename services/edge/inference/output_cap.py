"""How long an answer may be: what is reserved for, and what a channel is told, so that the one bounds the other.

It must not know prices, nor how any format names its cap.
"""

from oneapi.catalog.types import Channel
from oneapi.dialects.openai_responses.conversation import MIN_OUTPUT
from services.edge.inference.exchange import Exchange
from services.edge.inference.offers import spoken_by

CHAT = "chat"
_RESPONSES = "openai_responses"


def longest(exchange: Exchange, default: int) -> int:
    """The longest answer that any of the offered channels may give."""
    if exchange.endpoint.serves != CHAT:
        return 0
    unsaid = default if exchange.facts.max_output is None else exchange.facts.max_output
    return max(channel.limits.max_output_tokens or unsaid for channel in exchange.offer.channels)


def shortest(exchange: Exchange) -> int:
    """What the channels can't be kept below, however little the client asks for: Responses has a least cap."""
    asked = exchange.facts.max_output
    if exchange.endpoint.serves != CHAT or asked is None or asked >= MIN_OUTPUT:
        return 0
    return MIN_OUTPUT if any(_converted_to_responses(exchange, each) for each in exchange.offer.channels) else 0


def bound(exchange: Exchange, channel: Channel, default: int) -> int | None:
    """The bound on the answer that this channel must be told, None when the client's own words suffice."""
    asked = exchange.facts.max_output
    limit = channel.limits.max_output_tokens
    if exchange.endpoint.serves != CHAT:
        return None
    if asked is None:
        return (limit or default) if exchange.hard or limit else None
    return limit if limit is not None and asked > limit else None


def _converted_to_responses(exchange: Exchange, channel: Channel) -> bool:
    dialects = spoken_by(channel)
    return exchange.endpoint.dialect not in dialects and _RESPONSES in dialects
