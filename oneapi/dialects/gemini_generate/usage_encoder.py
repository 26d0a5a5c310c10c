"""Disjoint buckets as Google's usage object, in which the cache stands inside the prompt and thoughts beside all."""

from typing import Any

from oneapi.dialects.usage import Usage


def encode_usage(usage: Usage) -> dict[str, Any]:
    """The counts; details per modality where there is more than text. What was written to a cache is plain input."""
    cached, thoughts = usage.get("cached_input", 0), usage.get("reasoning", 0)
    text = usage.get("input", 0) + usage.get("cache_write_5m", 0) + usage.get("cache_write_1h", 0)
    given = {"TEXT": text + cached, "IMAGE": usage.get("image_input", 0), "AUDIO": usage.get("audio_input", 0)}
    made = {
        "TEXT": usage.get("output", 0),
        "IMAGE": usage.get("image_output", 0),
        "AUDIO": usage.get("audio_output", 0),
    }
    prompt, said = sum(given.values()), sum(made.values())
    value: dict[str, Any] = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": said,
        "totalTokenCount": prompt + said + thoughts,
        "promptTokensDetails": _details(given),
    }
    if cached:
        value["cachedContentTokenCount"] = cached
        value["cacheTokensDetails"] = _details({"TEXT": cached})
    if thoughts:
        value["thoughtsTokenCount"] = thoughts
    if made["IMAGE"] or made["AUDIO"]:
        value["candidatesTokensDetails"] = _details(made)
    return value


def _details(counts: dict[str, int]) -> list[dict[str, Any]]:
    return [{"modality": name, "tokenCount": tokens} for name, tokens in counts.items() if tokens]
