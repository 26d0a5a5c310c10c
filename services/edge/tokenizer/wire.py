"""What the edge and its tokenizer say to each other over a pipe: frames of a length and a message.

It decides their shape only.
"""

import struct

import msgspec

LENGTH = struct.Struct(">I")


class Asked(msgspec.Struct, frozen=True):
    """A request to estimate: its format, the model that would answer it, and its body."""

    dialect: str
    model: str
    body: bytes


class Problem(msgspec.Struct, frozen=True):
    """Why a body can't be estimated: it is no request of its format."""

    code: str
    message: str
    param: str | None


class Estimated(msgspec.Struct, frozen=True):
    """The answer: `tokens`, or what is wrong."""

    tokens: int = 0
    problem: Problem | None = None


_encoder = msgspec.msgpack.Encoder()


def frame(message: Asked | Estimated) -> bytes:
    """A message as it travels."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body
