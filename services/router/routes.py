"""Decides which channels can serve a kind of request at all, whatever their health at the moment.

What a channel leaves unsaid its provider decides. Answers are kept for as long as the catalog view stays the same,
because most requests ask for what an earlier one asked. Pure; it must not know health, randomness or the wire.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from oneapi.catalog.types import Channel
from oneapi.catalog.view import CatalogView

CHAT = "chat"
CONVERSATIONS = frozenset({CHAT, "responses", "messages", "generate_content", "completions"})
"""Endpoints of clients that are conversations: a channel that can chat serves them all, given a dialect in common."""

DEFAULT_GROUP = "default"
UNKNOWN_MODEL = "unknown_model"
NO_CHANNEL = "no_channel"
_MAX_KEPT = 8_192


class Defaults(Protocol):
    """What a provider's channels can do unless they say otherwise; dialects are best first."""

    @property
    def dialects(self) -> tuple[str, ...]: ...

    @property
    def endpoints(self) -> tuple[str, ...]: ...


class Ask(NamedTuple):
    """What of a request decides who can serve it. `dialects` and `channels` empty mean any; `group` must be set.

    The first dialect is the caller's own; where a channel speaks only others, the caller converts.
    """

    model: str
    endpoint: str
    dialects: tuple[str, ...]
    group: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """A channel that can serve the request, and how. `converted` says what the caller must do, "" when nothing."""

    channel_id: str
    channel_name: str
    upstream_model: str
    dialect: str
    converted: str
    priority: int
    weight: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A channel that can't serve the request, and why not, in words."""

    channel_id: str
    channel_name: str
    upstream_model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reach:
    """The answer for one `Ask`: routes by priority (higher first), then id. `refusal` is set when there are none."""

    routes: tuple[Route, ...]
    left_out: tuple[LeftOut, ...]
    refusal: str


class RoutingTable:
    """The routes of one catalog view."""

    def __init__(self, view: CatalogView, defaults: Callable[[str], Defaults | None]) -> None:
        self.view = view
        self._defaults = defaults
        self._kept: dict[Ask, Reach] = {}
        self._listing: dict[str, list[Channel]] | None = None

    def reach(self, ask: Ask) -> Reach:
        """Who can serve this.

        The refusal is `unknown_model` when no channel of the caller's group (and of its key's channels) has the model:
        what a caller may not use does not exist for it. It is `no_channel` when such a channel is switched off or
        can't serve this endpoint in any of the caller's dialects.
        """
        found = self._kept.get(ask)
        if found is None:
            if len(self._kept) >= _MAX_KEPT:
                # Model names come from clients; a flood of invented ones must not fill the memory.
                self._kept.clear()
            found = self._kept[ask] = self._find(ask)
        return found

    def _find(self, ask: Ask) -> Reach:
        routes: list[Route] = []
        left_out: list[LeftOut] = []
        permitted = False
        for channel in self._channels_with(ask.model):
            reason = _not_permitted(channel, ask)
            if not reason:
                permitted = True
                route = self._route(channel, ask)
                if isinstance(route, Route):
                    routes.append(route)
                    continue
                reason = route
            left_out.append(LeftOut(channel.id, channel.name, _upstream_model(channel, ask.model), reason))
        refusal = "" if routes else NO_CHANNEL if permitted else UNKNOWN_MODEL
        return Reach(tuple(routes), tuple(left_out), refusal)

    def _channels_with(self, model: str) -> list[Channel]:
        """Every channel with the model, switched off or not, by priority (higher first), then id."""
        if self._listing is None:
            self._listing = {}
            for channel in sorted(self.view.channels.values(), key=lambda channel: (-channel.priority, channel.id)):
                for name in dict.fromkeys(channel.models):
                    self._listing.setdefault(name, []).append(channel)
        return self._listing.get(model, [])

    def _route(self, channel: Channel, ask: Ask) -> Route | str:
        """The route over this channel, or why there is none."""
        if not channel.enabled:
            return "switched off"
        defaults = self._defaults(channel.provider)
        dialects = channel.dialects or (defaults.dialects if defaults else ())
        endpoints = channel.endpoints or (defaults.endpoints if defaults else ())
        if not dialects and not endpoints:
            return f"its provider {channel.provider!r} is not known to this version"
        conversation = ask.endpoint in CONVERSATIONS
        needed = CHAT if conversation else ask.endpoint
        if needed not in endpoints:
            return f"does not serve the endpoint {needed}"
        dialect = _common(ask.dialects, dialects)
        if dialect is None:
            if conversation and ask.dialects:
                return f"speaks {', '.join(dialects)}, not {', '.join(ask.dialects)}"
            # A channel's dialects are those of conversations; other endpoints have one wire form of their own.
            dialect = next(iter(dialects if conversation else ask.dialects), "")
        return Route(
            channel_id=channel.id,
            channel_name=channel.name,
            upstream_model=_upstream_model(channel, ask.model),
            dialect=dialect,
            converted=f"converted from {ask.dialects[0]} to {dialect}" if _differs(ask, dialect) else "",
            priority=channel.priority,
            weight=channel.weight,
        )


def _differs(ask: Ask, dialect: str) -> bool:
    return bool(ask.dialects) and dialect != ask.dialects[0]


def _common(asked: tuple[str, ...], spoken: tuple[str, ...]) -> str | None:
    """The caller's own dialect, which comes first, where the channel speaks it; else the channel's best of the rest."""
    if not asked or asked[0] in spoken:
        return asked[0] if asked else None
    return next((dialect for dialect in spoken if dialect in asked), None)


def _not_permitted(channel: Channel, ask: Ask) -> str:
    if not channel.serves(ask.group):
        return f"not for the group {ask.group}"
    if ask.channels and channel.id not in ask.channels:
        return "not among the key's channels"
    return ""


def _upstream_model(channel: Channel, model: str) -> str:
    return channel.model_mapping.get(model, model)
