"""The hot paths: which dialect each speaks, and what the router, the ledger and traces call it.

A new client dialect is one row here. It must not know how any of them is served.
"""

import msgspec

from oneapi.runtime import semconv


class Endpoint(msgspec.Struct, frozen=True):
    """`name` is what receipts say, `serves` what a channel must offer, `operation` what traces say.

    With `counts` a request's tokens are counted, and no model is called; with `compacts` a model sums up what is given.
    """

    path: bytes
    name: str
    serves: str
    dialect: str
    operation: str
    summary: str
    counts: bool = False
    compacts: bool = False

    @property
    def converses(self) -> bool:
        """Whether the answer is the next turn of a conversation."""
        return self.serves == "chat" and not self.counts and not self.compacts


_ROWS = (
    Endpoint(
        b"/v1/chat/completions",
        "chat",
        "chat",
        "openai_chat",
        semconv.OPERATION_CHAT,
        "A chat completion, as in OpenAI's API",
    ),
    Endpoint(
        b"/v1/responses",
        "responses",
        "chat",
        "openai_responses",
        semconv.OPERATION_CHAT,
        "A response, as in OpenAI's API",
    ),
    Endpoint(
        b"/v1/messages",
        "messages",
        "chat",
        "anthropic_messages",
        semconv.OPERATION_CHAT,
        "A message, as in Anthropic's API",
    ),
    Endpoint(
        b"/v1/embeddings",
        "embeddings",
        "embeddings",
        "openai_embeddings",
        semconv.OPERATION_EMBEDDINGS,
        "Embeddings, as in OpenAI's API",
    ),
    Endpoint(
        b"/v1/messages/count_tokens",
        "count_tokens",
        "chat",
        "anthropic_messages",
        semconv.OPERATION_COUNT,
        "How many tokens a message has, as in Anthropic's API",
        counts=True,
    ),
    Endpoint(
        b"/v1/responses/input_tokens",
        "input_tokens",
        "chat",
        "openai_responses",
        semconv.OPERATION_COUNT,
        "How many tokens a response's input has, as in OpenAI's API",
        counts=True,
    ),
    Endpoint(
        b"/v1/responses/compact",
        "compact",
        "chat",
        "openai_responses",
        semconv.OPERATION_CHAT,
        "A conversation made shorter, as in OpenAI's API",
        compacts=True,
    ),
)
ENDPOINTS = {row.path: row for row in _ROWS}
CONVERSATIONS = {row.dialect: row for row in _ROWS if row.converses}
"""Where each format of conversations is at home."""

STREAM = b"streamGenerateContent"


def _addressed(verb: str, summary: str) -> Endpoint:
    path = f"/v1beta/models/{{model}}:{verb}".encode()
    return Endpoint(path, "generate_content", "chat", "gemini_generate", semconv.OPERATION_CHAT, summary)


ADDRESSED_ENDPOINTS = {
    b"generateContent": _addressed("generateContent", "Content, as in Google's API"),
    STREAM: _addressed(
        "streamGenerateContent", "Content as a stream, as in Google's API: events with `alt=sse`, else one list"
    ),
    b"countTokens": Endpoint(
        b"/v1beta/models/{model}:countTokens",
        "count_tokens",
        "chat",
        "gemini_generate",
        semconv.OPERATION_COUNT,
        "How many tokens content has, as in Google's API",
        counts=True,
    ),
}
"""Those whose paths hold a model, by their verbs; here with a place for it."""
