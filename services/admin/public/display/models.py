"""The list of models: by channel, what each costs now and what is known of it.

It decides the shape. Prices are USD per million tokens, null for a model without any; what isn't known is left out.
"""

from typing import Any

from msgspec import Raw

from oneapi.catalog.public.prices import charged, over
from oneapi.catalog.public.view import PublicOffer, PublicRates, PublicTier, PublicWindow
from services.admin.public.display.channel_types import channel_type
from services.admin.public.display.envelope import envelope, number
from services.admin.public.display.filters import EVERYTHING, Filters, wanted
from services.admin.public.document import JSON, LIVE_S, document
from services.admin.public.site import Public

PATH = "/api/models/display"


def models_display(public: Public, group: str | None = None, filters: Filters = EVERYTHING) -> str:
    """The answer's text: every group's models, or those of one."""
    channels: dict[str, dict[str, Any]] = {}
    for offer in public.view.offers:
        if (group is None or offer.serves(group)) and wanted(offer, filters):
            channel = channels.setdefault(
                f"{offer.provider}:{offer.channel}",
                {
                    "channel_name": offer.channel,
                    "channel_type": channel_type(offer.provider),
                    "provider": offer.provider,
                    "models": {},
                },
            )
            channel["models"][offer.model] = _model(offer)
    return envelope(channels)


def _model(offer: PublicOffer) -> dict[str, Any]:
    price, known = offer.price, offer.known
    shown: dict[str, Any] = {
        "input_price": None,
        "cached_input_price": None,
        "output_price": None,
        "max_tokens": offer.max_output_tokens or 0,
        "max_output_tokens": offer.max_output_tokens,
        "input_modalities": known.input_modalities,
        "output_modalities": known.output_modalities,
        "supported_features": known.features,
        "supported_reasoning_efforts": known.reasoning_efforts,
        "endpoints": offer.endpoints,
    }
    if price is not None:
        now = price.now
        shown |= _tokens(now) | {
            "prices": _all(now),
            "image_price": _own(now, "image"),
            "per_call_pricing": _fields(usd_per_call=_own(now, "per_call")),
            "image_pricing": _fields(price_per_image_usd=_own(now, "image")),
            "tiers": [_tier(now, tier) for tier in price.tiers],
            "time_windows": [_window(window) for window in price.windows],
            "active_time_window": next((_window(window) for window in price.windows if window.open), None),
        }
    always = {"input_price", "cached_input_price", "output_price", "max_tokens"}
    return {name: value for name, value in shown.items() if name in always or value not in (None, (), [], {})}


def _tokens(rates: PublicRates) -> dict[str, Any]:
    return {
        "input_price": number(charged(rates, "input")),
        "cached_input_price": number(charged(rates, "cached_input")),
        "output_price": number(charged(rates, "output")),
        "cache_write_5m_price": _own(rates, "cache_write_5m"),
        "cache_write_1h_price": _own(rates, "cache_write_1h"),
    }


def _tier(now: PublicRates, tier: PublicTier) -> dict[str, Any]:
    rates = over(now, tier.rates)
    return {
        "input_token_threshold": tier.above_input_tokens,
        **_fields(**_tokens(rates)),
        "prices": _all(rates),
    }


def _window(window: PublicWindow) -> dict[str, Any]:
    return {
        "timezone": window.timezone,
        "days": window.days,
        "from": window.start,
        "to": window.end,
        "prices": _all(window.rates),
    }


def _all(rates: PublicRates) -> dict[str, Raw]:
    return {name: number(usd) for name, usd in (*rates.per_million, *rates.per_unit)}


def _own(rates: PublicRates, name: str) -> Raw | None:
    own = rates.of(name)
    return None if own is None else number(own)


def _fields(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


DOCUMENTS = (
    document(
        PATH,
        JSON,
        models_display,
        "Models",
        "every public model with its price, by channel",
        LIVE_S,
        group="Discovery",
        for_anyone=True,
    ),
)
