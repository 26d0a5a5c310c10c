"""Usage in disjoint buckets, and back."""

import json
from typing import Any

import pytest

from oneapi.dialects.gemini_generate.usage import buckets, read_usage
from oneapi.dialects.gemini_generate.usage_encoder import encode_usage
from oneapi.dialects.usage import Usage


def details(**tokens: int) -> list[dict[str, Any]]:
    return [{"modality": name.upper(), "tokenCount": count} for name, count in tokens.items()]


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        ({}, {}),
        (
            {"promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 5, "thoughtsTokenCount": 20},
            {"input": 6, "cached_input": 4, "output": 5, "reasoning": 20},
        ),
        (
            {"promptTokenCount": 10, "toolUsePromptTokenCount": 7, "toolUsePromptTokensDetails": details(image=3)},
            {"input": 14, "image_input": 3},
        ),
        (
            {
                "promptTokenCount": 100,
                "promptTokensDetails": details(text=20, image=50, audio=30),
                "cachedContentTokenCount": 40,
                "cacheTokensDetails": details(image=40),
                "candidatesTokenCount": 30,
                "candidatesTokensDetails": details(image=20, audio=4),
            },
            {
                "input": 20,
                "cached_input": 40,
                "image_input": 10,
                "audio_input": 30,
                "output": 6,
                "image_output": 20,
                "audio_output": 4,
            },
        ),
        (
            {"promptTokenCount": 10, "candidatesTokenCount": 25, "thoughtsTokenCount": 20, "totalTokenCount": 35},
            {"input": 10, "output": 5, "reasoning": 20},
        ),
        ({"promptTokenCount": 5, "promptTokensDetails": details(audio=50, image=50)}, {"audio_input": 5}),
        ({"promptTokenCount": "x", "candidatesTokenCount": -1, "promptTokensDetails": 3}, {}),
    ],
)
def test_buckets(usage: dict[str, Any], found: Usage) -> None:
    assert buckets(usage) == found
    again = encode_usage(found)
    assert buckets(again) == found
    assert again["totalTokenCount"] == sum(found.values())


def test_searches_are_counted() -> None:
    answer = {
        "usageMetadata": {"promptTokenCount": 1},
        "candidates": [{"groundingMetadata": {"webSearchQueries": ["a", "b", "a", ""]}}],
    }
    assert read_usage(json.dumps(answer).encode()) == {"input": 1, "search": 2}
    assert read_usage(b'{"candidates":[]}') is None
    assert read_usage(b"<html>") is None
