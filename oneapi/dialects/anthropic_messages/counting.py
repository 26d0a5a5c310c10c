"""Counting a request's tokens at an upstream that speaks Messages.

Source: Anthropic's API reference, "Count tokens in a Message", and the same of its beta. It takes what a model reads,
and refuses what only says how to answer.
"""

import msgspec

from oneapi.dialects import request
from oneapi.dialects.anthropic_messages.request import CAP
from oneapi.dialects.usage import UNREADABLE

_READ = frozenset(
    {
        "cache_control", "compaction", "context_management", "mcp_servers", "messages", "output_config",
        "output_format", "prefill", "speed", "system", "thinking", "tool_choice", "tools",
    }
)  # fmt: skip
_LONGEST = 64_000
"""Above the budget of any thinking."""
_CAP_NAME = f'"{CAP}"'.encode()


class _Counted(msgspec.Struct):
    input_tokens: int


_decoder = msgspec.json.Decoder(_Counted)


def complete(body: bytes) -> bytes:
    """A body to count as one that could be answered: `max_tokens` isn't asked of it. Raises GatewayError 400.

    Such a body can be long, and hardly ever names it anywhere: then it isn't read here.
    """
    if _CAP_NAME in body:
        return body if request.decode(body).get(CAP) is not None else request.edit(body, {CAP: _LONGEST})
    fields = body.lstrip()[1:]
    if body.lstrip()[:1] != b"{" or fields.lstrip()[:1] == b"}":
        return body
    return b"{%b:%d,%b" % (_CAP_NAME, _LONGEST, fields)


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
