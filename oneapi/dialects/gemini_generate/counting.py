"""Counting a request's tokens in Gemini's format.

Source: Google's Gemini API reference, "Counting tokens": the contents alone, or the whole request, with the model in it
once more.
"""

import msgspec

from oneapi.dialects import request
from oneapi.dialects.usage import UNREADABLE

_WHOLE = "generateContentRequest"
_SPELLINGS = (_WHOLE, "generate_content_request")
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Counted(msgspec.Struct, rename="camel"):
    total_tokens: int


_decoder = msgspec.json.Decoder(_Counted)


def complete(body: bytes) -> bytes:
    """A body to count as one that could be answered: the request inside it, if there is one.

    Raises GatewayError 400.
    """
    if not any(name.encode() in body for name in _SPELLINGS):
        return body
    raw = request.decode(body)
    inside = next((raw[name] for name in _SPELLINGS if raw.get(name) is not None), raw)
    if not isinstance(inside, dict):
        raise request.refuse(f"`{_WHOLE}` must be an object.", _WHOLE)
    return msgspec.json.encode(inside)


def prepare(body: bytes, upstream_model: str) -> bytes:
    """What the upstream is asked, of a request that it could answer."""
    model = f"models/{upstream_model.removeprefix('models/')}"
    return msgspec.json.encode({_WHOLE: {**_fields.decode(body), "model": model}})


def read(body: bytes) -> int | None:
    """The count; None when there is none."""
    try:
        return max(_decoder.decode(body).total_tokens, 0)
    except UNREADABLE:
        return None


def answer(tokens: int) -> bytes:
    """The count, for a client."""
    return msgspec.json.encode(_Counted(tokens))
