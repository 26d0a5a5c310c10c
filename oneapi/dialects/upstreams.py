"""The formats that upstreams speak: those of clients, and one row for each that no client speaks.

It must not know how anything is converted.
"""

from oneapi.dialects.codec import CODECS, UpstreamCodec
from oneapi.dialects.cohere_chat import answer as cohere_answer
from oneapi.dialects.cohere_chat import conversation as cohere_conversation
from oneapi.dialects.cohere_chat import errors as cohere_errors
from oneapi.dialects.cohere_chat.stream_decoder import CohereDecoder

_OF_UPSTREAMS = (
    UpstreamCodec(
        name="cohere_chat",
        stop_limit=cohere_conversation.MAX_STOPS,
        encode_request=cohere_conversation.encode_request,
        decode_response=cohere_answer.decode_response,
        stream_decoder=CohereDecoder,
        decode_error=cohere_errors.decode_error,
        schema_beside_tools=False,
    ),
)
UPSTREAMS: dict[str, UpstreamCodec] = {**CODECS, **{codec.name: codec for codec in _OF_UPSTREAMS}}
