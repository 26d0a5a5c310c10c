"""Which wire formats there are, and what each of them offers. A new format is one row here.

It must not know which services use them.
"""

from collections.abc import Callable

import msgspec

from oneapi.dialects import openai_errors
from oneapi.dialects.anthropic_messages import errors as anthropic_errors
from oneapi.dialects.anthropic_messages import request as messages_request
from oneapi.dialects.anthropic_messages import stream as messages_stream
from oneapi.dialects.anthropic_messages import usage as messages_usage
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.gemini_generate import errors as gemini_errors
from oneapi.dialects.gemini_generate import request as gemini_request
from oneapi.dialects.gemini_generate import stream as gemini_stream
from oneapi.dialects.gemini_generate import usage as gemini_usage
from oneapi.dialects.meter import StreamMeter
from oneapi.dialects.openai_chat import request as chat_request
from oneapi.dialects.openai_chat import stream as chat_stream
from oneapi.dialects.openai_chat import usage as chat_usage
from oneapi.dialects.openai_embeddings import request as embeddings_request
from oneapi.dialects.openai_embeddings import usage as embeddings_usage
from oneapi.dialects.openai_responses import request as responses_request
from oneapi.dialects.openai_responses import stream as responses_stream
from oneapi.dialects.openai_responses import usage as responses_usage
from oneapi.dialects.request import RequestFacts
from oneapi.dialects.usage import Usage


class Dialect(msgspec.Struct, frozen=True):
    """One wire format. `meter` is None where nothing is streamed; `prepare` takes what its own module documents.

    `inspect` takes the body, and where the address says which model and whether to stream (`model_in_path`), also these
    two by name.
    """

    name: str
    inspect: Callable[..., RequestFacts]
    prepare: Callable[..., bytes]
    read_usage: Callable[[bytes], Usage | None]
    meter: Callable[..., StreamMeter] | None
    error_body: Callable[[GatewayError, str], bytes]
    model_in_path: bool = False


DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            "openai_chat",
            chat_request.inspect,
            chat_request.prepare,
            chat_usage.read_usage,
            chat_stream.ChatMeter,
            openai_errors.error_body,
        ),
        Dialect(
            "openai_responses",
            responses_request.inspect,
            responses_request.prepare,
            responses_usage.read_usage,
            responses_stream.ResponsesMeter,
            openai_errors.error_body,
        ),
        Dialect(
            "anthropic_messages",
            messages_request.inspect,
            messages_request.prepare,
            messages_usage.read_usage,
            messages_stream.MessagesMeter,
            anthropic_errors.error_body,
        ),
        Dialect(
            "gemini_generate",
            gemini_request.inspect,
            gemini_request.prepare,
            gemini_usage.read_usage,
            gemini_stream.GeminiMeter,
            gemini_errors.error_body,
            model_in_path=True,
        ),
        Dialect(
            "openai_embeddings",
            embeddings_request.inspect,
            embeddings_request.prepare,
            embeddings_usage.read_usage,
            None,
            openai_errors.error_body,
        ),
    )
}
