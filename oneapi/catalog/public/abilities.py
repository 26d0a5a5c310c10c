"""What is known of a model on a channel, from what conversions must know of it and from what its price is for.

It decides that only what somebody has written down of this model counts: defaults of conversions are guesses, and what
holds for all models of a provider says little of one that nobody has heard of. It must not know any model.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from oneapi.catalog.public.view import FEATURES, PublicAbilities, PublicPrice
from oneapi.catalog.types import Channel
from oneapi.providers.profiles.abilities import ABILITIES
from oneapi.providers.profiles.lookup import abilities

_MAX_KEPT = 20_000
_ONLY = {"embeddings": (("text",), ("embeddings",)), "rerank": (("text",), ("rerank",))}
"""What goes in and comes out of models of channels that serve this one endpoint."""
_SANDBOX = PublicAbilities(features=("tools",), input_modalities=("text",), output_modalities=("text",))
_MODALITIES = {
    "audio_input": ("audio", None),
    "image_input": ("image", None),
    "audio_output": (None, "audio"),
    "image_output": (None, "image"),
}
"""A price for such tokens says that there are such."""


def known(channel: Channel, model: str, price: PublicPrice | None) -> PublicAbilities:
    """What is known of the model there."""
    if channel.provider == "sandbox":
        return _SANDBOX
    features: set[str] = set()
    efforts: tuple[str, ...] = ()
    for can in _sayings(channel, model):
        if can.get("web_search"):
            features.add("web_search")
        if can.get("forced_tools") or can.get("custom_tools"):
            features.add("tools")
        if can.get("thinking") in {"budget", "effort"} or can.get("encrypted_reasoning") or can.get("efforts"):
            features.add("reasoning")
        efforts = efforts or can.get("efforts", ())
    goes_in, comes_out = _ONLY.get(channel.endpoints[0], ((), ())) if len(channel.endpoints) == 1 else ((), ())
    priced = [_MODALITIES[bucket] for bucket in _buckets(price) if bucket in _MODALITIES]
    return PublicAbilities(
        features=tuple(name for name in FEATURES if name in features),
        reasoning_efforts=efforts,
        input_modalities=_distinct([*goes_in, *(given for given, _ in priced if given)]),
        output_modalities=_distinct([*comes_out, *(made for _, made in priced if made)]),
    )


def longest_output(channel: Channel, model: str) -> int | None:
    """The most output tokens that the operator allows or the model is known to refuse to exceed."""
    caps = [can.get("max_output") for can in _sayings(channel, model)]
    return min((bound for bound in (channel.limits.max_output_tokens, *caps) if bound is not None), default=None)


def _sayings(channel: Channel, model: str) -> tuple[dict[str, Any], ...]:
    return _said_of(channel.provider, channel.dialects, channel.model_mapping.get(model, model))


@lru_cache(maxsize=_MAX_KEPT)
def _said_of(provider: str, dialects: tuple[str, ...], model: str) -> tuple[dict[str, Any], ...]:
    """What is said of a model in each of the dialects, nothing where no row is about it in particular."""
    return tuple(
        dict(abilities(provider, dialect, model))
        for dialect in dialects
        if any(row.concerns(provider, dialect, model) and not row.models.search("") for row in ABILITIES)
    )


def _buckets(price: PublicPrice | None) -> Iterable[str]:
    return () if price is None else (name for name, _ in price.base.per_million)


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
