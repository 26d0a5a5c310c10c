"""Which providers there are. A new vendor of a known kind is one row here.

It must not know which channels exist.
"""

from oneapi.providers.spec import ANTHROPIC_PATHS, OPENAI_PATHS, ProviderSpec, bearer, no_credentials, x_api_key

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
        ),
        ProviderSpec(
            "anthropic",
            "https://api.anthropic.com",
            ("anthropic_messages",),
            ("chat",),
            ANTHROPIC_PATHS,
            x_api_key,
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
    )
}
