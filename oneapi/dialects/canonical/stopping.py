"""Stops an answer at a stop sequence, for upstreams that don't know them, or not so many.

Text that may be the beginning of a sequence is held back until it is one or isn't. What follows a sequence is never
shown, and the sequence itself neither.
"""

from collections.abc import Sequence

from oneapi.dialects.canonical.events import Event, MessageEnd, PartDelta, PartEnd, PartStart
from oneapi.dialects.canonical.parts import Message, Part, Text
from oneapi.dialects.canonical.responses import Response, Stop


class Stopping:
    """The stop sequences of one stream. `cut` says that the answer is over, whatever the upstream still says."""

    __slots__ = ("_held", "_open", "_sequences", "_texts", "cut")

    def __init__(self, sequences: Sequence[str]) -> None:
        self._sequences = [sequence for sequence in sequences if sequence]
        self._texts: set[int] = set()
        self._open: dict[int, None] = {}
        self._held: dict[int, str] = {}
        self.cut = False

    def put(self, events: list[Event]) -> list[Event]:
        """The events that may go on now."""
        out: list[Event] = []
        for event in events:
            if self.cut:
                break
            if isinstance(event, PartDelta) and event.key in self._texts:
                self._delta(event, out)
                continue
            if isinstance(event, PartStart):
                self._open[event.key] = None
                if isinstance(event.part, Text):
                    self._texts.add(event.key)
            elif isinstance(event, PartEnd):
                self._open.pop(event.key, None)
                self._release(event.key, out)
            elif isinstance(event, MessageEnd):
                for key in list(self._held):
                    self._release(key, out)
            out.append(event)
        return out

    def _release(self, key: int, out: list[Event]) -> None:
        held = self._held.pop(key, "")
        if held:
            out.append(PartDelta(key, held))

    def _delta(self, event: PartDelta, out: list[Event]) -> None:
        text = self._held.pop(event.key, "") + event.text
        place, sequence = find(text, self._sequences)
        if sequence is not None:
            if place:
                out.append(PartDelta(event.key, text[:place]))
            out += [PartEnd(key) for key in self._open]
            out.append(MessageEnd(Stop(reason="stop_sequence", sequence=sequence)))
            self.cut = True
            return
        keep = held_back(text, self._sequences)
        if keep:
            self._held[event.key] = text[-keep:]
        if keep < len(text):
            out.append(PartDelta(event.key, text[: len(text) - keep], event.logprobs))


def find(text: str, sequences: Sequence[str]) -> tuple[int, str | None]:
    """Where the first sequence is, and which."""
    found = [(place, sequence) for sequence in sequences if (place := text.find(sequence)) >= 0]
    return min(found) if found else (0, None)


def held_back(text: str, sequences: Sequence[str]) -> int:
    """How many characters at the end may be the beginning of a sequence."""
    longest = 0
    for sequence in sequences:
        for length in range(min(len(sequence) - 1, len(text)), longest, -1):
            if text.endswith(sequence[:length]):
                longest = length
                break
    return longest


def stopped(response: Response, sequences: Sequence[str]) -> Response:
    """A whole answer up to the first sequence, changed in place."""
    for choice in response.choices:
        kept: list[Message] = []
        for message in choice.messages:
            parts, sequence = _until(message.parts, sequences)
            message.parts = parts
            kept.append(message)
            if sequence is not None:
                choice.stop = Stop(reason="stop_sequence", sequence=sequence)
                break
        choice.messages = kept
    return response


def _until(parts: list[Part], sequences: Sequence[str]) -> tuple[list[Part], str | None]:
    kept: list[Part] = []
    for part in parts:
        kept.append(part)
        if isinstance(part, Text):
            place, sequence = find(part.text, [sequence for sequence in sequences if sequence])
            if sequence is not None:
                part.text = part.text[:place]
                return kept, sequence
    return kept, None
