"""Where the time of a request went, for its `Server-Timing` header.

It decides the names of the parts, and must not know what happens in them.
"""

import time


class Timing:
    """Readings of one request. Milliseconds are shown; what has not happened is left out."""

    __slots__ = ("admit_s", "auth_s", "first_byte_s", "pick_s", "started_s", "upstream_from_s")

    def __init__(self, started_s: float) -> None:
        self.started_s = started_s
        self.auth_s = 0.0
        self.admit_s = 0.0
        self.pick_s = 0.0
        self.upstream_from_s = 0.0
        self.first_byte_s = 0.0

    def authenticated(self) -> None:
        """The caller is known."""
        self.auth_s = time.perf_counter()

    def admitted(self) -> None:
        """The reservation is held."""
        self.admit_s = time.perf_counter()

    def picked(self) -> None:
        """The plan is there."""
        self.pick_s = time.perf_counter()

    def calling(self) -> None:
        """The try begins that may become the answer."""
        self.upstream_from_s = time.perf_counter()

    def answered(self) -> None:
        """Its first byte has come."""
        self.first_byte_s = time.perf_counter()

    @property
    def first_byte_ms(self) -> int:
        """From the request's arrival to the first byte of its answer; 0 when there was none."""
        return round((self.first_byte_s - self.started_s) * 1000) if self.first_byte_s else 0

    def header(self) -> bytes:
        """The value of `Server-Timing`, as far as the request has come."""
        found = b""
        if self.auth_s:
            found += b"auth;dur=%.2f, " % ((self.auth_s - self.started_s) * 1e3)
            if self.admit_s:
                found += b"admit;dur=%.2f, " % ((self.admit_s - self.auth_s) * 1e3)
            if self.pick_s:
                # Both go out together, so this is what the pick took beyond the admission's start.
                found += b"pick;dur=%.2f, " % ((self.pick_s - self.auth_s) * 1e3)
        if self.first_byte_s:
            found += b"upstream;dur=%.2f, " % ((self.first_byte_s - self.upstream_from_s) * 1e3)
        return found + b"total;dur=%.2f" % ((time.perf_counter() - self.started_s) * 1e3)
