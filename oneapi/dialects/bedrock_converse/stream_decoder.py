"""A stream's events as canonical events.

    stream := messageStart (contentBlockStart? contentBlockDelta* contentBlockStop)* messageStop metadata

| event | canonical |
|---|---|
| `messageStart` | `MessageStart` |
| `contentBlockStart` | a call starts, and what the provider runs; texts and thoughts have none |
| `contentBlockDelta` | more of a block; a text or a thought starts with the first of it that says something |
| `contentBlockStop` | the part ends; a call ends only with what follows, as until then it may have been cut off |
| `messageStop` | kept |
| `metadata` | `UsageTold`, and behind `messageStop` the end |
| an exception | `error` |

A stream that closes behind `messageStop` is whole without `metadata`. Other events say nothing.
"""

import base64
import binascii
from typing import Any

import msgspec

from oneapi.dialects.bedrock_converse.answer import AT_PROVIDER, TIERS, decode_citation, opaque
from oneapi.dialects.bedrock_converse.errors import EXCEPTION, exception
from oneapi.dialects.bedrock_converse.reasoning import state
from oneapi.dialects.bedrock_converse.stops import FAILED, decode_stop, failure
from oneapi.dialects.bedrock_converse.usage import usage_of
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
from oneapi.dialects.canonical.parts import Part, Reasoning, Text, ToolCall
from oneapi.dialects.canonical.reading import member, string
from oneapi.dialects.canonical.responses import Stop, normal_stop
from oneapi.dialects.usage import Usage

ERROR = "error"


class _Delta(msgspec.Struct, gc=False):
    text: Any = None
    toolUse: Any = None  # noqa: N815
    reasoningContent: Any = None  # noqa: N815
    citation: Any = None
    image: Any = None


class _BlockDelta(msgspec.Struct, gc=False):
    contentBlockIndex: Any = None  # noqa: N815
    delta: _Delta | None = None


class _Event(msgspec.Struct, gc=False):
    contentBlockDelta: _BlockDelta | None = None  # noqa: N815
    contentBlockStart: Any = None  # noqa: N815
    contentBlockStop: Any = None  # noqa: N815
    messageStart: Any = None  # noqa: N815
    messageStop: Any = None  # noqa: N815
    metadata: Any = None


_decoder = msgspec.json.Decoder(_Event)
_exceptions = msgspec.json.Decoder(dict[str, Any])


class _Block:
    """A block that is open. Its key is given when its part starts."""

    __slots__ = ("key", "kind", "redacted", "signature", "words")

    def __init__(self) -> None:
        self.key: int | None = None
        self.kind: type[Part] | None = None
        self.words: list[str] = []
        self.signature = ""
        self.redacted: list[str] = []


