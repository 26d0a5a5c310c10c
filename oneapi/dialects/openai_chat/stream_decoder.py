"""A chat's chunks as canonical events.

One choice is read, the first. What a chunk says decides, not where chunks end:

| in a chunk | event |
|---|---|
| first id or choice | `MessageStart`; Azure's empty first chunk says nothing yet |
| reasoning in any of its fields | a part of reasoning starts, or goes on; text that is open ends |
| content, refusal | the same with text, when it isn't empty; reasoning ends first |
| a tool call | which one it belongs to see below; it starts once its name is known |
| finish_reason | kept; the first one counts |
| usage | `UsageTold`, the last one counts |
| `[DONE]` | open parts end, then `MessageEnd` |

A tool call is the one of its `index`; of its `id` where there is no index, or where that index belongs to another id;
and without either the last one. A call ends when another starts and its arguments are whole, else with the message.

A stream that closes without `[DONE]` behind a finish_reason is whole; with `[DONE]` and no finish_reason it is whole as
well unless a call's arguments break off. Anything else is broken: `error` is set.
"""

from typing import Any

import msgspec

from oneapi.dialects.canonical.arguments import as_text, complete
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
from oneapi.dialects.canonical.parts import Reasoning, Refusal, State, Text, ToolCall
from oneapi.dialects.canonical.reading import objects, string
from oneapi.dialects.canonical.responses import Stop, normal_stop
from oneapi.dialects.openai_chat.annotations import decode_annotations
from oneapi.dialects.openai_chat.content import NAME
from oneapi.dialects.openai_chat.stops import decode_stop
from oneapi.dialects.openai_chat.stream import DONE, code_and_message
from oneapi.dialects.openai_chat.usage import buckets
from oneapi.dialects.usage import Usage

_CUT = ("upstream_cut", "The upstream's stream ended early.")


class _Function(msgspec.Struct, gc=False):
    name: Any = None
    arguments: Any = None


class _ToolCall(msgspec.Struct, gc=False):
    index: Any = None
    id: Any = None
    function: _Function | None = None
    custom: Any = None


class _Delta(msgspec.Struct, gc=False):
    content: Any = None
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    annotations: Any = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _Function | None = None


class _Choice(msgspec.Struct, gc=False):
    index: Any = 0
    delta: _Delta | None = None
    logprobs: Any = None
    finish_reason: Any = None


class _Chunk(msgspec.Struct, gc=False):
    id: Any = None
    model: Any = None
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None
    service_tier: Any = None
    x_groq: Any = None


_decoder = msgspec.json.Decoder(_Chunk)


class _Call:
    """A tool call that is open. It starts when its name is known."""

    __slots__ = ("arguments", "custom", "ended", "id", "index", "key", "name", "started")

    def __init__(self, key: int, index: int | None, call_id: str, custom: bool) -> None:
        self.key = key
        self.index = index
        self.id = call_id
        self.custom = custom
        self.name = ""
        self.arguments: list[str] = []
        self.started = self.ended = False

    @property
    def whole(self) -> bool:
        return self.custom or complete("".join(self.arguments))


