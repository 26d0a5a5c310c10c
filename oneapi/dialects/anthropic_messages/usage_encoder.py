"""Disjoint buckets as a message's usage object, in which the cache stands beside the input."""

from typing import Any

from oneapi.dialects.usage import Usage


def encode_usage(usage: Usage) -> dict[str, Any]:
    """All of Anthropic's fields; what isn't there is zero. Sound and pictures count with the text."""
    short, long = usage.get("cache_write_5m", 0), usage.get("cache_write_1h", 0)
    thinking = usage.get("reasoning", 0)
    output = usage.get("output", 0) + thinking + usage.get("audio_output", 0) + usage.get("image_output", 0)
    value: dict[str, Any] = {
        "input_tokens": usage.get("input", 0) + usage.get("audio_input", 0) + usage.get("image_input", 0),
        "cache_creation_input_tokens": short + long,
        "cache_read_input_tokens": usage.get("cached_input", 0),
        "output_tokens": output,
    }
    if short + long:
        value["cache_creation"] = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long}
    if thinking:
        value["output_tokens_details"] = {"thinking_tokens": thinking}
    if usage.get("search"):
        value["server_tool_use"] = {"web_search_requests": usage["search"]}
    return value
