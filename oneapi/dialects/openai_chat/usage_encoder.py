"""Disjoint buckets as a chat's usage object, in which prompt and completion hold their parts."""

from typing import Any

from oneapi.dialects.usage import Usage

_GIVEN = ("input", "cached_input", "cache_write_5m", "cache_write_1h", "audio_input", "image_input")
_MADE = ("output", "reasoning", "audio_output", "image_output")


def encode_usage(usage: Usage) -> dict[str, Any]:
    """All of OpenAI's fields; what isn't there is zero."""
    prompt = sum(usage.get(bucket, 0) for bucket in _GIVEN)
    completion = sum(usage.get(bucket, 0) for bucket in _MADE)
    inside = {"cached_tokens": usage.get("cached_input", 0), "audio_tokens": usage.get("audio_input", 0)}
    written = usage.get("cache_write_5m", 0) + usage.get("cache_write_1h", 0)
    if written:
        inside["cache_write_tokens"] = written
    if usage.get("image_input"):
        inside["image_tokens"] = usage["image_input"]
    outside = {
        "reasoning_tokens": usage.get("reasoning", 0),
        "audio_tokens": usage.get("audio_output", 0),
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    }
    if usage.get("image_output"):
        outside["image_tokens"] = usage["image_output"]
    value: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": inside,
        "completion_tokens_details": outside,
    }
    if usage.get("search"):
        value["server_tool_use_details"] = {"web_search_requests": usage["search"]}
    return value
