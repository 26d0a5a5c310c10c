"""The built-in model as a provider: a request's JSON in, the bytes of its answer out.

Ids and time are arguments, so that the answer depends on nothing else. It must not know HTTP.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from oneapi.providers.sandbox import chat, embeddings, messages, reading, responses
from oneapi.providers.sandbox.reply import Manner, reply


def whole(
    dialect: str, request: Mapping[str, Any], answer_id: str, created: int, manner: Manner = Manner.PLAIN
) -> bytes:
    """The body of an answer that isn't streamed. `answer_id` is hex without dashes, `created` Unix time in seconds."""
    ask, input_tokens = reading.read(dialect, request)
    model = str(request["model"])
    if dialect == "openai_embeddings":
        return embeddings.body(request, model, input_tokens)
    said = reply(ask, manner)
    if dialect == "openai_chat":
        return chat.body(said, model, input_tokens, answer_id, created, choices=reading.choices(request))
    if dialect == "anthropic_messages":
        return messages.body(said, model, input_tokens, answer_id)
    return msgspec.json.encode(responses.response(said, request, model, input_tokens, answer_id, created, done=True))


def stream(
    dialect: str, request: Mapping[str, Any], answer_id: str, created: int, manner: Manner = Manner.PLAIN
) -> list[bytes]:
    """The events of an answer that is streamed, each with its blank line."""
    ask, input_tokens = reading.read(dialect, request)
    model = str(request["model"])
    said = reply(ask, manner)
    if dialect == "openai_chat":
        options = request.get("stream_options")
        include = isinstance(options, dict) and options.get("include_usage") is True
        choices = reading.choices(request)
        return chat.events(said, model, input_tokens, answer_id, created, choices=choices, include_usage=include)
    if dialect == "anthropic_messages":
        return messages.events(said, model, input_tokens, answer_id)
    return responses.events(said, request, model, input_tokens, answer_id, created)
