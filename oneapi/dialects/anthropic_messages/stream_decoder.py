"""A message's events as canonical events.

| event | canonical |
|---|---|
| `message_start` | `MessageStart`; the same id again says nothing, another one means spliced streams: `error` |
| `content_block_start` | thinking and calls start; text starts with its first text; what the provider ran is held |
| `content_block_delta` | more of it; a signature is kept for its end |
| `content_block_stop` | the part ends; a call ends only with what follows, as until then it may have been cut off |
| `message_delta` | `UsageTold`: its numbers replace those of the start; the reason is kept |
| `message_stop` | `MessageEnd`, `finished` |
| `error` | `error` |

`ping` and unknown events say nothing, and neither does a stop of what was never started.
"""

from typing import Any

import msgspec

from oneapi.dialects.anthropic_messages.blocks import NAME, decode_citation, decode_content
from oneapi.dialects.anthropic_messages.stops import decode_stop
from oneapi.dialects.anthropic_messages.usage import buckets
from oneapi.dialects.canonical.arguments import as_object, as_text
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
from oneapi.dialects.canonical.parts import Reasoning, State, Text, ToolCall
from oneapi.dialects.canonical.reading import member, string
from oneapi.dialects.canonical.responses import Stop, normal_stop
from oneapi.dialects.meter import UNNAMED_ERROR
from oneapi.dialects.usage import Usage

_SPLICED = ("spliced_stream", "The upstream began a second message inside the first.")
_TIERS = {"standard": "default", "priority": "priority"}


class _Delta(msgspec.Struct, gc=False):
    text: Any = None
    thinking: Any = None
    partial_json: Any = None
    signature: Any = None
    citation: Any = None
    stop_reason: Any = None
    stop_sequence: Any = None
    stop_details: Any = None


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    index: Any = None
    delta: _Delta | None = None
    usage: Any = None
    message: Any = None
    content_block: Any = None
    error: Any = None


_decoder = msgspec.json.Decoder(_Event)


class _Block:
    """The block that is open. Its key is given when its part starts."""

    __slots__ = ("json", "key", "kind", "raw", "signature", "thinking")

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.kind = string(raw.get("type"))
        self.key: int | None = None
        self.json: list[str] = []
        self.thinking: list[str] = []
        self.signature = ""


