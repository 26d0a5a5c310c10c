"""Keeps the ids of an answer's calls apart: clients pair results with calls by them, and upstreams may give one twice.

It must not know what is called.
"""

from oneapi.dialects.canonical.events import Event, PartStart
from oneapi.dialects.canonical.parts import Part, ToolCall
from oneapi.dialects.canonical.responses import Response


class UniqueCalls:
    """The calls of one message, or of its stream. A later one with an id that is taken gets another, in place."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def put(self, events: list[Event]) -> list[Event]:
        """The events, as they may go on."""
        for event in events:
            if type(event) is PartStart:
                self.see(event.part)
        return events

    def see(self, part: Part) -> None:
        """The next part. What has no id at all gets one elsewhere."""
        if not isinstance(part, ToolCall) or not part.id:
            return
        given, number = part.id, 1
        while part.id in self._taken:
            number += 1
            part.id = f"{given}_{number}"
        self._taken.add(part.id)


def told_apart(response: Response) -> Response:
    """The whole answer, changed in place: each choice is a message of its own."""
    for choice in response.choices:
        calls = UniqueCalls()
        for part in choice.parts:
            calls.see(part)
    return response
