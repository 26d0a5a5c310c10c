"""Makes the public view of a catalog.

It decides what is public: the models of enabled channels under the channel's public name, except those that the
operator hides. It must not know how the view is shown.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from oneapi.catalog.public.prices import next_change_ms, public_price
from oneapi.catalog.public.view import PublicOffer, PublicTool, PublicView
from oneapi.catalog.types import Channel
from oneapi.catalog.view import CatalogView

EVERY_MODEL = "*"


def public_view(catalog: CatalogView, tools: Iterable[PublicTool], at_ms: int) -> PublicView:
    """The view at a time (ms of Unix time)."""
    offers, changes = [], []
    for model in catalog.models():
        for channel in catalog.channels_for(model):
            if hides(channel, model):
                continue
            price = catalog.price(model, channel.id)
            changes.append(next_change_ms(price, at_ms))
            offers.append(
                PublicOffer(
                    channel=channel.public_name or channel.name,
                    provider=channel.provider,
                    model=model,
                    endpoints=channel.endpoints,
                    groups=channel.groups,
                    max_output_tokens=channel.limits.max_output_tokens,
                    price=public_price(price, at_ms),
                )
            )
    shown = tuple(sorted(tools, key=lambda tool: (tool.server, tool.server_id, tool.name)))
    content = msgspec.json.encode([offers, shown])
    return PublicView(
        revision=hashlib.sha256(content).hexdigest()[:16],
        offers=tuple(offers),
        tools=shown,
        changes_at_ms=min((change for change in changes if change is not None), default=None),
    )


def hides(channel: Channel, model: str) -> bool:
    """Whether the operator keeps a model of this channel out of what is public."""
    return model in channel.hidden_models or EVERY_MODEL in channel.hidden_models