class ConverseDecoder:
    """Decodes one stream."""

    def __init__(self) -> None:
        self.error: tuple[str, str] | None = None
        self.finished = False
        self.input_told: Usage = {}
        self._keys = 0
        self._blocks: dict[Any, _Block] = {}
        self._ending: int | None = None
        self._called = False
        self._stop: Stop | None = None
        self._told = False
        self._tier: str | None = None

    @property
    def whole(self) -> bool:
        """See `StreamDecoder`."""
        return self._stop is not None

    def read(self, data: bytes) -> list[Event]:
        """See `StreamDecoder`."""
        event = _decoder.decode(data)
        events: list[Event] = []
        if event.contentBlockDelta is not None:
            if event.contentBlockDelta.delta is not None:
                self._delta(
                    self._block(event.contentBlockDelta.contentBlockIndex), event.contentBlockDelta.delta, events
                )
        elif event.contentBlockStart is not None:
            self._start(event.contentBlockStart, events)
        elif event.contentBlockStop is not None:
            self._close(member(event.contentBlockStop, "contentBlockIndex"), events)
        elif event.messageStart is not None:
            events.append(MessageStart("", ""))
        elif event.messageStop is not None:
            self._message_stop(event.messageStop)
        elif event.metadata is not None:
            self._metadata(event.metadata, events)
        else:
            self._exception(data)
        if self._stop is not None and self._told and not self.finished:
            self._finish(self._stop, events)
        return events

    def end(self) -> list[Event]:
        """See `StreamDecoder`: behind `messageStop` everything is whole but usage."""
        events: list[Event] = []
        if self._stop is not None:
            self._finish(self._stop, events)
        return events

    def _exception(self, data: bytes) -> None:
        for name, payload in _exceptions.decode(data).items():
            if name == ERROR or name.endswith(EXCEPTION):
                self.error = exception(name, payload)

    def _block(self, index: Any) -> _Block:
        return self._blocks.setdefault(index if type(index) is int else None, _Block())

    def _start(self, raw: Any, events: list[Event]) -> None:
        start = member(raw, "start")
        used = member(start, "toolUse")
        if used is None and not isinstance(member(start, "toolResult") or member(start, "image"), dict):
            return
        self._flush(events)
        index = member(raw, "contentBlockIndex")
        self._close(index, events)
        block = self._block(index)
        if string(member(used, "name")) and member(used, "type") != AT_PROVIDER:
            self._called = True
            call = ToolCall(id=string(member(used, "toolUseId")), name=string(member(used, "name")))
            self._open(block, call, events)
        else:
            self._open(block, opaque(start), events)

    def _delta(self, block: _Block, delta: _Delta, events: list[Event]) -> None:
        if delta.text is not None:
            if delta.text and type(delta.text) is str and block.kind in (None, Text):
                self._say(block, Text, delta.text, events)
        elif delta.toolUse is not None:
            arguments = string(member(delta.toolUse, "input"))
            if arguments and block.kind is ToolCall and block.key is not None:
                events.append(PartDelta(block.key, arguments))
        elif delta.reasoningContent is not None:
            if block.kind in (None, Reasoning):
                self._think(block, delta.reasoningContent, events)
        elif isinstance(delta.citation, dict):
            if block.kind is Text and block.key is not None:
                events.append(PartCitation(block.key, decode_citation(delta.citation)))
        elif isinstance(delta.image, dict) and block.kind is None:
            self._open(block, opaque({"image": delta.image}), events)

    def _think(self, block: _Block, raw: Any, events: list[Event]) -> None:
        text, signature, redacted = (string(member(raw, name)) for name in ("text", "signature", "redactedContent"))
        if not text and not signature and not redacted:
            return
        if block.kind is None:
            self._open(block, Reasoning(), events)
        block.signature += signature
        if redacted:
            block.redacted.append(redacted)
        if text:
            block.words.append(text)
            self._say(block, Reasoning, text, events)

    def _say(self, block: _Block, kind: type[Text] | type[Reasoning], text: str, events: list[Event]) -> None:
        if block.kind is None:
            self._open(block, kind(), events)
        if block.key is not None:
            events.append(PartDelta(block.key, text))

    def _open(self, block: _Block, part: Part, events: list[Event]) -> None:
        self._flush(events)
        self._keys += 1
        block.key, block.kind = self._keys, type(part)
        events.append(PartStart(self._keys, part))

    def _close(self, index: Any, events: list[Event]) -> None:
        block = self._blocks.pop(index if type(index) is int else None, None)
        if block is None or block.key is None:
            return
        if block.kind is ToolCall:
            self._ending = block.key
        elif block.kind is Reasoning:
            found = state("".join(block.words), block.signature, _joined(block.redacted))
            events.append(PartEnd(block.key, state=found))
        else:
            events.append(PartEnd(block.key))

    def _flush(self, events: list[Event], *, truncated: bool = False) -> None:
        if self._ending is not None:
            events.append(PartEnd(self._ending, truncated=truncated))
            self._ending = None

    def _message_stop(self, raw: Any) -> None:
        reason = string(member(raw, "stopReason"))
        if reason in FAILED:
            self.error = failure(reason)
        self._stop = decode_stop(reason, member(raw, "additionalModelResponseFields"))

    def _metadata(self, raw: Any, events: list[Event]) -> None:
        self._told = True
        self._tier = TIERS.get(string(member(member(raw, "serviceTier"), "type")))
        found = usage_of(member(raw, "usage"))
        if found:
            events.append(UsageTold(found))

    def _finish(self, stop: Stop, events: list[Event]) -> None:
        self.finished = True
        stop = normal_stop(stop, called=self._called)
        self._flush(events, truncated=stop.cut)
        for index in list(self._blocks):
            self._close(index, events)
            self._flush(events, truncated=stop.cut)
        events.append(MessageEnd(stop, self._tier))


def _joined(pieces: list[str]) -> str:
    """Bytes that came in several pieces, each of them in base64."""
    if len(pieces) < 2:
        return "".join(pieces)
    try:
        return base64.b64encode(b"".join(base64.b64decode(piece) for piece in pieces)).decode()
    except (binascii.Error, ValueError):
        return pieces[0]
