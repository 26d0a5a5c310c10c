"""The built-in model's embeddings: eight numbers for each input, from its bytes, of length one.

Source: OpenAI's API reference, "Create embeddings". They mean nothing; they are the same for the same text.
"""

import base64
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec

DIMENSIONS = 8


def body(request: Mapping[str, Any], model: str, input_tokens: int) -> bytes:
    """The whole answer."""
    given = request.get("input")
    # A list of numbers is one input in tokens already.
    inputs = given if isinstance(given, list) and not isinstance(given[0], int) else [given]
    dimensions = request.get("dimensions")
    length = dimensions if isinstance(dimensions, int) and 0 < dimensions <= 4096 else DIMENSIONS
    packed = request.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _pack(vector) if packed else vector}
        for index, vector in enumerate(_vector(item, length) for item in inputs)
    ]
    used = {"prompt_tokens": input_tokens, "total_tokens": input_tokens}
    return msgspec.json.encode({"object": "list", "data": data, "model": model, "usage": used})


def _vector(item: Any, length: int) -> list[float]:
    raw = msgspec.json.encode(item)
    values = [zlib.crc32(raw, place) / 2**31 - 1 for place in range(length)]
    norm = sum(value * value for value in values) ** 0.5 or 1.0
    return [value / norm for value in values]


def _pack(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
