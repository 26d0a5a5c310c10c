"""Which models a caller of the list wants to see.

Every condition that is given must hold. It decides that what isn't known of a model doesn't meet one.
"""

from dataclasses import dataclass
from decimal import Decimal

from oneapi.catalog.public.prices import charged
from oneapi.catalog.public.view import PublicOffer
from services.admin.public.display.channel_types import channel_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Empty and None ask for nothing. `has` says of kinds of models whether they are wanted or not wanted."""

    keyword: str = ""
    channel_types: tuple[str, ...] = ()
    """Providers' names or their numbers; one of them must match. So must one of the efforts."""
    reasoning_efforts: tuple[str, ...] = ()
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    """All of them must be there, as all modalities."""
    min_context_length: int | None = None
    max_input_price: Decimal | None = None
    has: tuple[tuple[str, bool], ...] = ()


EVERYTHING = Filters()
KINDS = ("image", "video", "audio", "embedding", "reasoning", "tools", "web_search", "structured_outputs")


def wanted(offer: PublicOffer, filters: Filters) -> bool:
    """Whether the offer meets all conditions."""
    known, keyword = offer.known, filters.keyword.casefold()
    return (
        (keyword in offer.model.casefold() or keyword in offer.channel.casefold())
        and (not filters.channel_types or bool({offer.provider, _number(offer)} & set(filters.channel_types)))
        and (not filters.reasoning_efforts or bool(set(filters.reasoning_efforts) & set(known.reasoning_efforts)))
        and set(filters.input_modalities) <= set(known.input_modalities)
        and set(filters.output_modalities) <= set(known.output_modalities)
        and set(filters.features) <= set(known.features)
        and not filters.min_context_length  # nobody has written down how much any model can read
        and (filters.max_input_price is None or _costs_at_most(offer, filters.max_input_price))
        and all(is_a(offer, kind) is asked for kind, asked in filters.has)
    )


def is_a(offer: PublicOffer, kind: str) -> bool:
    """Whether a model is known to be of a kind, one of `KINDS`."""
    known = offer.known
    modalities = {*known.input_modalities, *known.output_modalities}
    if kind == "embedding":
        return "embeddings" in modalities
    if kind == "image":
        priced = offer.price is not None and offer.price.now.of("image") is not None
        return priced or "image" in modalities
    return kind in modalities or kind in known.features


def _number(offer: PublicOffer) -> str:
    return str(channel_type(offer.provider))


def _costs_at_most(offer: PublicOffer, usd: Decimal) -> bool:
    return offer.price is not None and Decimal(charged(offer.price.now, "input")) <= usd
