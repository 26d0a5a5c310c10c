"""What a conversation format offers to conversions: one row each, so that a new format is one row.

These are the formats that clients speak, and upstreams too; `oneapi.dialects.upstreams` has those of upstreams alone.

The stream classes are documented by their protocols. It must not know how anything is converted.
"""

import functools
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from oneapi.dialects.anthropic_messages import answer as messages_answer
from oneapi.dialects.anthropic_messages import conversation as messages_conversation
from oneapi.dialects.anthropic_messages import errors as messages_errors
from oneapi.dialects.anthropic_messages.stream import PING
from oneapi.dialects.anthropic_messages.stream_decoder import MessagesDecoder
from oneapi.dialects.anthropic_messages.stream_encoder import MessagesEncoder
from oneapi.dialects.canonical.context import Answering, Sending
from oneapi.dialects.canonical.events import Event
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.responses import Response
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.framing import Framing
from oneapi.dialects.gemini_generate import answer as gemini_answer
from oneapi.dialects.gemini_generate import conversation as gemini_conversation
from oneapi.dialects.gemini_generate import errors as gemini_errors
from oneapi.dialects.gemini_generate.settings import MAX_STOPS as GEMINI_STOPS
from oneapi.dialects.gemini_generate.stream import BLANK
from oneapi.dialects.gemini_generate.stream_decoder import GeminiDecoder
from oneapi.dialects.gemini_generate.stream_encoder import GeminiEncoder
from oneapi.dialects.meter import COMMENT
from oneapi.dialects.openai_chat import answer as chat_answer
from oneapi.dialects.openai_chat import conversation as chat_conversation
from oneapi.dialects.openai_chat.stream_decoder import ChatDecoder
from oneapi.dialects.openai_chat.stream_encoder import ChatEncoder
from oneapi.dialects.openai_errors import decode_error as decode_openai_error
from oneapi.dialects.openai_responses import answer as responses_answer
from oneapi.dialects.openai_responses import conversation as responses_conversation
from oneapi.dialects.openai_responses.stream_decoder import ResponsesDecoder
from oneapi.dialects.openai_responses.stream_encoder import ResponsesEncoder
from oneapi.dialects.sse import MEDIA_LINE_BYTES
from oneapi.dialects.sse_framing import SseFraming
from oneapi.dialects.usage import Usage


class StreamDecoder(Protocol):
    """Events' data in, canonical events out.

    `read` takes one event's data, and raises msgspec.MsgspecError for what can't be read before it changes anything.
    `end` tells what an upstream that closes has left to say, and finishes a stream that is `whole`. `error` is the
    upstream's own, and ends the stream.
    """

    error: tuple[str, str] | None
    finished: bool
    input_told: Usage

    @property
    def whole(self) -> bool: ...

    def read(self, data: bytes) -> list[Event]: ...

    def end(self) -> list[Event]: ...


class StreamEncoder(Protocol):
    """Canonical events in, one part open at a time, and the format's bytes out."""

    def write(self, events: list[Event]) -> bytes: ...

    def fail(self, error: GatewayError, request_id: str) -> bytes: ...


class UpstreamCodec(msgspec.Struct, frozen=True, kw_only=True):
    """One format that upstreams speak. `namespaces` and `custom_tools` say that it has them itself.

    `stop_limit` is how many stop sequences it takes; `json_object` that it can ask for JSON without a schema;
    `schema_beside_tools` that output by a schema and tools may be asked together.
    """

    name: str
    encode_request: Callable[[Request, Sending], dict[str, Any]]
    decode_response: Callable[[dict[str, Any]], Response]
    stream_decoder: Callable[[], StreamDecoder]
    decode_error: Callable[[int, bytes], GatewayError | None]
    framing: Callable[[], Framing] = functools.partial(SseFraming, MEDIA_LINE_BYTES)
    namespaces: bool = False
    custom_tools: bool = False
    stop_limit: int
    json_object: bool = True
    schema_beside_tools: bool = True
    tool_name_limit: int = 64


class Codec(UpstreamCodec, frozen=True, kw_only=True):
    """One format that clients speak as well.

    `keep_alive` says nothing between two events of a stream whose content has begun, `comment` anywhere.
    """

    decode_request: Callable[[dict[str, Any], Seal], Request]
    encode_response: Callable[[Response, Answering], dict[str, Any]]
    stream_encoder: Callable[[Answering], StreamEncoder]
    keep_alive: bytes = COMMENT
    comment: bytes = COMMENT


CODECS = {
    codec.name: codec
    for codec in (
        Codec(
            name="openai_chat",
            stop_limit=4,
            decode_request=chat_conversation.decode_request,
            encode_request=chat_conversation.encode_request,
            decode_response=chat_answer.decode_response,
            encode_response=chat_answer.encode_response,
            stream_decoder=ChatDecoder,
            stream_encoder=ChatEncoder,
            decode_error=decode_openai_error,
        ),
        Codec(
            name="openai_responses",
            stop_limit=0,
            decode_request=responses_conversation.decode_request,
            encode_request=responses_conversation.encode_request,
            decode_response=responses_answer.decode_response,
            encode_response=responses_answer.encode_response,
            stream_decoder=ResponsesDecoder,
            stream_encoder=ResponsesEncoder,
            decode_error=decode_openai_error,
            namespaces=True,
            custom_tools=True,
            tool_name_limit=128,
        ),
        Codec(
            name="anthropic_messages",
            stop_limit=1_000,
            json_object=False,
            decode_request=messages_conversation.decode_request,
            encode_request=messages_conversation.encode_request,
            decode_response=messages_answer.decode_response,
            encode_response=messages_answer.encode_response,
            stream_decoder=MessagesDecoder,
            stream_encoder=MessagesEncoder,
            keep_alive=PING,
            decode_error=messages_errors.decode_error,
        ),
        Codec(
            name="gemini_generate",
            stop_limit=GEMINI_STOPS,
            decode_request=gemini_conversation.decode_request,
            encode_request=gemini_conversation.encode_request,
            decode_response=gemini_answer.decode_response,
            encode_response=gemini_answer.encode_response,
            stream_decoder=GeminiDecoder,
            stream_encoder=GeminiEncoder,
            keep_alive=BLANK,
            comment=BLANK,
            decode_error=gemini_errors.decode_error,
        ),
    )
}
