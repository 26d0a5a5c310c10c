"""Usage of an answer in disjoint buckets: Bedrock counts the cache beside the input, in two lifetimes."""

from collections.abc import Mapping
from typing import Any

from oneapi.dialects.canonical.reading import objects
from oneapi.dialects.usage import Usage, count, without_zeros


def buckets(usage: Mapping[str, Any]) -> Usage:
    """Bedrock's usage object in buckets, empty when all of it is zero."""
    details = objects(usage.get("cacheDetails"))
    hour = sum(count(detail, "inputTokens") for detail in details if detail.get("ttl") == "1h")
    written = count(usage, "cacheWriteInputTokens") or sum(count(detail, "inputTokens") for detail in details)
    hour = min(hour, written)
    return without_zeros(
        {
            "input": count(usage, "inputTokens"),
            "cached_input": count(usage, "cacheReadInputTokens"),
            # What isn't said to live an hour lives five minutes, the default.
            "cache_write_5m": written - hour,
            "cache_write_1h": hour,
            "output": count(usage, "outputTokens"),
        }
    )


def usage_of(raw: object) -> Usage | None:
    return (buckets(raw) or None) if isinstance(raw, dict) else None
