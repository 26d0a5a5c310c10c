"""Canonical events as a chat's chunks.

    stream := role-chunk (content | refusal | reasoning | call | annotations)* finish [usage] "[DONE]"

- Each chunk has the same id, time and model. The first has the role, no other one has.
- A call's first chunk has its index, id, type and name; those that follow have index and arguments alone. Indices count
  calls, from 0. A call that ended without any arguments gets `{}`, unless the model was cut off in it.
- There is one finish. `usage` follows it in a chunk without choices, and every other chunk has `usage: null`, if the
  client asked for usage; else there is none.
- A failure is a chunk with `error` alone; nothing follows it.
- Tools of the provider's own are not shown.
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
from oneapi.dialects.openai_chat.annotations import encode_annotation
from oneapi.dialects.openai_chat.reasoning import detail
from oneapi.dialects.openai_chat.stops import encode_stop
from oneapi.dialects.openai_chat.usage_encoder import encode_usage
from oneapi.dialects.openai_errors import error_object
from oneapi.dialects.usage import Usage

_encode = msgspec.json.encode


class ChatEncoder:
    """Encodes one stream."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._wants_usage = answering.asked.include_usage
        head = {
            "id": answering.id("chatcmpl-"),
            "object": "chat.completion.chunk",
            "created": answering.created,
            "model": answering.model,
        }
        self._head = b"data: " + _encode(head)[:-1] + b","
        self._before = self._head + b'"choices":[{"index":0,"delta":'
        nothing = b',"usage":null' if self._wants_usage else b""
        self._after = b',"logprobs":null,"finish_reason":null}]' + nothing + b"}\n\n"
        self._nothing = nothing
        self._open = False
        self._part: Part | None = None
        self._prefix = b""
        self._suffix = b""
        self._calls = 0
        self._length = 0
        self._part_start = 0
        self._streamed = False
        self._thought: list[str] = []
        self._details = 0
        self._usage: Usage | None = None

    def write(self, events: list[Event]) -> bytes:
        """See `StreamEncoder`."""
        out = bytearray()
        for event in events:
            if type(event) is PartDelta:
                out += self._delta(event)
            elif isinstance(event, PartStart):
                out += self._role() + self._start(event.part)
            elif isinstance(event, PartEnd):
                out += self._end(event)
            elif isinstance(event, MessageStart):
                out += self._role()
                self._usage = event.usage
            elif isinstance(event, PartCitation):
                out += self._cite(event)
            elif isinstance(event, UsageTold):
                self._usage = event.usage
            elif isinstance(event, MessageEnd):
                out += self._role() + self._finish(event)
        return bytes(out)

    def fail(self, error: GatewayError, request_id: str) -> bytes:
        """See `StreamEncoder`."""
        del request_id
        return b"data: " + _encode({"error": error_object(error)}) + b"\n\n"

    def _role(self) -> bytes:
        if self._open:
            return b""
        self._open = True
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def _chunk(self, delta: dict[str, Any]) -> bytes:
        return self._before + _encode(delta) + self._after

    def _start(self, part: Part) -> bytes:
        self._part, self._streamed = part, False
        self._suffix = b"}"
        if isinstance(part, Text):
            self._prefix, self._part_start = b'{"content":', self._length
        elif isinstance(part, Refusal):
            self._prefix = b'{"refusal":'
        elif isinstance(part, Reasoning):
            self._prefix, self._thought = b'{"reasoning_content":', []
        elif isinstance(part, ToolCall):
            return self._start_call(part)
        elif isinstance(part, Opaque) and part.needed:
            self._answering.losses.add("server_tool_history", part.kind)
        return b""

    def _start_call(self, part: ToolCall) -> bytes:
        index, self._calls = self._calls, self._calls + 1
        kind, field = ("custom", "input") if part.custom else ("function", "arguments")
        self._prefix = f'{{"tool_calls":[{{"index":{index},"{kind}":{{"{field}":'.encode()
        self._suffix = b"}}]}"
        call_id = part.id or self._answering.part_id("call_")
        call = {"index": index, "id": call_id, "type": kind, kind: {"name": part.name, field: ""}}
        return self._chunk({"tool_calls": [call]})

    def _delta(self, event: PartDelta) -> bytes:
        if not event.text or isinstance(self._part, Opaque):
            return b""
        self._streamed = True
        text = event.text
        if isinstance(self._part, Text):
            self._length += len(text)
        elif isinstance(self._part, Reasoning):
            self._thought.append(text)
        after = self._after
        if event.logprobs:
            logprobs = _encode({"content": event.logprobs, "refusal": None})
            after = b',"logprobs":' + logprobs + b',"finish_reason":null}]' + self._nothing + b"}\n\n"
        return self._before + self._prefix + _encode(text) + self._suffix + after

    def _end(self, event: PartEnd) -> bytes:
        part, self._part = self._part, None
        if isinstance(part, ToolCall) and not (self._streamed or event.truncated or part.custom):
            return self._before + self._prefix + b'"{}"' + self._suffix + self._after
        if isinstance(part, Reasoning):
            found = detail("".join(self._thought), event.state, self._details, self._answering.seal)
            if found is not None:
                self._details += 1
                return self._chunk({"reasoning_details": [found]})
        return b""

    def _cite(self, event: PartCitation) -> bytes:
        found = encode_annotation(event.citation, self._part_start, self._length - self._part_start)
        if found is None:
            self._answering.losses.add("annotations")
            return b""
        return self._chunk({"annotations": [found]})

    def _finish(self, event: MessageEnd) -> bytes:
        out = b""
        if event.stop.explanation:
            out = self._chunk({"refusal": event.stop.explanation})
        reason = _encode(encode_stop(event.stop))
        tier = b',"service_tier":' + _encode(event.service_tier) if event.service_tier else b""
        out += self._before + b'{},"logprobs":null,"finish_reason":' + reason + b"}]" + tier + self._nothing + b"}\n\n"
        if self._wants_usage:
            out += self._head + b'"choices":[],"usage":' + _encode(encode_usage(self._usage or {})) + b"}\n\n"
        return out + b"data: [DONE]\n\n"
