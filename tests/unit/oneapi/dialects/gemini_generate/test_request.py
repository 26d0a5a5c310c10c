"""What the gateway reads of a request and edits in it."""

import json
from typing import Any

import pytest

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.gemini_generate.request import inspect, prepare

CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]


def body(**fields: Any) -> bytes:
    return json.dumps({"contents": CONTENTS, **fields}).encode()


def test_facts() -> None:
    tools = [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}, {"googleSearch": {}}]
    raw = body(generation_config={"max_output_tokens": 9, "candidateCount": 2}, tools=tools)
    facts = inspect(raw, model="models/gemini-x", stream=True)
    assert (facts.model, facts.stream, facts.max_output, facts.choices) == ("gemini-x", True, 9, 2)
    assert (facts.messages, facts.tools, facts.prompt_bytes, facts.wants_usage) == (1, 3, len(raw), True)
    assert facts.raw == {**json.loads(raw), "model": "gemini-x", "stream": True}


@pytest.mark.parametrize(
    ("raw", "model"),
    [
        (b"{}", "m"),
        (b"[]", "m"),
        (body(), ""),
        (body(), "a\nb"),
        (body(generationConfig=[]), "m"),
        (body(generationConfig={"maxOutputTokens": 0}), "m"),
        (body(generationConfig={"candidateCount": "x"}), "m"),
        (body(api_key="k"), "m"),
    ],
)
def test_what_is_refused(raw: bytes, model: str) -> None:
    with pytest.raises(GatewayError) as caught:
        inspect(raw, model=model, stream=False)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("fields", "cap", "changed"),
    [
        ({}, None, None),
        ({"generationConfig": {"maxOutputTokens": 5}}, 9, None),
        ({}, 9, {"generationConfig": {"maxOutputTokens": 9}}),
        (
            {"generationConfig": {"topK": 1, "maxOutputTokens": 50}},
            9,
            {"generationConfig": {"topK": 1, "maxOutputTokens": 9}},
        ),
        (
            {"generation_config": {"top_k": 1, "max_output_tokens": 50}},
            9,
            {"generation_config": {"top_k": 1, "maxOutputTokens": 9}},
        ),
        ({"model": "models/other", "stream": True}, None, {}),
    ],
)
def test_edits(fields: dict[str, Any], cap: int | None, changed: dict[str, Any] | None) -> None:
    raw = body(**fields)
    facts = inspect(raw, model="alias", stream=False)
    prepared = prepare(raw, facts, "upstream", max_output=cap)
    if changed is None:
        assert prepared is raw
    else:
        assert json.loads(prepared) == {"contents": CONTENTS, **changed}
