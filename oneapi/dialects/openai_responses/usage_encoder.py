"""Disjoint buckets as a response's usage object, in which input and output hold their parts."""

from typing import Any

from oneapi.dialects.usage import Usage

_GIVEN = ("input", "cached_input", "cache_write_5m", "cache_write_1h", "audio_input", "image_input")
_MADE = ("output", "reasoning", "audio_output", "image_output")


def encode_usage(usage: Usage) -> dict[str, Any]:
    """All of OpenAI's fields; what isn't there is zero."""
    given = sum(usage.get(bucket, 0) for bucket in _GIVEN)
    made = sum(usage.get(bucket, 0) for bucket in _MADE)
    long = usage.get("cache_write_1h", 0)
    written = usage.get("cache_write_5m", 0) + long
    inside: dict[str, Any] = {"cached_tokens": usage.get("cached_input", 0), "cache_write_tokens": written}
    if long:
        inside["cache_write_tokens_details"] = {"ttl_12h_tokens": long}
    inside |= {f"{kind}_tokens": usage[f"{kind}_input"] for kind in ("audio", "image") if usage.get(f"{kind}_input")}
    outside = {"reasoning_tokens": usage.get("reasoning", 0)}
    outside |= {f"{kind}_tokens": usage[f"{kind}_output"] for kind in ("audio", "image") if usage.get(f"{kind}_output")}
    return {
        "input_tokens": given,
        "input_tokens_details": inside,
        "output_tokens": made,
        "output_tokens_details": outside,
        "total_tokens": given + made,
    }
