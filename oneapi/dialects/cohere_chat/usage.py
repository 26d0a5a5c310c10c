"""Usage of an answer.

Cohere tells two counts: `tokens`, with what it puts around a prompt itself, and `billed_units`, which is what it
charges. These are the buckets; the other one counts where these don't tell. What came out of a cache is charged like
the rest, so it is no bucket of its own. Whole numbers come as floats.
"""

from collections.abc import Mapping
from typing import Any

from oneapi.dialects.usage import Usage, count, part, without_zeros


def buckets(usage: Mapping[str, Any]) -> Usage:
    """Cohere's usage object in buckets, empty when all of it is zero."""
    billed, tokens = part(usage, "billed_units"), part(usage, "tokens")
    if not (count(billed, "input_tokens") or count(billed, "output_tokens")):
        billed = {**billed, **tokens}
    told = {**tokens, **billed}
    return without_zeros(
        {
            "input": count(told, "input_tokens"),
            "output": count(told, "output_tokens"),
            "search": count(billed, "search_units"),
        }
    )


def usage_of(raw: object) -> Usage | None:
    return (buckets(raw) or None) if isinstance(raw, dict) else None
