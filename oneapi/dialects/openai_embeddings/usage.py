"""Usage of an embeddings answer: input tokens alone. Some servers give the total only, which is the same there."""

from typing import Any

import msgspec

from oneapi.dialects.usage import UNREADABLE, Usage, first_count, without_zeros


class _Answer(msgspec.Struct):
    usage: Any = None


_decoder = msgspec.json.Decoder(_Answer)


def read_usage(body: bytes) -> Usage | None:
    """The usage of a whole answer; None when it has none or can't be read."""
    try:
        usage = _decoder.decode(body).usage
    except UNREADABLE:
        return None
    if not isinstance(usage, dict):
        return None
    return without_zeros({"input": first_count(usage, "prompt_tokens", "total_tokens", "input_tokens")}) or None
