"""Gives the tools in an answer the names and kinds that the client knows them by, whole or as it streams."""

from oneapi.dialects.canonical.events import Event, PartDelta, PartEnd, PartStart
from oneapi.dialects.canonical.naming import Names
from oneapi.dialects.canonical.parts import ToolCall
from oneapi.dialects.canonical.responses import Response
from oneapi.dialects.canonical.unwrapping import Unwrapper


def renamed(response: Response, names: Names) -> Response:
    """The answer, changed in place."""
    for choice in response.choices:
        for message in choice.messages:
            message.parts = [names.incoming(part) if isinstance(part, ToolCall) else part for part in message.parts]
    return response


class Renaming:
    """The same for one stream."""

    __slots__ = ("_names", "_unwrappers")

    def __init__(self, names: Names) -> None:
        self._names = names
        self._unwrappers: dict[int, Unwrapper] = {}

    def put(self, events: list[Event]) -> list[Event]:
        out: list[Event] = []
        for event in events:
            if isinstance(event, PartDelta):
                unwrapper = self._unwrappers.get(event.key)
                text = event.text if unwrapper is None else unwrapper.feed(event.text)
                if text:
                    out.append(PartDelta(event.key, text, event.logprobs))
            elif isinstance(event, PartStart):
                out.append(self._start(event))
            elif isinstance(event, PartEnd):
                unwrapper = self._unwrappers.pop(event.key, None)
                left = unwrapper.end() if unwrapper is not None else ""
                out += [PartDelta(event.key, left), event] if left else [event]
            else:
                out.append(event)
        return out

    def _start(self, event: PartStart) -> PartStart:
        if not isinstance(event.part, ToolCall):
            return event
        call = self._names.incoming(event.part)
        if call.custom and not event.part.custom:
            self._unwrappers[event.key] = Unwrapper()
            call.arguments = ""
        return PartStart(event.key, call)
