"""Which formats have a call that counts a request's tokens: one row each. It must not know who makes the call."""

from collections.abc import Callable

import msgspec

from oneapi.dialects.anthropic_messages import counting as messages
from oneapi.dialects.gemini_generate import counting as gemini
from oneapi.dialects.openai_responses import counting as responses


class UpstreamCount(msgspec.Struct, frozen=True):
    """`prepare` makes the call's body of a request and the upstream's name of the model, `read` takes the count out of
    its answer, None when there is none."""

    prepare: Callable[[bytes, str], bytes]
    read: Callable[[bytes], int | None]


class ClientCount(msgspec.Struct, frozen=True):
    """`complete` makes a body to count one that could be answered, `answer` is what the client gets."""

    complete: Callable[[bytes], bytes]
    answer: Callable[[int], bytes]


UPSTREAM_COUNTS = {
    "anthropic_messages": UpstreamCount(messages.prepare, messages.read),
    "gemini_generate": UpstreamCount(gemini.prepare, gemini.read),
    "openai_responses": UpstreamCount(responses.prepare, responses.read),
}
CLIENT_COUNTS = {
    "anthropic_messages": ClientCount(messages.complete, messages.answer),
    "gemini_generate": ClientCount(gemini.complete, gemini.answer),
    "openai_responses": ClientCount(responses.complete, responses.answer),
}
