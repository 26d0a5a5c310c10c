"""Makes the public view of a catalog.

It decides what is public: the models of enabled channels under the channel's public name, except those that the
operator hides. It must not know how the view is shown.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from oneapi.catalog.public.abilities import known, longest_output
from oneapi.catalog.public.prices import next_change_ms, public_price
from oneapi.catalog.public.view import PublicOffer, PublicTool, PublicView
from oneapi.catalog.types import Channel
from oneapi.catalog.view import CatalogView

EVERY_MODEL = "*"


def public_view(catalog: CatalogView, tools: Iterable[PublicTool], at_ms: int) -> PublicView:
    """The view at a time (ms of Unix time)."""
    offers, changes, names = [], [], channel_names(catalog)
    for model in catalog.models():
        for channel in catalog.channels_for(model):
            if hides(channel, model):
                continue
            price = catalog.price(model, channel.id)
            shown = public_price(price, at_ms)
            changes.append(next_change_ms(price, at_ms))
            offers.append(
                PublicOffer(
                    channel=names[channel.id],
                    provider=channel.provider,
                    model=model,
                    endpoints=channel.endpoints,
                    groups=channel.groups,
                    max_output_tokens=longest_output(channel, model),
                    price=shown,
                    known=known(channel, model, shown),
                )
            )
    offered = tuple(sorted(tools, key=lambda tool: (tool.server, tool.server_id, tool.name)))
    content = msgspec.json.encode([offers, offered])
    return PublicView(
        revision=hashlib.sha256(content).hexdigest()[:16],
        offers=tuple(offers),
        tools=offered,
        changes_at_ms=min((change for change in changes if change is not None), default=None),
    )


def channel_names(catalog: CatalogView) -> dict[str, str]:
    """What each channel with something public is called, by its id: no two alike, so that a name tells them apart."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for channel in sorted(catalog.channels.values(), key=lambda channel: channel.id):
        if not channel.enabled or all(hides(channel, model) for model in channel.models):
            continue
        wanted = channel.public_name or channel.name
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted} ({number})"
        taken.add(name)
        names[channel.id] = name
    return names


def hides(channel: Channel, model: str) -> bool:
    """Whether the operator keeps a model of this channel out of what is public."""
    return model in channel.hidden_models or EVERY_MODEL in channel.hidden_models
