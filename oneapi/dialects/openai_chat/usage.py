"""Usage of a chat completion in disjoint buckets.

OpenAI counts cached and audio tokens inside the prompt, reasoning and audio inside the completion. Vendors of the same
format have names of their own for the same things: DeepSeek `prompt_cache_hit_tokens`, Moonshot `cached_tokens`,
Mistral `num_cached_tokens`, Perplexity `num_search_queries`; Groq's streams carry usage in `x_groq`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from oneapi.dialects.usage import UNREADABLE, Usage, count, first_count, inclusive, part


class _Answer(msgspec.Struct):
    usage: Any = None
    x_groq: Any = None


_decoder = msgspec.json.Decoder(_Answer)


def read_usage(body: bytes) -> Usage | None:
    """The usage of a whole answer; None when it has none, or only zeros, or can't be read."""
    try:
        answer = _decoder.decode(body)
    except UNREADABLE:
        return None
    usage = answer.usage or (answer.x_groq.get("usage") if isinstance(answer.x_groq, dict) else None)
    return (buckets(usage) or None) if isinstance(usage, dict) else None


def buckets(usage: Mapping[str, Any]) -> Usage:
    """OpenAI's usage object in buckets, empty when all of it is zero."""
    inside, outside = part(usage, "prompt_tokens_details"), part(usage, "completion_tokens_details")
    found = inclusive(
        count(usage, "prompt_tokens"),
        count(usage, "completion_tokens"),
        count(usage, "total_tokens"),
        in_given={
            "cached_input": count(inside, "cached_tokens")
            or first_count(usage, "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens"),
            "cache_write_5m": count(inside, "cache_write_tokens"),
            "audio_input": count(inside, "audio_tokens"),
            "image_input": count(inside, "image_tokens"),
        },
        in_made={
            "reasoning": count(outside, "reasoning_tokens") or count(usage, "reasoning_tokens"),
            "audio_output": count(outside, "audio_tokens"),
            "image_output": count(outside, "image_tokens"),
        },
    )
    tools = part(usage, "server_tool_use_details")
    searches = count(tools, "web_search_requests") or count(usage, "num_search_queries")
    return {**found, "search": searches} if searches else found