class MessagesDecoder:
    """Decodes one stream."""

    def __init__(self) -> None:
        self.error: tuple[str, str] | None = None
        self.finished = False
        self.input_told: Usage = {}
        self._id: str | None = None
        self._told: dict[str, Any] = {}
        self._keys = 0
        self._blocks: dict[Any, _Block] = {}
        self._ending: int | None = None
        self._called = False
        self._stop = Stop(reason="other")

    @property
    def whole(self) -> bool:
        """See `StreamDecoder`: it has an end of its own."""
        return self.finished

    def read(self, data: bytes) -> list[Event]:
        """See `StreamDecoder`."""
        event = _decoder.decode(data)
        kind = event.type
        if kind == "content_block_delta":
            block = self._blocks.get(event.index if type(event.index) is int else None)
            return self._delta(block, event.delta) if block is not None and event.delta is not None else []
        events: list[Event] = []
        if kind == "message_start":
            self._message_start(event.message, events)
        elif kind == "content_block_start":
            if isinstance(event.content_block, dict):
                self._start(event.index, event.content_block, events)
        elif kind == "content_block_stop":
            self._end(event.index, events)
        elif kind == "message_delta":
            self._message_delta(event, events)
        elif kind == "message_stop":
            self._message_stop(events)
        elif kind == "error" or event.error:
            self.error = (
                string(member(event.error, "type")) or UNNAMED_ERROR,
                string(member(event.error, "message")),
            )
        return events

    def end(self) -> list[Event]:
        """See `StreamDecoder`: without `message_stop` nothing is whole."""
        return []

    def _message_start(self, message: Any, events: list[Event]) -> None:
        message_id = string(member(message, "id"))
        if self._id is not None:
            if message_id != self._id:
                self.error = _SPLICED
            return
        self._id = message_id
        usage = member(message, "usage")
        if isinstance(usage, dict):
            self._told = usage
            found = buckets({**usage, "output_tokens": 0, "server_tool_use": None, "iterations": None})
            self.input_told = {name: n for name, n in found.items() if name not in {"output", "reasoning"}}
        events.append(MessageStart(message_id, string(member(message, "model")), self.input_told or None))

    def _start(self, index: Any, raw: dict[str, Any], events: list[Event]) -> None:
        self._flush(events)
        block = _Block(raw)
        self._blocks[index if type(index) is int else None] = block
        if block.kind == "text":
            if raw.get("text"):
                events += self._text(block, string(raw["text"]))
        elif block.kind == "thinking":
            block.key = self._key()
            events.append(PartStart(block.key, Reasoning()))
            block.signature = string(raw.get("signature"))
            if raw.get("thinking"):
                block.thinking.append(string(raw["thinking"]))
                events.append(PartDelta(block.key, string(raw["thinking"])))
        elif block.kind == "tool_use" and string(raw.get("name")):
            self._called = True
            block.key = self._key()
            events.append(PartStart(block.key, ToolCall(id=string(raw.get("id")), name=string(raw.get("name")))))

    def _delta(self, block: _Block, delta: _Delta) -> list[Event]:
        kind = block.kind
        if kind == "text":
            if delta.text and type(delta.text) is str:
                return self._text(block, delta.text)
            if isinstance(delta.citation, dict) and block.key is not None:
                return [PartCitation(block.key, decode_citation(delta.citation))]
        elif kind == "thinking":
            if isinstance(delta.signature, str):
                block.signature += delta.signature
            elif delta.thinking and isinstance(delta.thinking, str) and block.key is not None:
                block.thinking.append(delta.thinking)
                return [PartDelta(block.key, delta.thinking)]
        elif delta.partial_json and isinstance(delta.partial_json, str):
            block.json.append(delta.partial_json)
            if block.key is not None:
                return [PartDelta(block.key, delta.partial_json)]
        return []

    def _text(self, block: _Block, text: str) -> list[Event]:
        if block.key is not None:
            return [PartDelta(block.key, text)]
        block.key = self._key()
        return [PartStart(block.key, Text()), PartDelta(block.key, text)]

    def _end(self, index: Any, events: list[Event]) -> None:
        block = self._blocks.pop(index if type(index) is int else None, None)
        if block is None:
            return
        if block.kind == "tool_use" and block.key is not None:
            given = block.raw.get("input")
            if isinstance(given, dict) and given and not block.json:
                events.append(PartDelta(block.key, as_text(given)))
            self._ending = block.key
        elif block.kind == "thinking" and block.key is not None:
            value = {"thinking": "".join(block.thinking), "signature": block.signature}
            events.append(PartEnd(block.key, state=State(NAME, value=value) if block.signature else None))
        elif block.key is not None:
            events.append(PartEnd(block.key))
        elif block.kind != "text":
            self._whole(block, events)

    def _whole(self, block: _Block, events: list[Event]) -> None:
        """Blocks that come in one piece, or that say something only when they are whole."""
        if block.json:
            block.raw["input"] = as_object("".join(block.json))
        part = decode_content([block.raw], None)[0][0]
        if isinstance(part, Reasoning):
            state, part.state = part.state, None
            key = self._key()
            events += [PartStart(key, part), PartEnd(key, state=state)]
        else:
            key = self._key()
            events += [PartStart(key, part), PartEnd(key)]

    def _message_delta(self, event: _Event, events: list[Event]) -> None:
        if isinstance(event.usage, dict):
            self._told |= {name: value for name, value in event.usage.items() if value is not None}
            found = buckets(self._told)
            if found:
                events.append(UsageTold(found))
        delta = event.delta
        if delta is not None and delta.stop_reason is not None:
            self._stop = decode_stop(delta.stop_reason, delta.stop_sequence, delta.stop_details)

    def _message_stop(self, events: list[Event]) -> None:
        self.finished = True
        stop = normal_stop(self._stop, called=self._called)
        self._flush(events, truncated=stop.cut)
        tier = self._told.get("service_tier")
        events.append(MessageEnd(stop, _TIERS.get(tier) if isinstance(tier, str) else None))

    def _flush(self, events: list[Event], *, truncated: bool = False) -> None:
        if self._ending is not None:
            events.append(PartEnd(self._ending, truncated=truncated))
            self._ending = None

    def _key(self) -> int:
        self._keys += 1
        return self._keys - 1
