"""A stream's events as canonical events.

    stream := message-start (content | tool-plan-delta | tool-call | citation)* message-end
    content := content-start content-delta* content-end         text or thinking
    tool-call := tool-call-start tool-call-delta* tool-call-end

| event | canonical |
|---|---|
| `message-start` | `MessageStart` |
| `content-delta`, `tool-plan-delta` | a text, a thought or a plan starts with its first words, and goes on |
| `content-end` | a thought ends; a text stays open, as citations may follow it |
| `citation-start` | `PartCitation` of the text that is open |
| `tool-call-*` | a call; it ends only with what follows, as until then it may have been cut off |
| `message-end` | `UsageTold` and `MessageEnd`, or `error` |

Other events say nothing.
"""

from typing import Any

import msgspec

from oneapi.dialects.canonical.events import (
    Event,
    MessageEnd,
    MessageStart,
    PartCitation,
    PartDelta,
    PartEnd,
    PartStart,
    UsageTold,
)
from oneapi.dialects.canonical.parts import Opaque, Part, Reasoning, Text, ToolCall
from oneapi.dialects.canonical.reading import member, string
from oneapi.dialects.canonical.responses import normal_stop
from oneapi.dialects.cohere_chat.citations import decode_citation
from oneapi.dialects.cohere_chat.stops import decode_stop, failure
from oneapi.dialects.cohere_chat.thoughts import NAME, PLAN, THINKING, state
from oneapi.dialects.cohere_chat.usage import usage_of
from oneapi.dialects.meter import UNNAMED_ERROR
from oneapi.dialects.usage import Usage

TEXT, CALL = "text", "tool_call"


class _Delta(msgspec.Struct, gc=False):
    message: Any = None
    finish_reason: Any = None
    usage: Any = None
    error: Any = None


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    id: Any = None
    delta: _Delta | None = None
    message: Any = None


_decoder = msgspec.json.Decoder(_Event)
_NOTHING = _Delta()


class CohereDecoder:
    """Decodes one stream. One part is open at a time."""

    def __init__(self) -> None:
        self.error: tuple[str, str] | None = None
        self.finished = False
        self.input_told: Usage = {}
        self._keys = 0
        self._open = ""
        self._words: list[str] = []
        self._called = False

    @property
    def whole(self) -> bool:
        """See `StreamDecoder`: it has an end of its own."""
        return self.finished

    def read(self, data: bytes) -> list[Event]:
        """See `StreamDecoder`."""
        event = _decoder.decode(data)
        delta = event.delta or _NOTHING
        events: list[Event] = []
        match event.type:
            case "content-delta" | "content-start":
                self._content(member(delta.message, "content"), events)
            case "tool-plan-delta":
                self._say(PLAN, string(member(delta.message, "tool_plan")), events)
            case "tool-call-start":
                self._call(member(delta.message, "tool_calls"), events)
            case "tool-call-delta":
                arguments = string(member(member(member(delta.message, "tool_calls"), "function"), "arguments"))
                if arguments and self._open == CALL:
                    events.append(PartDelta(self._keys, arguments))
            case "content-end":
                if self._open == THINKING:
                    self._close(events)
            case "citation-start":
                self._cite(member(delta.message, "citations"), events)
            case "message-start":
                events.append(MessageStart(string(event.id), ""))
            case "message-end":
                self._end(delta, events)
            case "":
                # What is no event of a stream says what went wrong.
                self.error = (UNNAMED_ERROR, string(event.message))
        return events

    def end(self) -> list[Event]:
        """See `StreamDecoder`: without `message-end` nothing is whole."""
        return []

    def _content(self, content: Any, events: list[Event]) -> None:
        thinking = member(content, "thinking")
        if isinstance(thinking, str):
            self._say(THINKING, thinking, events)
        elif isinstance(text := member(content, "text"), str):
            self._say(TEXT, text, events)
        elif isinstance(content, dict) and content and content.get("type") not in (TEXT, THINKING):
            kind = string(content.get("type")) or "block"
            self._start(kind, Opaque(dialect=NAME, kind=kind, value=content, needed=True), events)
            self._close(events)

    def _say(self, kind: str, words: str, events: list[Event]) -> None:
        if not words:
            return
        if self._open != kind:
            self._start(kind, Text() if kind == TEXT else Reasoning(), events)
        if kind != TEXT:
            self._words.append(words)
        events.append(PartDelta(self._keys, words))

    def _call(self, raw: Any, events: list[Event]) -> None:
        name = string(member(member(raw, "function"), "name"))
        if not name:
            return
        self._called = True
        self._start(CALL, ToolCall(id=string(member(raw, "id")), name=name), events)
        arguments = string(member(member(raw, "function"), "arguments"))
        if arguments:
            events.append(PartDelta(self._keys, arguments))

    def _cite(self, raw: Any, events: list[Event]) -> None:
        citation = decode_citation(raw) if isinstance(raw, dict) and self._open == TEXT else None
        if citation is not None:
            events.append(PartCitation(self._keys, citation))

    def _start(self, kind: str, part: Part, events: list[Event]) -> None:
        self._close(events)
        self._keys += 1
        self._open = kind
        events.append(PartStart(self._keys, part))

    def _close(self, events: list[Event], *, truncated: bool = False) -> None:
        kind, self._open = self._open, ""
        words, self._words = "".join(self._words), []
        if kind in {THINKING, PLAN}:
            events.append(PartEnd(self._keys, state=state(kind, words)))
        elif kind:
            events.append(PartEnd(self._keys, truncated=truncated and kind == CALL))

    def _end(self, delta: _Delta, events: list[Event]) -> None:
        found = usage_of(delta.usage)
        if found:
            events.append(UsageTold(found))
        self.error = failure(delta.finish_reason, delta.error)
        if self.error is not None:
            return
        self.finished = True
        stop = normal_stop(decode_stop(delta.finish_reason), called=self._called)
        self._close(events, truncated=stop.cut)
        events.append(MessageEnd(stop))
