"""What the router's unit tests are arranged with: channels, a catalog of them, and repeatable randomness."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from oneapi.catalog.entries import Entry
from oneapi.catalog.types import Channel
from oneapi.catalog.view import CatalogView
from services.router.routes import Ask, Route


@dataclass(frozen=True)
class Speaks:
    """A provider's defaults."""

    dialects: tuple[str, ...]
    endpoints: tuple[str, ...]


PROVIDERS = {
    "openai": Speaks(("openai_responses", "openai_chat"), ("chat", "embeddings")),
    "anthropic": Speaks(("anthropic_messages",), ("chat",)),
}
ASK = Ask(model="m", endpoint="chat", dialects=(), group="default", channels=())


def make_channel(id: str, **fields: object) -> Channel:  # noqa: A002 - the field's own name
    defaults: dict[str, object] = {"name": id.upper(), "provider": "openai", "models": ("m",)}
    return Channel(id=id, **(defaults | fields))  # type: ignore[arg-type]


def catalog(channels: Iterable[Channel], before: CatalogView | None = None, revision: int = 1) -> CatalogView:
    view = before or CatalogView()
    entries = [Entry("channel", channel.id, revision, deleted=False, value=channel) for channel in channels]
    return view.apply_all(entries)


def make_route(id: str, priority: int = 0, weight: int = 1) -> Route:  # noqa: A002 - the field's own name
    return Route(id, id.upper(), "m", "openai_chat", "", priority, weight)


def seeded(seed: int = 1) -> Callable[[], float]:
    return random.Random(seed).random


def middle() -> float:
    """Randomness without jitter: the factor 1."""
    return 0.5
