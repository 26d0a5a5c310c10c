"""What a caller may have of a model: the channels that could serve it, and the most that it could be charged at.

It decides which models exist for a caller, and the ceiling over every price that may come to apply. It must not know
what a request asks for, or the health of channels.
"""

from collections.abc import Mapping, Sequence

import msgspec

from oneapi.catalog.types import Channel
from oneapi.catalog.view import CatalogView
from oneapi.pricing import rates
from oneapi.pricing.charge import FALLBACK
from oneapi.providers.registry import PROVIDERS
from services.edge.authentication import Caller

SKEW_MS = 30_000
"""How far Redis' clock may be from ours; beyond it nothing is admitted."""
FRESH_MS = 5_000
"""How long a ceiling is used: prices change by the clock as well."""
MAX_OFFERS = 10_000

OUTPUT_BUCKETS = ("output", "reasoning", "audio_output", "image_output")
INPUT_BUCKETS = ("input", "cached_input", "cache_write_5m", "cache_write_1h", "audio_input", "image_input")


class Offer(msgspec.Struct, frozen=True):
    """`channels` is empty when the model does not exist for the caller. `ceiling` is None when nothing has a price.

    `unpriced` are the channels whose use costs nothing, because the model has no price there; `dialects` are the
    formats that any of the channels speaks.
    """

    channels: tuple[Channel, ...]
    ceiling: dict[str, int] | None
    unpriced: frozenset[str]
    dialects: frozenset[str]
    fresh_until_ms: int


class Offers:
    """Offers of one process, kept while the catalog stays the same."""

    def __init__(self) -> None:
        self._view: CatalogView | None = None
        self._kept: dict[tuple[str, str, tuple[str, ...] | None], Offer] = {}

    def find(self, caller: Caller, model: str, now_ms: int) -> Offer:
        """What this caller may have of this model."""
        if caller.view is not self._view:
            self._view = caller.view
            self._kept = {}
        key = (model, caller.account.group, caller.key.channels)
        offer = self._kept.get(key)
        if offer is None or offer.fresh_until_ms <= now_ms:
            if len(self._kept) >= MAX_OFFERS:
                # Model names come from clients: a flood of invented ones must not fill the memory.
                self._kept.clear()
            offer = self._kept[key] = make_offer(caller, model, now_ms)
        return offer


def may_use(caller: Caller, model: str) -> bool:
    """Whether the key allows this model by its name."""
    return caller.key.models is None or model in caller.key.models


def serving_channels(caller: Caller, model: str) -> tuple[Channel, ...]:
    """The enabled channels that serve the model to this caller's group and key."""
    allowed = caller.key.channels
    return tuple(
        channel
        for channel in caller.view.channels_for(model)
        if channel.serves(caller.account.group) and (allowed is None or channel.id in allowed)
    )


def make_offer(caller: Caller, model: str, now_ms: int) -> Offer:
    """The offer as the catalog has it now."""
    channels = serving_channels(caller, model)
    priced: dict[str, Sequence[Mapping[str, int]]] = {}
    for channel in channels:
        price = caller.view.price(model, channel.id)
        # The reservation's time is Redis': a price that has just ended there or here, or is about to begin, counts too.
        times = (now_ms - SKEW_MS, now_ms, now_ms + FRESH_MS + SKEW_MS)
        versions = [] if price is None else [rates.version_at(price.versions, at_ms) for at_ms in times]
        priced[channel.id] = [rates.ceiling(version) for version in versions if version is not None]
    everything = [found for ceilings in priced.values() for found in ceilings]
    return Offer(
        channels=channels,
        ceiling=highest(everything) if everything else None,
        unpriced=frozenset(channel_id for channel_id, ceilings in priced.items() if not ceilings),
        dialects=frozenset(dialect for channel in channels for dialect in spoken_by(channel)),
        fresh_until_ms=now_ms + FRESH_MS,
    )


def spoken_by(channel: Channel) -> tuple[str, ...]:
    """The formats that a channel speaks: its own, else its provider's."""
    spec = PROVIDERS.get(channel.provider)
    return channel.dialects or (spec.dialects if spec is not None else ())


def highest(ceilings: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """The dearest rate of each bucket. One that has no rate of its own somewhere counts as what it falls back to."""
    buckets = {bucket for ceiling in ceilings for bucket in ceiling}
    return {
        bucket: max(ceiling.get(bucket, ceiling.get(FALLBACK.get(bucket, ""), 0)) for ceiling in ceilings)
        for bucket in sorted(buckets)
    }
