"""How a stream's events lie in its bytes. A format names its framing, and nothing else of the gateway knows it.

It decides what every framing has in common. It must not know what the events mean.
"""

from typing import Protocol


class Framing(Protocol):
    """One stream. Feed it what arrives; ask `end` once when the stream is over.

    Both give the data of whole events, each one JSON value; b"" is a sign of life that says nothing. With `broken` the
    stream can't be read any further; what came before has been given. Neither ever raises for what an upstream sends.
    """

    broken: bool

    @property
    def pending(self) -> int:
        """How many bytes have arrived of an event that is not whole yet."""

    def feed(self, data: bytes) -> list[bytes]: ...

    def end(self) -> list[bytes]: ...
