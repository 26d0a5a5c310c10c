"""The public models in the shape of OpenRouter's list, for clients that choose a model by price from there.

It decides what a model with several channels shows: what the one that is tried first has. What isn't known is null, or
empty where the shape wants a text or a list. It must not know how the answer travels.
"""

from typing import Any

import msgspec

from oneapi.catalog.public.prices import charged, per_token
from oneapi.catalog.public.view import PublicOffer, PublicPrice, PublicView

NO_FIXED_PRICE = "-1"
"""How that list says that no price can be told."""
NEVER = 0
"""The catalog keeps no birthdays of models, and the shape demands one."""
_TOKENS = {
    "input_cache_read": "cached_input",
    "input_cache_write": "cache_write_5m",
    "internal_reasoning": "reasoning",
    "audio": "audio_input",
}
_UNITS = {"request": "per_call", "web_search": "search"}
_PARAMETERS = {"tools": ("tools", "tool_choice"), "reasoning": ("reasoning", "include_reasoning")}


def openrouter_list(view: PublicView) -> bytes:
    """The answer's bytes."""
    return msgspec.json.encode({"data": [_model(offers[0]) for offers in view.by_model.values()]})


def _model(offer: PublicOffer) -> dict[str, Any]:
    known = offer.known
    goes_in, comes_out = ("+".join(names) for names in (known.input_modalities, known.output_modalities))
    return {
        "id": offer.model,
        "canonical_slug": offer.model,
        "hugging_face_id": None,
        "name": offer.model,
        "created": NEVER,
        "description": "",
        "context_length": None,
        "architecture": {
            "modality": f"{goes_in}->{comes_out}" if goes_in and comes_out else None,
            "input_modalities": known.input_modalities,
            "output_modalities": known.output_modalities,
            "tokenizer": None,
            "instruct_type": None,
        },
        "pricing": _pricing(offer.price),
        "top_provider": {
            "context_length": None,
            "max_completion_tokens": offer.max_output_tokens,
            "is_moderated": None,
        },
        "per_request_limits": None,
        "supported_parameters": [name for feature in known.features for name in _PARAMETERS.get(feature, ())],
        "default_parameters": None,
    }


def _pricing(price: PublicPrice | None) -> dict[str, str]:
    """USD for one token or unit: what there is a price of, and always the two that everybody reads."""
    if price is None:
        return {"prompt": NO_FIXED_PRICE, "completion": NO_FIXED_PRICE}
    shown = {"prompt": per_token(charged(price.now, "input")), "completion": per_token(charged(price.now, "output"))}
    for name, bucket in _TOKENS.items():
        own = price.now.of(bucket)
        if own is not None:
            shown[name] = per_token(own)
    for name, unit in _UNITS.items():
        own = price.now.of(unit)
        if own is not None:
            shown[name] = own
    return shown
