"""A stream of events as one JSON list, for clients that ask for a stream without `alt=sse`.

It takes what a meter or a converter returns: whole events, each with one line of data. It must not know what they mean.
"""


class JsonArray:
    """Rewrites one stream."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = False

    def feed(self, events: bytes) -> bytes:
        """The elements that these events are; comments say nothing, and a blank line stays one between them."""
        if events.isspace():
            return b"\r\n"
        out = bytearray()
        for line in events.splitlines():
            if line.startswith(b"data:"):
                out += (b",\r\n" if self._begun else b"[") + line[5:].strip()
                self._begun = True
        return bytes(out)

    def end(self) -> bytes:
        """The list's end; the list is empty if nothing came."""
        return b"]" if self._begun else b"[]"
