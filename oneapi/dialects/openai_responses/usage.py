"""Usage of a response in disjoint buckets: cached tokens are counted inside the input, reasoning inside the output."""

from collections.abc import Mapping
from typing import Any

import msgspec

from oneapi.dialects.usage import UNREADABLE, Usage, count, inclusive, part


class _Response(msgspec.Struct):
    usage: Any = None
    tool_usage: Any = None


_decoder = msgspec.json.Decoder(_Response)


def read_usage(body: bytes | msgspec.Raw) -> Usage | None:
    """The usage of a response object; None when it has none, or only zeros, or can't be read."""
    try:
        response = _decoder.decode(body)
    except UNREADABLE:
        return None
    if not isinstance(response.usage, dict):
        return None
    found = buckets(response.usage)
    tools = response.tool_usage if isinstance(response.tool_usage, dict) else {}
    searches = count(part(tools, "web_search"), "num_requests")
    if searches:
        found["search"] = searches
    return found or None


def buckets(usage: Mapping[str, Any]) -> Usage:
    """A response's usage object in buckets, empty when all of it is zero."""
    inside, outside = part(usage, "input_tokens_details"), part(usage, "output_tokens_details")
    # OpenAI keeps what is written for 30 minutes or 12 hours: the buckets are those of the nearest lifetimes.
    written = count(inside, "cache_write_tokens")
    long = min(count(part(inside, "cache_write_tokens_details"), "ttl_12h_tokens"), written)
    return inclusive(
        count(usage, "input_tokens"),
        count(usage, "output_tokens"),
        count(usage, "total_tokens"),
        in_given={
            "cached_input": count(inside, "cached_tokens"),
            "cache_write_5m": written - long,
            "cache_write_1h": long,
            "audio_input": count(inside, "audio_tokens"),
            "image_input": count(inside, "image_tokens"),
        },
        in_made={
            "reasoning": count(outside, "reasoning_tokens"),
            "audio_output": count(outside, "audio_tokens"),
            "image_output": count(outside, "image_tokens"),
        },
    )
