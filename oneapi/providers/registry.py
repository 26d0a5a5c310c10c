"""Which providers there are.

Decides what the general ones speak; vendors have their rows elsewhere. It must not know which channels exist.
"""

from oneapi.providers.azure_openai import AZURE_OPENAI
from oneapi.providers.bedrock import BEDROCK
from oneapi.providers.cohere import COHERE
from oneapi.providers.openai_compatible import OPENAI_COMPATIBLE
from oneapi.providers.spec import (
    ANTHROPIC_COUNTS,
    ANTHROPIC_PATHS,
    GEMINI_COUNTS,
    GEMINI_PATHS,
    GEMINI_STREAM_PATHS,
    OPENAI_COUNTS,
    OPENAI_PATHS,
    ProviderSpec,
    bearer,
    no_credentials,
    x_api_key,
    x_goog_api_key,
)

__all__ = ["PROVIDERS", "ProviderSpec"]

PROVIDERS = {
    spec.name: spec
    for spec in (
        ProviderSpec(
            "openai",
            "https://api.openai.com/v1",
            ("openai_responses", "openai_chat"),
            ("chat", "embeddings"),
            OPENAI_PATHS,
            bearer,
            max_output_field="max_completion_tokens",
            count_paths=OPENAI_COUNTS,
        ),
        ProviderSpec(
            "anthropic",
            "https://api.anthropic.com",
            ("anthropic_messages",),
            ("chat",),
            ANTHROPIC_PATHS,
            x_api_key,
            models_path="/v1/models",
            count_paths=ANTHROPIC_COUNTS,
        ),
        ProviderSpec(
            "gemini",
            "https://generativelanguage.googleapis.com",
            ("gemini_generate",),
            ("chat",),
            GEMINI_PATHS,
            x_goog_api_key,
            models_path="/v1beta/models?pageSize=1000",
            stream_paths=GEMINI_STREAM_PATHS,
            count_paths=GEMINI_COUNTS,
        ),
        # A server that says it is compatible usually has Chat Completions; many have Responses as well.
        ProviderSpec(
            "openai-compatible",
            "",
            ("openai_chat", "openai_responses"),
            ("chat", "embeddings"),
            OPENAI_PATHS,
            bearer,
        ),
        ProviderSpec(
            "anthropic-compatible",
            "",
            ("anthropic_messages",),
            ("chat",),
            ANTHROPIC_PATHS,
            x_api_key,
            models_path="/v1/models",
            count_paths=ANTHROPIC_COUNTS,
        ),
        ProviderSpec(
            "sandbox",
            "",
            ("openai_chat", "openai_responses", "anthropic_messages"),
            ("chat", "embeddings"),
            {**OPENAI_PATHS, **ANTHROPIC_PATHS},
            no_credentials,
            in_process=True,
        ),
        AZURE_OPENAI,
        BEDROCK,
        COHERE,
        *OPENAI_COMPATIBLE,
    )
}
