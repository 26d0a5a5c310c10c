"""What every dialect's stream meter has in common: whole events in, countable facts out, bytes on to the client.

A meter watches one stream. Rules of those whose bytes go on as they came:

1. Bytes go on unchanged and in one piece unless the dialect drops an event (`read` returns False). An event with empty
   data is dropped: it says nothing, and every SDK fails on it.
2. An event that can't be read, or that is an error, is never forwarded and ends the metering: `error` is set, and what
   comes after it is dropped. The gateway then ends the stream with its own error event.
3. Bytes of an event that is not whole yet are kept back until it is, so that what is forwarded has always been counted.

A meter must not know where bytes come from or go to.
"""

import abc

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.sse import MAX_LINE_BYTES, MEDIA_LINE_BYTES, Event, Splitter, SseTooLarge, read_event
from oneapi.dialects.usage import UNREADABLE, Usage

MALFORMED = ("malformed_event", "The upstream sent an event that can't be read.")
UNNAMED_ERROR = "upstream_error"
COMMENT = b": keepalive\n\n"


class StreamMeter(abc.ABC):
    """One stream's facts so far.

    `usage`: the provider's own, None until told. `text_bytes`: bytes of content, tool arguments, reasoning and refusals
    that went on. `started`: something of these was seen. `finished`: the dialect's end was seen. `error`: code and
    message of an upstream's error event.
    """

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.text_bytes = 0
        self.started = False
        self.finished = False
        self.error: tuple[str, str] | None = None

    @property
    def cut(self) -> bool:
        """Whether the answer ended here though the upstream goes on: it is to be hung up on, and tells no usage."""
        return False

    @property
    def whole(self) -> bool:
        """Whether what has come is a whole answer with its usage, though its end is still to come."""
        return False

    @property
    def keep_alive(self) -> bytes:
        """What says nothing between two events: every client of the format passes over it."""
        return COMMENT

    @property
    def input_told(self) -> Usage:
        """Input buckets that are known before the usage is, for a stream that breaks in between."""
        return {}

    @abc.abstractmethod
    def feed(self, data: bytes) -> bytes:
        """What may go on to the client of what has arrived. Never raises for what an upstream sends."""

    @abc.abstractmethod
    def end(self) -> bytes:
        """The upstream's stream is over: what may still go on."""

    @abc.abstractmethod
    def finish_bytes(self, error: GatewayError, request_id: str = "") -> bytes:
        """The dialect's error event, which ends a stream that broke."""

    def saw(self, text: object) -> None:
        """Content went on."""
        if isinstance(text, str) and text:
            self.started = True
            self.text_bytes += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


class SseMeter(StreamMeter):
    """A meter of server-sent events, which go on as they came."""

    def __init__(self, *, forward_usage: bool = True) -> None:
        super().__init__()
        self._forward_usage = forward_usage
        self._splitter = Splitter(MEDIA_LINE_BYTES)
        # The first event goes the long way: a byte order mark may stand before it.
        self._pending = True
        self._complete = False
        """What has come is a whole answer, should the stream end here without the dialect's own end."""

    @property
    def whole(self) -> bool:
        """See `StreamMeter`."""
        return self._complete and self.usage is not None and self.error is None and not self._splitter.pending

    def feed(self, data: bytes) -> bytes:
        """See `StreamMeter`."""
        if self.error is not None:
            return b""
        if self._pending or data[-2:] != b"\n\n" or b"\r" in data or len(data) > MAX_LINE_BYTES:
            return self._feed_parts(data)
        return self._feed_whole(data)

    def end(self) -> bytes:
        """See `StreamMeter`."""
        if self.error is not None:
            return b""
        try:
            events = self._splitter.end()
        except SseTooLarge:
            self.error = MALFORMED
            return b""
        left = self._forwarded(events)
        self.finished = self.finished or (self._complete and self.error is None)
        return left

    def _feed_whole(self, data: bytes) -> bytes:
        # The hot path: whole events in the usual form. What is unusual in one of them is left to the full parser.
        dropped: list[int] = []
        blocks = data[:-2].split(b"\n\n")
        for place, block in enumerate(blocks):
            if block[:6] == b"data: ":
                payload = block[6:]
            elif block[:7] == b"event: " and (at := block.find(b"\ndata: ")) > 0:
                payload = block[at + 7 :]
            else:
                payload = b""
            try:
                goes_on = self.read(payload) if payload else self._read_event(_event(block))
            except UNREADABLE:
                goes_on = self._read_event(_event(block))
            if self.error is not None:
                return _joined(blocks[:place], dropped)
            if not goes_on:
                dropped.append(place)
        return _joined(blocks, dropped) if dropped else data

    def _feed_parts(self, data: bytes) -> bytes:
        whole = not self._splitter.pending
        try:
            events = self._splitter.feed(data)
        except SseTooLarge:
            self.error = MALFORMED
            return b""
        self._pending = self._splitter.pending > 0 or not self._splitter.begun
        forwarded = self._forwarded(events)
        return data if whole and len(forwarded) == len(data) else forwarded

    def _forwarded(self, events: list[Event]) -> bytes:
        kept: list[bytes] = []
        for event in events:
            goes_on = self._read_event(event)
            if self.error is not None:
                break
            if goes_on:
                kept.append(event.raw)
        return b"".join(kept)

    def _read_event(self, event: Event) -> bool:
        if not event.data.strip():
            return not event.has_data
        try:
            return self.read(event.data)
        except UNREADABLE:
            self.error = MALFORMED
            return False

    @abc.abstractmethod
    def read(self, data: bytes) -> bool:
        """Takes one event's data in; whether the event goes on. May set `error`.

        Data that can't be decoded raise msgspec.MsgspecError before anything is counted.
        """


def _event(block: bytes) -> Event:
    return read_event(block, block)


def _joined(blocks: list[bytes], dropped: list[int]) -> bytes:
    gone = set(dropped)
    return b"".join(block + b"\n\n" for place, block in enumerate(blocks) if place not in gone)
