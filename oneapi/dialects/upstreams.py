"""The formats that upstreams speak: those of clients, and one row for each that no client speaks.

It must not know how anything is converted.
"""

from oneapi.dialects.bedrock_converse import answer as converse_answer
from oneapi.dialects.bedrock_converse import conversation as converse_conversation
from oneapi.dialects.bedrock_converse import errors as converse_errors
from oneapi.dialects.bedrock_converse.settings import MAX_STOPS as CONVERSE_STOPS
from oneapi.dialects.bedrock_converse.stream_decoder import ConverseDecoder
from oneapi.dialects.codec import CODECS, UpstreamCodec
from oneapi.dialects.cohere_chat import answer as cohere_answer
from oneapi.dialects.cohere_chat import conversation as cohere_conversation
from oneapi.dialects.cohere_chat import errors as cohere_errors
from oneapi.dialects.cohere_chat.stream_decoder import CohereDecoder
from oneapi.dialects.event_stream import EventStreamFraming
from oneapi.dialects.sse_framing import SseFraming

_OF_UPSTREAMS = (
    UpstreamCodec(
        name="cohere_chat",
        stop_limit=cohere_conversation.MAX_STOPS,
        encode_request=cohere_conversation.encode_request,
        decode_response=cohere_answer.decode_response,
        stream_decoder=CohereDecoder,
        decode_error=cohere_errors.decode_error,
        framing=SseFraming,
        schema_beside_tools=False,
    ),
    UpstreamCodec(
        name="bedrock_converse",
        stop_limit=CONVERSE_STOPS,
        encode_request=converse_conversation.encode_request,
        decode_response=converse_answer.decode_response,
        stream_decoder=ConverseDecoder,
        decode_error=converse_errors.decode_error,
        framing=EventStreamFraming,
        json_object=False,
    ),
)
UPSTREAMS: dict[str, UpstreamCodec] = {**CODECS, **{codec.name: codec for codec in _OF_UPSTREAMS}}
