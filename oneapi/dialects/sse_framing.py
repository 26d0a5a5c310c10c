"""Server-sent events as a framing: the data of each event, and comments as signs of life.

It must not know what the data mean.
"""

from oneapi.dialects.sse import MAX_LINE_BYTES, Event, Splitter, SseTooLarge, read_event


class SseFraming:
    """See `Framing`."""

    __slots__ = ("_long_way", "_splitter", "broken")

    def __init__(self, max_line: int = MAX_LINE_BYTES) -> None:
        self.broken = False
        self._splitter = Splitter(max_line)
        # The first event goes the long way: a byte order mark may stand before it.
        self._long_way = True

    @property
    def pending(self) -> int:
        """See `Framing`."""
        return self._splitter.pending

    def feed(self, data: bytes) -> list[bytes]:
        """See `Framing`."""
        if self._long_way or data[-2:] != b"\n\n" or b"\r" in data or len(data) > MAX_LINE_BYTES:
            return self._feed_parts(data)
        # The hot path: whole events in the usual form.
        found: list[bytes] = []
        for block in data[:-2].split(b"\n\n"):
            if block[:6] == b"data: " and b"\n" not in block:
                payload = block[6:].strip()
            elif block[:7] == b"event: " and (at := block.find(b"\ndata: ")) > 0 and block.count(b"\n") == 1:
                payload = block[at + 7 :].strip()
            else:
                found += _data(read_event(block, block))
                continue
            if payload:
                found.append(payload)
        return found

    def end(self) -> list[bytes]:
        """See `Framing`. An event without its blank line counts."""
        try:
            return [data for event in self._splitter.end() for data in _data(event)]
        except SseTooLarge:
            self.broken = True
            return []

    def _feed_parts(self, data: bytes) -> list[bytes]:
        try:
            events = self._splitter.feed(data)
        except SseTooLarge:
            self.broken = True
            return []
        self._long_way = self._splitter.pending > 0 or not self._splitter.begun
        return [data for event in events for data in _data(event)]


def _data(event: Event) -> list[bytes]:
    data = event.data.strip()
    if data:
        return [data]
    # How many empty lines stand before a comment depends on how the bytes were cut.
    return [] if event.has_data or not event.raw.lstrip(b"\r\n").startswith(b":") else [b""]
