"""Puts the parts of a stream one after another, for formats in which only one may be open.

The first that is open goes on at once; what comes of others waits until it ends, part by part in the order of their
starts. When the message ends, what is still open is ended first. Nothing is lost or joined.
"""

from oneapi.dialects.canonical.events import Event, MessageEnd, PartCitation, PartDelta, PartEnd, PartStart


class Order:
    """The order of one stream."""

    __slots__ = ("_open", "_waiting")

    def __init__(self) -> None:
        self._open: int | None = None
        self._waiting: dict[int, list[Event]] = {}

    def put(self, events: list[Event]) -> list[Event]:
        """The events that may go on now."""
        if not self._waiting and len(events) == 1 and type(events[0]) is PartDelta:
            return events
        out: list[Event] = []
        for event in events:
            if isinstance(event, PartStart):
                self._start(event, out)
            elif isinstance(event, PartDelta | PartCitation):
                if event.key == self._open:
                    out.append(event)
                elif event.key in self._waiting:
                    self._waiting[event.key].append(event)
            elif isinstance(event, PartEnd):
                self._end(event, out)
            else:
                if isinstance(event, MessageEnd):
                    self._end_all(event, out)
                out.append(event)
        return out

    def _start(self, event: PartStart, out: list[Event]) -> None:
        if self._open is None:
            self._open = event.key
            out.append(event)
        else:
            self._waiting.setdefault(event.key, []).append(event)

    def _end(self, event: PartEnd, out: list[Event]) -> None:
        if event.key in self._waiting:
            self._waiting[event.key].append(event)
        elif event.key == self._open:
            out.append(event)
            self._open = None
            self._next(out)

    def _next(self, out: list[Event]) -> None:
        while self._waiting:
            key = next(iter(self._waiting))
            held = self._waiting.pop(key)
            out += held
            if not isinstance(held[-1], PartEnd):
                self._open = key
                return

    def _end_all(self, event: MessageEnd, out: list[Event]) -> None:
        while self._open is not None:
            out.append(PartEnd(self._open, truncated=event.stop.cut))
            self._open = None
            self._next(out)
