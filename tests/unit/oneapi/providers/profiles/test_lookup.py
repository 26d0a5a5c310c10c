import json
from typing import Any

import pytest

from oneapi.dialects.openai_chat.request import inspect, prepare
from oneapi.dialects.request import reshape
from oneapi.providers.profiles.lookup import request_profile
from oneapi.providers.registry import PROVIDERS

ASKED = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def sent(provider: str, model: str, max_output: int | None = None, **fields: Any) -> dict[str, Any]:
    """The fields that reach the provider beside the model and the messages."""
    body = json.dumps(ASKED | fields).encode()
    profile = request_profile(provider, "openai_chat", model)
    prepared = prepare(
        body,
        inspect(body),
        model,
        max_output=max_output,
        include_usage=profile.include_usage,
        max_output_field=PROVIDERS[provider].max_output_field,
    )
    shaped = reshape(prepared, renamed=profile.renamed, refused=profile.refused, dropped=profile.dropped)
    return {name: value for name, value in json.loads(shaped).items() if name not in ASKED}


@pytest.mark.parametrize("model", ["o1", "o4-mini-2025-04-16", "gpt-5", "GPT-5.2-codex", "ft:o4-mini:org", "gpt-6"])
def test_reasoning_models_get_the_new_name_of_the_cap(model: str) -> None:
    assert sent("openai", model, max_tokens=9) == {"max_completion_tokens": 9}
    assert sent("azure-openai", model, max_completion_tokens=9) == {"max_completion_tokens": 9}


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4.1", "gpt-3.5-turbo", "omni", "my-o3"])
def test_other_models_of_openai_get_what_was_sent(model: str) -> None:
    assert sent("openai", model, max_tokens=9) == {"max_tokens": 9}


def test_a_reasoning_model_by_another_name_elsewhere_is_left_alone() -> None:
    assert sent("vllm", "gpt-5", max_tokens=9) == {"max_tokens": 9}
    assert request_profile("openai", "openai_responses", "gpt-5").is_plain


def test_a_cap_that_is_renamed_still_binds() -> None:
    assert sent("openai", "gpt-5", 5, max_tokens=9) == {"max_completion_tokens": 5}
    assert sent("openai", "gpt-5", 5, max_tokens=9, max_completion_tokens=None) == {"max_completion_tokens": 5}
    assert sent("openai", "gpt-5", 5, max_tokens=9, max_completion_tokens=3) == {"max_completion_tokens": 3}
    assert sent("openai", "gpt-5", 5, max_tokens=None) == {"max_completion_tokens": 5}
    assert sent("openai", "gpt-5", 5) == {"max_completion_tokens": 5}
    assert sent("mistral", "mistral-large-latest", 5) == {"max_tokens": 5}
    assert sent("mistral", "mistral-large-latest", 5, max_completion_tokens=9) == {"max_tokens": 5}


def test_mistral_is_not_asked_for_usage() -> None:
    assert sent("mistral", "codestral-latest", stream=True) == {"stream": True}
    options = {"include_usage": True, "include_obfuscation": False}
    assert sent("mistral", "m", stream=True, stream_options=options) == {"stream": True}
    assert sent("openrouter", "m", stream=True)["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("value", [None, False, 0, 0.0, {}, [], ""])
def test_what_asks_for_nothing_is_left_out_where_it_is_refused(value: object) -> None:
    assert sent("groq", "llama", logprobs=value, seed=value) == {"seed": value}


def test_what_asks_for_something_goes_on() -> None:
    asks: dict[str, Any] = {"logprobs": True, "top_logprobs": 3, "logit_bias": {"5": 0}}
    assert sent("groq", "llama", **asks) == asks
    assert sent("xai", "grok-4", frequency_penalty=0, presence_penalty=0.5) == {"presence_penalty": 0.5}
    assert sent("xai", "grok-2", frequency_penalty=0) == {"frequency_penalty": 0}
    assert sent("cerebras", "m", service_tier=None, logit_bias={}, frequency_penalty=0.0, temperature=0) == {
        "temperature": 0
    }
