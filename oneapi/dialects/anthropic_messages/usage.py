"""Usage of a message in disjoint buckets: Anthropic counts its cache beside the input, in two lifetimes."""

from collections.abc import Mapping
from typing import Any

import msgspec

from oneapi.dialects.usage import UNREADABLE, Usage, count, part, without_zeros

_COMPACTION = "compaction"
"""The kind of `iterations` whose tokens Anthropic bills at this model's price and leaves out of the totals. The
tokens of an advisor are not in them either, but they are another model's, whose price isn't known here."""


class _Message(msgspec.Struct):
    usage: Any = None


_decoder = msgspec.json.Decoder(_Message)


def read_usage(body: bytes) -> Usage | None:
    """The usage of a whole answer; None when it has none, or only zeros, or can't be read."""
    try:
        usage = _decoder.decode(body).usage
    except UNREADABLE:
        return None
    return (buckets(usage) or None) if isinstance(usage, dict) else None


def buckets(usage: Mapping[str, Any]) -> Usage:
    """A message's usage object in buckets, empty when all of it is zero."""
    found = _one(usage)
    iterations = usage.get("iterations")
    for iteration in iterations if isinstance(iterations, list) else ():
        if isinstance(iteration, dict) and iteration.get("type") == _COMPACTION:
            for bucket, tokens in _one(iteration).items():
                found[bucket] = found.get(bucket, 0) + tokens
    return without_zeros({**found, "search": count(part(usage, "server_tool_use"), "web_search_requests")})


def _one(usage: Mapping[str, Any]) -> Usage:
    lifetimes = part(usage, "cache_creation")
    hour = count(lifetimes, "ephemeral_1h_input_tokens")
    written = count(usage, "cache_creation_input_tokens") or hour + count(lifetimes, "ephemeral_5m_input_tokens")
    hour = min(hour, written)
    output = count(usage, "output_tokens")
    thinking = min(count(part(usage, "output_tokens_details"), "thinking_tokens"), output)
    return without_zeros(
        {
            "input": count(usage, "input_tokens"),
            "cached_input": count(usage, "cache_read_input_tokens"),
            # What isn't said to live an hour lives five minutes, Anthropic's default.
            "cache_write_5m": written - hour,
            "cache_write_1h": hour,
            "output": output - thinking,
            "reasoning": thinking,
        }
    )
