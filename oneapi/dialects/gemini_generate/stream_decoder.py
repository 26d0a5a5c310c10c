"""A stream's answers as canonical events.

Of every answer the first candidate is read:

| in an answer | event |
|---|---|
| the first one | `MessageStart` |
| a thought, a text | a part of it starts, or goes on; what else is open ends |
| a call | starts and ends at once; one in pieces ends with the piece that doesn't continue, or with the next call |
| a signature | the state of the thought that is open, or of one without text; behind a text it waits for its end |
| grounding | citations of the text that is open; searches before the end |
| finishReason, a blocked prompt | kept; the last one counts |
| usage | `UsageTold`: every answer tells all of it |

There is no end: a stream that closes behind a finishReason is whole, and its `MessageEnd` comes then.
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
from oneapi.dialects.canonical.parts import Citation, Opaque, Part, Reasoning, State, Text, ToolCall
from oneapi.dialects.canonical.reading import member, objects, string
from oneapi.dialects.canonical.responses import Stop, normal_stop
from oneapi.dialects.gemini_generate.answer import TIERS, searched
from oneapi.dialects.gemini_generate.grounding import decode_citations
from oneapi.dialects.gemini_generate.logprobs import decode_logprobs
from oneapi.dialects.gemini_generate.partial_call import PartialCall
from oneapi.dialects.gemini_generate.parts import decode_parts
from oneapi.dialects.gemini_generate.signatures import ON_CALL, ON_END, ON_TEXT, read_signature
from oneapi.dialects.gemini_generate.stops import FAILED, decode_block, decode_stop
from oneapi.dialects.gemini_generate.stream import CHUNKS, Chunk, code_and_message
from oneapi.dialects.gemini_generate.usage import buckets, searches
from oneapi.dialects.usage import Usage


class GeminiDecoder:
    """Decodes one stream."""

    def __init__(self) -> None:
        self.error: tuple[str, str] | None = None
        self.finished = False
        self.input_told: Usage = {}
        self._started = False
        self._keys = 0
        self._open: int | None = None
        self._kind: type[Text] | type[Reasoning] | None = None
        self._call: PartialCall | None = None
        self._waiting: list[State] = []
        self._said: list[str] = []
        self._length = self._text_start = 0
        self._called = self._searched = False
        self._searches = 0
        self._stop: Stop | None = None
        self._tier: str | None = None

    @property
    def whole(self) -> bool:
        """See `StreamDecoder`."""
        return self._stop is not None

    def read(self, data: bytes) -> list[Event]:
        """See `StreamDecoder`."""
        chunk = CHUNKS.decode(data)
        events: list[Event] = []
        if chunk.error:
            self.error = code_and_message(chunk.error)
            return events
        if not self._started and (chunk.candidates or chunk.responseId or chunk.promptFeedback):
            self._started = True
            events.append(MessageStart(string(chunk.responseId), string(chunk.modelVersion)))
        for candidate in objects(chunk.candidates):
            if candidate.get("index") in (None, 0):
                self._candidate(candidate, events)
        blocked = decode_block(chunk.promptFeedback)
        if blocked is not None and not chunk.candidates:
            self._stop = blocked
        self._usage(chunk, events)
        return events

    def end(self) -> list[Event]:
        """See `StreamDecoder`: behind a finishReason everything is whole."""
        if self._stop is None:
            return []
        self.finished = True
        events: list[Event] = []
        stop = normal_stop(self._stop, called=self._called)
        self._end_call(events, truncated=stop.cut)
        self._close(events)
        return [*events, MessageEnd(stop, self._tier)]

    def _usage(self, chunk: Chunk, events: list[Event]) -> None:
        usage = chunk.usageMetadata
        self._searches = searches(chunk.candidates) or self._searches
        if not isinstance(usage, dict):
            return
        found = buckets(usage)
        if found:
            events.append(UsageTold({**found, "search": self._searches} if self._searches else found))
        tier = usage.get("serviceTier")
        self._tier = TIERS.get(tier, self._tier) if isinstance(tier, str) else self._tier

    def _candidate(self, candidate: dict[str, Any], events: list[Event]) -> None:
        logprobs = decode_logprobs(candidate.get("logprobsResult")) or None
        for part in objects(member(candidate.get("content"), "parts")):
            if self._part(part, logprobs, events):
                logprobs = None
        if "groundingMetadata" in candidate or "citationMetadata" in candidate:
            self._ground(candidate, events)
        reason = candidate.get("finishReason")
        if isinstance(reason, str) and reason in FAILED:
            self.error = (reason.lower(), string(candidate.get("finishMessage")))
        elif reason is not None:
            self._stop = decode_stop(reason, candidate.get("finishMessage"))

    def _part(self, raw: dict[str, Any], logprobs: list[Any] | None, events: list[Event]) -> bool:
        """Whether it was text, which log probabilities belong to."""
        text, signature = raw.get("text"), string(raw.get("thoughtSignature"))
        if isinstance(text, str):
            if raw.get("thought") is True:
                self._say(Reasoning, text, None, events)
                self._sign(read_signature(signature, ON_TEXT, None), events)
                return False
            if text and self._kind is not Text:
                self._sign(read_signature(signature, ON_TEXT, None), events)
            elif (state := read_signature(signature, ON_END, None)) is not None:
                self._waiting.append(state)
            self._say(Text, text, logprobs, events)
            return bool(text)
        call = raw.get("functionCall")
        if isinstance(call, dict):
            self._function(call, signature, events)
        else:
            # What ran at Google keeps its signature: it is whole, and only its own format's.
            for part in decode_parts([raw], None, None):
                if isinstance(part, Opaque):
                    self._searched = self._searched or part.search is not None
                    self._whole(part, events)
        return False

    def _say(
        self, kind: type[Text] | type[Reasoning], text: str, logprobs: list[Any] | None, events: list[Event]
    ) -> None:
        if not text:
            return
        if self._kind is not kind:
            self._close(events)
            self._kind, self._open = kind, self._key()
            self._text_start = self._length
            events.append(PartStart(self._open, kind()))
        if kind is Text:
            self._said.append(text)
            self._length += len(text)
        if self._open is not None:
            events.append(PartDelta(self._open, text, logprobs))

    def _sign(self, state: State | None, events: list[Event]) -> None:
        if state is None:
            return
        if self._kind is Reasoning and self._open is not None:
            events.append(PartEnd(self._open, state=state))
            self._kind = self._open = None
            return
        self._close(events)
        key = self._key()
        events += [PartStart(key, Reasoning()), PartEnd(key, state=state)]

    def _function(self, raw: dict[str, Any], signature: str, events: list[Event]) -> None:
        name, goes_on = string(raw.get("name")), raw.get("willContinue") is True
        if name:
            self._end_call(events)
            self._sign(read_signature(signature, ON_CALL, None), events)
            self._close(events)
            self._called = True
            key = self._key()
            call = PartialCall(key, string(raw.get("id")), name)
            events.append(PartStart(key, ToolCall(id=call.id, name=name)))
            self._call = call
        if self._call is None:
            return
        given = raw.get("args")
        self._call.arguments |= given if isinstance(given, dict) else {}
        for piece in objects(raw.get("partialArgs")):
            self._call.take(piece)
        if not goes_on:
            self._end_call(events)

    def _end_call(self, events: list[Event], *, truncated: bool = False) -> None:
        call, self._call = self._call, None
        if call is not None:
            text = msgspec.json.encode(call.arguments).decode() if call.arguments or not truncated else ""
            events += [PartDelta(call.key, text)] if text else []
            events.append(PartEnd(call.key, truncated=truncated))

    def _whole(self, part: Part, events: list[Event]) -> None:
        self._close(events)
        key = self._key()
        events += [PartStart(key, part), PartEnd(key)]

    def _ground(self, candidate: dict[str, Any], events: list[Event]) -> None:
        cited = decode_citations(candidate, "".join(self._said)) if self._kind is Text else []
        for start, end, citation in cited:
            if self._open is not None and end > self._text_start:
                first, last = max(start - self._text_start, 0), end - self._text_start
                place = Citation(url=citation.url, title=citation.title, start=first, end=last, value=citation.value)
                events.append(PartCitation(self._open, place))
        if not self._searched:
            found = searched(candidate)
            self._searched = bool(found)
            for part in found:
                self._whole(part, events)

    def _close(self, events: list[Event]) -> None:
        """Ends what is open; signatures that waited for the end of a text follow it."""
        if self._open is not None:
            events.append(PartEnd(self._open))
        self._kind = self._open = None
        waiting, self._waiting = self._waiting, []
        for state in waiting:
            key = self._key()
            events += [PartStart(key, Reasoning()), PartEnd(key, state=state)]

    def _key(self) -> int:
        self._keys += 1
        return self._keys - 1
