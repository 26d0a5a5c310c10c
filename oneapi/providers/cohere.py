"""Cohere: its own Chat API, and OpenAI's formats at a place beside it.

Decides that clients of Chat Completions pass through to Cohere's compatibility API, and all others are converted to its
own. The base URL is what Cohere's SDK takes; that of the compatibility API is accepted as well. It must not know which
channels exist.

Source: Cohere's API reference, "Chat" (v2), and its guide "Using Cohere models via the OpenAI SDK".
"""

from oneapi.providers.spec import OPENAI_PATHS, ProviderSpec, bearer

_COMPATIBILITY = "/compatibility/v1"

COHERE = ProviderSpec(
    "cohere",
    "https://api.cohere.com",
    ("cohere_chat", "openai_chat"),
    ("chat", "embeddings"),
    {dialect: OPENAI_PATHS[dialect] for dialect in ("openai_chat", "openai_embeddings")},
    bearer,
    beside={"cohere_chat": "/v2/chat"},
    ending=_COMPATIBILITY,
    adds_ending=True,
)
