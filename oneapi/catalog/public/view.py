"""The public view: everything that a public document may say about models, prices and tools.

What isn't a field here can't get into a document: no upstream's address or name of a model there, no credential, no
hidden model. It decides the shapes and must not know where they come from or how they are shown.

Names are as operators and tool servers wrote them; whoever shows one escapes it.
"""

from dataclasses import dataclass
from functools import cached_property

FEATURES = ("reasoning", "tools", "web_search")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRates:
    """Prices as decimal USD: token buckets per million tokens, units each. Only what has a price of its own.

    `input`, `cached_input` … are the names of `oneapi.catalog.types.TOKEN_BUCKETS` and `UNITS`, in their order.
    """

    per_million: tuple[tuple[str, str], ...] = ()
    per_unit: tuple[tuple[str, str], ...] = ()

    def of(self, bucket: str) -> str | None:
        """USD of a bucket or unit, None when it has no price of its own."""
        return dict(self.per_million).get(bucket) or dict(self.per_unit).get(bucket)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTier:
    """What replaces the base price for a request whose input is above this many tokens."""

    above_input_tokens: int
    rates: PublicRates


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicWindow:
    """What replaces the base price at certain hours. `days` are 0 (Monday) to 6; times are "HH:MM" in the time zone."""

    timezone: str
    days: tuple[int, ...]
    start: str
    end: str
    rates: PublicRates
    open: bool
    """Whether it is open at the time of the view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPrice:
    """The price in force. `now` are the rates of a request of few tokens at this time, with an open window's."""

    now: PublicRates
    base: PublicRates
    tiers: tuple[PublicTier, ...] = ()
    windows: tuple[PublicWindow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAbilities:
    """What is known of a model. What isn't here isn't known, which doesn't mean that the model can't do it.

    `features` are of `FEATURES`, efforts in their order, the least first.
    """

    features: tuple[str, ...] = ()
    reasoning_efforts: tuple[str, ...] = ()
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicOffer:
    """A model on one channel. `channel` is the name that the operator shows, with a number where an older channel has
    the same; `price` is None when nothing prices it.
    """

    channel: str
    provider: str
    model: str
    endpoints: tuple[str, ...]
    groups: tuple[str, ...]
    """Account groups that may use it; `*` is every one."""
    max_output_tokens: int | None
    price: PublicPrice | None
    known: PublicAbilities = PublicAbilities()

    def serves(self, group: str) -> bool:
        """Whether accounts of this group may use it."""
        return group in self.groups or "*" in self.groups


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTool:
    """A tool that the gateway offers on /mcp. `input_schema` is JSON; the description is an upstream's text."""

    server_id: str
    server: str
    name: str
    title: str
    description: str
    input_schema: str
    usd_per_call: str
    """Decimal USD, "0" when nothing prices it."""
    listed_at_ms: int


@dataclass(frozen=True, kw_only=True)
class PublicView:
    """The whole of it. Equal contents have equal revisions."""

    revision: str
    """16 hexadecimal characters of the SHA-256 of all offers and tools."""
    offers: tuple[PublicOffer, ...]
    """Sorted by model, then in the order in which channels are tried."""
    tools: tuple[PublicTool, ...]
    changes_at_ms: int | None
    """When a price changes by itself at the earliest (Unix time); None when none does."""

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Ids of all models, sorted."""
        return tuple(sorted({offer.model for offer in self.offers}))

    @cached_property
    def by_model(self) -> dict[str, tuple[PublicOffer, ...]]:
        """The offers of each model."""
        found: dict[str, list[PublicOffer]] = {}
        for offer in self.offers:
            found.setdefault(offer.model, []).append(offer)
        return {model: tuple(offers) for model, offers in found.items()}
