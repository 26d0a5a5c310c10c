"""Server-sent events, incrementally: bytes as they arrive to whole events.

Source: the WHATWG HTML standard, section 9.2.6. Lines end in LF, CRLF or CR; comments and unknown fields are passed
over; an event without data is kept, because its bytes are forwarded all the same. Beyond the standard, an event at the
end without its blank line counts (`end`), since upstreams leave it out. It must not know what the data mean.
"""

import re
from collections.abc import Iterator

import msgspec

MAX_LINE_BYTES = 1024 * 1024
MAX_EVENT_BYTES = 4 * MAX_LINE_BYTES
MEDIA_LINE_BYTES = 32 * 1024 * 1024
"""A line of formats whose answers hold pictures, sound or documents: they are one line, however large."""

_MARK = b"\xef\xbb\xbf"
# A carriage return at the very end may be half of a line's end: it is one only when more has come.
_LINE_END = rb"(?:\r\n|\n|\r(?!\n|\Z))"
_BOUNDARY = re.compile(_LINE_END + _LINE_END)
_OVERLAP = 3
"""A blank line is at most four bytes, so three of what was searched before may belong to one."""


class SseTooLarge(ValueError):
    """An event or a line is larger than any provider's; the message says which."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event. `raw` is all of its bytes, with the blank line; `event` is b"" when it has no name.

    `has_data` tells an event whose data are empty from one that has none, such as a comment.
    """

    event: bytes
    data: bytes
    raw: bytes
    has_data: bool


class Splitter:
    """Splits one stream. Feed it what arrives; ask `end` once when the stream is over."""

    __slots__ = ("_max_event", "_max_line", "_tail", "begun")

    def __init__(self, max_line: int = MAX_LINE_BYTES, max_event: int = 0) -> None:
        self._tail = bytearray()
        self._max_line = max_line
        self._max_event = max_event or max(MAX_EVENT_BYTES, max_line + MAX_LINE_BYTES)
        self.begun = False
        """Whether an event has come: a byte order mark may stand before the first one and no other."""

    @property
    def pending(self) -> int:
        """How many bytes have arrived of an event that is not whole yet."""
        return len(self._tail)

    def feed(self, data: bytes) -> list[Event]:
        """The events that this completes. Raises SseTooLarge."""
        tail = self._tail
        searched = max(len(tail) - _OVERLAP, 0)
        tail += data
        events: list[Event] = []
        if tail.find(b"\n\n", searched) >= 0 or (tail.find(b"\r", searched) >= 0 and _BOUNDARY.search(tail, searched)):
            buffer = bytes(tail)
            start = 0
            for at, end in _boundaries(buffer, searched):
                events.append(self._read(buffer[start:at], buffer[start:end]))
                start = end
            if start:
                del tail[:start]
        if len(tail) > self._max_event:
            raise SseTooLarge(f"an event of more than {self._max_event} bytes")
        return events

    def end(self) -> list[Event]:
        """What is left when the stream is over, as an event. Raises SseTooLarge."""
        tail, self._tail = bytes(self._tail), bytearray()
        return [self._read(tail.rstrip(b"\r\n"), tail)] if tail.strip() else []

    def _read(self, block: bytes, raw: bytes) -> Event:
        if len(raw) > self._max_event:
            raise SseTooLarge(f"an event of more than {self._max_event} bytes")
        if len(block) > self._max_line and any(len(line) > self._max_line for line in block.splitlines()):
            raise SseTooLarge(f"a line of more than {self._max_line} bytes")
        if not self.begun:
            self.begun = True
            block = block.removeprefix(_MARK)
        return read_event(block, raw)


def read_event(block: bytes, raw: bytes) -> Event:
    """One event from its lines (`block`, without the blank line) and all of its bytes."""
    if block[:6] == b"data: " and b"\n" not in block and b"\r" not in block:
        return Event(b"", block[6:], raw, True)
    name, data = b"", []
    for line in block.splitlines():
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    return Event(name, b"\n".join(data), raw, bool(data))


def _boundaries(buffer: bytes, searched: int) -> Iterator[tuple[int, int]]:
    """Where each blank line begins and ends. Nearly every stream has bare line feeds, and searching those is cheap."""
    if b"\r" in buffer:
        yield from (boundary.span() for boundary in _BOUNDARY.finditer(buffer, searched))
        return
    at = buffer.find(b"\n\n", searched)
    while at >= 0:
        yield at, at + 2
        at = buffer.find(b"\n\n", at + 2)
