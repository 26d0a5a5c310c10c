"""Settings of requests between Gemini's format and the others: thinking, sampling, what can't be asked."""

from typing import Any

import pytest

from oneapi.dialects.canonical.profile import Profile
from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    GEMINI,
    MESSAGES,
    lost,
    request,
    sent,
)
from tests.unit.oneapi.dialects.shapes import BUDGET, refused


@pytest.mark.parametrize(
    ("asked", "profile", "config"),
    [
        ({"reasoning_effort": "high"}, Profile(), {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        ({"reasoning_effort": "none"}, Profile(), {"thinkingLevel": "MINIMAL"}),
        ({"reasoning_effort": "none"}, BUDGET, {"thinkingBudget": 0}),
        ({"reasoning_effort": "medium", "max_tokens": 4096}, BUDGET, {"includeThoughts": True, "thinkingBudget": 2048}),
        ({"reasoning_effort": "high"}, BUDGET, {"includeThoughts": True, "thinkingBudget": 24576}),
        ({"reasoning": {"max_tokens": 3000, "exclude": True}}, BUDGET, {"thinkingBudget": 3000}),
        ({"reasoning_effort": "high"}, Profile(thinking="none"), None),
        ({}, Profile(), None),
    ],
)
def test_thinking_for_gemini(asked: dict[str, Any], profile: Profile, config: dict[str, Any] | None) -> None:
    body = sent(CHAT, GEMINI, request(CHAT, **asked), profile=profile)
    assert body.get("generationConfig", {}).get("thinkingConfig") == config


@pytest.mark.parametrize(
    ("config", "effort"),
    [
        ({"thinkingBudget": 0}, "none"),
        ({"thinkingLevel": "LOW"}, "low"),
        ({"thinkingBudget": -1}, None),
        ({"thinking_budget": 8192}, "medium"),
    ],
)
def test_thinking_of_gemini(config: dict[str, Any], effort: str | None) -> None:
    body = request(GEMINI, generationConfig={"thinkingConfig": config})
    assert sent(GEMINI, CHAT, body).get("reasoning_effort") == effort


def test_losses_of_thinking() -> None:
    assert lost(CHAT, GEMINI, request(CHAT, reasoning_effort="max")) == ["effort(max:high)"]
    assert lost(CHAT, GEMINI, request(CHAT, reasoning_effort="none")) == ["effort(none:minimal)"]
    assert lost(CHAT, GEMINI, request(CHAT, reasoning_effort="high", max_tokens=900), profile=BUDGET) == ["effort"]


@pytest.mark.parametrize(
    ("fields", "losses"),
    [
        ({"safetySettings": [{}]}, ["moderation"]),
        ({"labels": {"a": "b"}}, ["metadata"]),
        ({"generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_LOW"}}, ["detail"]),
        ({"generationConfig": {"newThing": 1}}, ["unknown_field(generationConfig.newThing)"]),
        ({"generationConfig": {"responseModalities": ["TEXT"], "responseMimeType": "text/plain"}}, []),
        ({"toolConfig": {"retrievalConfig": {"x": 1}}}, ["unknown_field(toolConfig.retrievalConfig)"]),
        ({"serviceTier": "priority"}, []),
    ],
)
def test_losses_of_settings(fields: dict[str, Any], losses: list[str]) -> None:
    assert lost(GEMINI, CHAT, request(GEMINI, **fields)) == losses


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"cachedContent": "cachedContents/x"}, "cachedContent"),
        ({"generationConfig": {"candidateCount": 2}}, "n"),
        ({"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}}, "modalities"),
        ({"generationConfig": {"speechConfig": {"x": 1}}}, "audio"),
    ],
)
def test_what_cannot_be_asked_of_others(fields: dict[str, Any], param: str) -> None:
    error = refused(GEMINI, MESSAGES, request(GEMINI, **fields))
    assert (error.code, error.param) == ("unsupported_parameter", param)
