"""What the gateway must know to call a vendor, as data.

It must not know how a call is made, nor what a dialect's body looks like.
"""

from collections.abc import Callable, Mapping

import msgspec

OPENAI_PATHS: Mapping[str, str] = {
    "openai_chat": "/chat/completions",
    "openai_responses": "/responses",
    "openai_embeddings": "/embeddings",
}
ANTHROPIC_PATHS: Mapping[str, str] = {"anthropic_messages": "/v1/messages"}

Headers = list[tuple[str, str]]


class ProviderSpec(msgspec.Struct, frozen=True):
    """One vendor. `base_url` is what the vendor's own SDK takes; `paths` are below it, by dialect.

    `dialects` are those for conversations, best first; `endpoints` is what it offers (chat, embeddings, …).
    `max_output_field` is the name of Chat Completions' token cap there. `in_process` has no URL.
    """

    name: str
    default_base_url: str
    dialects: tuple[str, ...]
    endpoints: tuple[str, ...]
    paths: Mapping[str, str]
    credentials: Callable[[str], Headers]
    max_output_field: str = "max_tokens"
    in_process: bool = False

    def url(self, base_url: str, dialect: str, upstream_model: str) -> str:
        """Where a dialect is spoken. ValueError when this vendor doesn't speak it."""
        del upstream_model  # vendors whose URL holds the model quote it here
        path = self.paths.get(dialect)
        if path is None:
            raise ValueError(f"{self.name} does not speak {dialect}")
        return base_url.rstrip("/") + path

    def headers(self, api_key: str) -> Headers:
        """The headers that carry the credential; none without a key."""
        return self.credentials(api_key) if api_key else []


def bearer(api_key: str) -> Headers:
    """OpenAI's way."""
    return [("Authorization", f"Bearer {api_key}")]


def x_api_key(api_key: str) -> Headers:
    """Anthropic's way."""
    return [("x-api-key", api_key), ("anthropic-version", "2023-06-01")]


def no_credentials(api_key: str) -> Headers:
    """For what runs in process."""
    del api_key
    return []
