"""Where a service may turn requests away before a handler begins, and the gate of those that never do.

It must not know why too much is to do.
"""

from typing import Protocol


class Gate(Protocol):
    """Who may come in while there is much to do."""

    def shed(self, target: bytes) -> bytes:
        """The whole answer when this raw target is not served now; b"" when it is."""

    def arrive(self) -> None:
        """Told of a request that could have been shed and was not."""


class OpenGate:
    """Lets everybody in."""

    def shed(self, target: bytes) -> bytes:
        """Nothing is turned away."""
        del target
        return b""

    def arrive(self) -> None:
        """Nobody counts."""
