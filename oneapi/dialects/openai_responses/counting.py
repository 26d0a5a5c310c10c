"""Counting a request's tokens at an upstream that speaks Responses.

Source: OpenAI's API reference, "Get input token counts". It takes what a model reads, and refuses other fields.
"""

import msgspec

from oneapi.dialects import request
from oneapi.dialects.usage import UNREADABLE

_READ = frozenset(
    {
        "conversation", "input", "instructions", "parallel_tool_calls", "personality", "previous_response_id",
        "reasoning", "text", "tool_choice", "tools", "truncation",
    }
)  # fmt: skip


class _Counted(msgspec.Struct):
    input_tokens: int
    object: str = "response.input_tokens"


_decoder = msgspec.json.Decoder(_Counted)


def complete(body: bytes) -> bytes:
    """A body to count is one that could be answered."""
    return body


def prepare(body: bytes, upstream_model: str) -> bytes:
    """What the upstream is asked, of a request that it could answer."""
    return request.only(body, _READ, {"model": upstream_model})


def read(body: bytes) -> int | None:
    """The count; None when there is none."""
    try:
        return max(_decoder.decode(body).input_tokens, 0)
    except UNREADABLE:
        return None


def answer(tokens: int) -> bytes:
    """The count, for a client."""
    return msgspec.json.encode(_Counted(tokens))
