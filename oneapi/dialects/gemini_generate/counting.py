"""Counting a request's tokens at an upstream that speaks Gemini's format.

Source: Google's Gemini API reference, "Counting tokens": the whole request is counted, with the model in it once more.
"""

import msgspec

from oneapi.dialects.usage import UNREADABLE

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Counted(msgspec.Struct, rename="camel"):
    total_tokens: int


_decoder = msgspec.json.Decoder(_Counted)


def prepare(body: bytes, upstream_model: str) -> bytes:
    """What the upstream is asked, of a request that it could answer."""
    model = f"models/{upstream_model.removeprefix('models/')}"
    return msgspec.json.encode({"generateContentRequest": {**_fields.decode(body), "model": model}})


def read(body: bytes) -> int | None:
    """The count; None when there is none."""
    try:
        return max(_decoder.decode(body).total_tokens, 0)
    except UNREADABLE:
        return None
