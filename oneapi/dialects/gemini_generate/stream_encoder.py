"""Canonical events as a stream of answers.

    stream := answer* last
    last   := an answer with finishReason, usage, and what was cited

- Every event is one line of data without a name, and holds the parts that are new. There is no end of its own.
- A call is one part, whole: its arguments wait until it ends.
- Thoughts are told to those who asked for them. A signature stands on the part behind its thought, and on an empty text
  where no other part follows.
- A failure is an event with `error` alone; nothing follows it.
"""

from typing import Any

import msgspec

from oneapi.dialects.canonical.context import Answering
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
from oneapi.dialects.canonical.parts import Opaque, Part, Reasoning, Refusal, Text, ToolCall
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.gemini_generate.answer import call_value, shows_thoughts
from oneapi.dialects.gemini_generate.errors import error_body
from oneapi.dialects.gemini_generate.grounding import Grounding
from oneapi.dialects.gemini_generate.logprobs import encode_logprobs
from oneapi.dialects.gemini_generate.signatures import write_signature
from oneapi.dialects.gemini_generate.stops import encode_stop
from oneapi.dialects.gemini_generate.usage_encoder import encode_usage
from oneapi.dialects.usage import Usage

_encode = msgspec.json.encode
_BEFORE = b'data: {"candidates":[{"content":{"parts":['


class GeminiEncoder:
    """Encodes one stream."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._shows_thoughts = shows_thoughts(answering)
        head = _encode({"modelVersion": answering.model, "responseId": answering.id("")})[1:]
        self._after = b'],"role":"model"},"index":0}],' + head + b"\n\n"
        self._head = head
        self._part: Part | None = None
        self._pieces: list[str] = []
        self._signature = ""
        self._grounding = Grounding()
        self._usage: Usage | None = None

    def write(self, events: list[Event]) -> bytes:
        """See `StreamEncoder`."""
        out = bytearray()
        for event in events:
            if type(event) is PartDelta:
                out += self._delta(event)
            elif isinstance(event, PartStart):
                self._start(event.part)
            elif isinstance(event, PartEnd):
                out += self._end(event)
            elif isinstance(event, MessageStart | UsageTold):
                self._usage = event.usage
            elif isinstance(event, PartCitation):
                if not self._grounding.cite(event.citation, "".join(self._pieces)):
                    self._answering.losses.add("annotations")
            elif isinstance(event, MessageEnd):
                out += self._finish(event)
        return bytes(out)

    def fail(self, error: GatewayError, request_id: str) -> bytes:
        """See `StreamEncoder`."""
        return b"data: " + error_body(error, request_id) + b"\n\n"

    def _start(self, part: Part) -> None:
        self._part, self._pieces = part, []
        if isinstance(part, Opaque):
            if part.search is not None:
                self._grounding.searched(part.search)
            elif part.needed:
                self._answering.losses.add("server_tool_history", part.kind)

    def _delta(self, event: PartDelta) -> bytes:
        text = event.text
        if not text or isinstance(self._part, Opaque):
            return b""
        if isinstance(self._part, Reasoning):
            if not self._shows_thoughts:
                return b""
            return self._flush() + self._event({"text": text, "thought": True})
        self._pieces.append(text)
        if isinstance(self._part, ToolCall):
            return b""
        if event.logprobs:
            return self._event(self._signed({"text": text}), logprobs=event.logprobs)
        if self._signature:
            return self._event(self._signed({"text": text}))
        return _BEFORE + b'{"text":' + _encode(text) + b"}" + self._after

    def _end(self, event: PartEnd) -> bytes:
        part, self._part = self._part, None
        pieces, self._pieces = self._pieces, []
        if isinstance(part, Text | Refusal):
            self._grounding.said("".join(pieces))
        elif isinstance(part, Reasoning):
            token = write_signature(event.state, self._answering.seal)
            out = self._flush() if token else b""
            self._signature = token or self._signature
            return out
        elif isinstance(part, ToolCall):
            call = ToolCall(id=part.id, name=part.name, arguments="".join(pieces), truncated=event.truncated)
            return self._event(self._signed({"functionCall": call_value(call, self._answering)}))
        return b""

    def _flush(self) -> bytes:
        """A signature that another one follows."""
        return self._event(self._signed({"text": ""})) if self._signature else b""

    def _signed(self, part: dict[str, Any]) -> dict[str, Any]:
        if self._signature:
            part["thoughtSignature"], self._signature = self._signature, ""
        return part

    def _event(self, part: dict[str, Any], *, logprobs: list[Any] | None = None) -> bytes:
        if not logprobs:
            return _BEFORE + _encode(part) + self._after
        candidate = {"content": {"parts": [part], "role": "model"}, "index": 0}
        value = _encode([{**candidate, "logprobsResult": encode_logprobs(logprobs)}])
        return b'data: {"candidates":' + value + b"," + self._head + b"\n\n"

    def _finish(self, event: MessageEnd) -> bytes:
        content = {"parts": [self._signed({"text": ""})], "role": "model"}
        candidate = {"content": content, **encode_stop(event.stop), "index": 0, **self._grounding.metadata()}
        value: dict[str, Any] = {"candidates": [candidate]}
        if self._usage:
            value["usageMetadata"] = encode_usage(self._usage)
        return b"data: " + _encode(value)[:-1] + b"," + self._head + b"\n\n"