class ChatDecoder:
    """Decodes one stream."""

    def __init__(self) -> None:
        self.error: tuple[str, str] | None = None
        self.finished = False
        self.input_told: Usage = {}
        self._started = False
        self._keys = 0
        self._open: int | None = None
        self._kind: type[Text] | type[Refusal] | type[Reasoning] | None = None
        self._signature: State | None = None
        self._thought_alone = False
        self._calls: list[_Call] = []
        self._stop: Stop | None = None
        self._tier: str | None = None

    @property
    def whole(self) -> bool:
        """See `StreamDecoder`."""
        return self._stop is not None

    def read(self, data: bytes) -> list[Event]:
        """See `StreamDecoder`."""
        if data[:6] == DONE:
            return self._done()
        chunk = _decoder.decode(data)
        events: list[Event] = []
        choices = chunk.choices
        if not self._started and (choices or chunk.id):
            self._started = True
            events.append(MessageStart(string(chunk.id), string(chunk.model)))
        for choice in choices or ():
            # Vendors of one choice may leave its index out.
            if not choice.index:
                self._choice(choice, events)
        if chunk.usage or chunk.error or chunk.x_groq or chunk.service_tier:
            self._rest(chunk, events)
        return events

    def end(self) -> list[Event]:
        """See `StreamDecoder`."""
        if self.finished or self.error is not None or self._stop is None:
            return []
        return self._done()

    def _choice(self, choice: _Choice, events: list[Event]) -> None:
        delta = choice.delta
        if delta is not None:
            thought = delta.reasoning_content or delta.reasoning
            if thought or delta.reasoning_details:
                self._reasoning(thought, delta.reasoning_details, events)
            content = delta.content
            if content:
                if type(content) is str:
                    logprobs = choice.logprobs
                    self._say(Text, content, events, logprobs.get("content") if isinstance(logprobs, dict) else None)
                else:
                    self._contents(content, events)
            if delta.refusal and isinstance(delta.refusal, str):
                self._say(Refusal, delta.refusal, events)
            if delta.annotations:
                self._cite(delta.annotations, events)
            for call in delta.tool_calls or ():
                self._call(call, events)
            if delta.function_call is not None:
                self._call(_ToolCall(index=0, function=delta.function_call), events)
        if choice.finish_reason is not None and self._stop is None:
            self._stop = decode_stop(choice.finish_reason)

    def _say(
        self, kind: type[Text] | type[Refusal] | type[Reasoning], text: str, events: list[Event], logprobs: Any = None
    ) -> None:
        if self._kind is not kind:
            self._close(events)
            self._kind, self._open = kind, self._key()
            events.append(PartStart(self._open, kind()))
        if self._open is not None:
            events.append(PartDelta(self._open, text, logprobs))

    def _close(self, events: list[Event]) -> None:
        if self._open is not None:
            state = self._signature or State(NAME) if self._kind is Reasoning else None
            events.append(PartEnd(self._open, state=state))
            self._open, self._kind, self._signature = None, None, None

    def _contents(self, content: Any, events: list[Event]) -> None:
        """Mistral's content may be a list of parts, thinking nested in them."""
        for item in objects(content):
            thinking = item.get("thinking")
            if thinking:
                inner = "".join(string(part.get("text")) for part in objects(thinking))
                self._reasoning(inner or thinking, None, events)
            elif isinstance(item.get("text"), str) and item["text"]:
                self._say(Text, item["text"], events)

    def _reasoning(self, thought: Any, details: Any, events: list[Event]) -> None:
        text = string(thought)
        # Vendors that tell the text in a field of its own repeat it in the details, piece by piece or whole.
        self._thought_alone = self._thought_alone or bool(text)
        for detail in objects(details):
            if not self._thought_alone:
                text += string(detail.get("text")) or string(detail.get("summary"))
            if isinstance(detail.get("signature"), str) or isinstance(detail.get("data"), str):
                self._signature = State(NAME, value={"details": [detail]})
        if text:
            self._say(Reasoning, text, events)
        elif self._signature is not None and self._kind is not Reasoning:
            self._close_for_state(events)

    def _close_for_state(self, events: list[Event]) -> None:
        """State alone, without any text: a part of its own."""
        state, self._signature = self._signature, None
        self._close(events)
        self._signature = state
        self._kind, self._open = Reasoning, self._key()
        events.append(PartStart(self._open, Reasoning()))

    def _cite(self, annotations: Any, events: list[Event]) -> None:
        if self._kind is Text and self._open is not None:
            events += [PartCitation(self._open, citation) for citation in decode_annotations(annotations)]

    def _call(self, raw: _ToolCall, events: list[Event]) -> None:
        custom = raw.custom if isinstance(raw.custom, dict) else None
        call = self._which(raw, custom is not None)
        if custom is not None:
            name, more = custom.get("name"), custom.get("input")
        elif raw.function is not None:
            name, more = raw.function.name, raw.function.arguments
        else:
            return
        text = as_text(more) if isinstance(more, str | dict) else ""
        if text:
            call.arguments.append(text)
        if call.started:
            if text and not call.ended:
                events.append(PartDelta(call.key, text))
        elif isinstance(name, str) and name:
            self._start(call, name, events)

    def _which(self, raw: _ToolCall, custom: bool) -> _Call:
        call_id = string(raw.id)
        index = raw.index if isinstance(raw.index, int) else None
        for call in reversed(self._calls):
            if index is None:
                if not call_id or call.id == call_id:
                    return call
            elif call.index == index and (not call_id or not call.id or call.id == call_id):
                call.id = call.id or call_id
                return call
        call = _Call(self._key(), index, call_id, custom)
        self._calls.append(call)
        return call

    def _start(self, call: _Call, name: str, events: list[Event]) -> None:
        self._close(events)
        for other in self._calls:
            if other.started and not other.ended and other.whole:
                other.ended = True
                events.append(PartEnd(other.key))
        call.started, call.name = True, name
        events.append(PartStart(call.key, ToolCall(id=call.id, name=name, custom=call.custom)))
        if call.arguments:
            events.append(PartDelta(call.key, "".join(call.arguments)))

    def _rest(self, chunk: _Chunk, events: list[Event]) -> None:
        usage = chunk.usage or (chunk.x_groq.get("usage") if isinstance(chunk.x_groq, dict) else None)
        if isinstance(usage, dict):
            found = buckets(usage)
            if found:
                events.append(UsageTold(found))
        if isinstance(chunk.service_tier, str):
            self._tier = chunk.service_tier
        if chunk.error:
            self.error = code_and_message(chunk.error)

    def _done(self) -> list[Event]:
        started = [call for call in self._calls if call.started]
        broken = [call for call in started if call.arguments and not call.whole]
        if self._stop is None and broken:
            self.error = _CUT
            return []
        self.finished = True
        events: list[Event] = []
        self._close(events)
        stop = normal_stop(self._stop or Stop(), called=bool(started))
        for call in started:
            if not call.ended:
                truncated = stop.cut and (call is started[-1] or not call.whole)
                events.append(PartEnd(call.key, truncated=truncated and not (call.arguments and call.whole)))
        events.append(MessageEnd(stop, self._tier))
        return events

    def _key(self) -> int:
        self._keys += 1
        return self._keys - 1
