"""Canonical events as a response's events.

    stream := created in_progress item* (completed | incomplete)
    item   := output_item.added body output_item.done

| part | item, and its body |
|---|---|
| text, refusal | one `message` for all neighbours; each part: content_part.added, deltas, done, content_part.done |
| reasoning | `reasoning`; summary_part.added, deltas, done, summary_part.done; without text no body |
| tool call | `function_call` or `custom_tool_call`; deltas, done |
| search at the provider | `web_search_call`; in_progress, searching, completed |

- Every event has its name in an `event:` line, its type, and a sequence number that counts from 0. Items count from 0;
  an item's id is the same in all of its events, and the terminal event repeats the items as they were done.
- A message closes with the first part that isn't one of its own; until then more text belongs to it. What the model was
  cut off in is `incomplete`.
- A failure is the event `error`, in the published shape and in OpenAI's own, then `response.failed` with the items that
  were done. Nothing follows.
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
from oneapi.dialects.openai_errors import error_object
from oneapi.dialects.openai_responses import output_items
from oneapi.dialects.openai_responses.response_object import begun, ended
from oneapi.dialects.openai_responses.stream import failed_code
from oneapi.dialects.usage import BYTES_PER_TOKEN, Usage

_encode = msgspec.json.encode


class ResponsesEncoder:
    """Encodes one stream."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._response = begun(answering)
        # Written here, as a converter is made while the answer is waited for; empty once it was sent.
        self._begun = _encode(self._response)
        self._number = 0
        self._output: list[dict[str, Any]] = []
        self._usage: Usage | None = None
        self._characters = 0
        self._part: Part | None = None
        self._said: list[str] = []
        self._annotations: list[dict[str, Any]] = []
        self._logprobs: list[Any] = []
        self._item_id = ""
        self._message: list[dict[str, Any]] | None = None
        self._before = b""

    def write(self, events: list[Event]) -> bytes:
        """See `StreamEncoder`."""
        out = bytearray()
        for event in events:
            if type(event) is PartDelta:
                out += self._delta(event)
            elif isinstance(event, PartStart):
                out += self._begin() + self._start(event.part)
            elif isinstance(event, PartEnd):
                out += self._end(event)
            elif isinstance(event, MessageStart):
                out += self._begin()
                self._usage = event.usage
            elif isinstance(event, UsageTold):
                self._usage = event.usage
            elif isinstance(event, PartCitation):
                out += self._cite(event)
            elif isinstance(event, MessageEnd):
                out += self._begin() + self._finish(event)
        return bytes(out)

    def fail(self, error: GatewayError, request_id: str) -> bytes:
        """See `StreamEncoder`."""
        del request_id
        told = error_object(error)
        out = self._event("error", **{**told, "type": "error"}, error=told)
        failed = {"code": failed_code(error.code), "message": error.message}
        response = {**self._response, "status": "failed", "error": failed, "output": self._output}
        return out + self._event("response.failed", response=response)

    def _event(self, kind: str, **fields: Any) -> bytes:
        number, self._number = self._number, self._number + 1
        body = {"type": kind, **fields, "sequence_number": number}
        return f"event: {kind}\ndata: ".encode() + _encode(body) + b"\n\n"

    def _in_item(self, kind: str, **fields: Any) -> bytes:
        return self._event(kind, item_id=self._item_id, output_index=len(self._output), **fields)

    def _begin(self) -> bytes:
        if not self._begun:
            return b""
        events = self._shown("response.created") + self._shown("response.in_progress")
        # It has the request's tools and instructions in it, and streams may be long.
        self._begun = b""
        return events

    def _shown(self, kind: str) -> bytes:
        number, self._number = self._number, self._number + 1
        head = b'event: %b\ndata: {"type":"%b","response":' % (kind.encode(), kind.encode())
        return head + self._begun + b',"sequence_number":%d}\n\n' % number

    def _add(self, item: dict[str, Any]) -> bytes:
        return self._event("response.output_item.added", output_index=len(self._output), item=item)

    def _done(self, item: dict[str, Any]) -> bytes:
        out = self._event("response.output_item.done", output_index=len(self._output), item=item)
        self._output.append(item)
        return out

    def _start(self, part: Part) -> bytes:
        self._part = part
        self._said, self._annotations, self._logprobs = [], [], []
        if isinstance(part, Text | Refusal):
            return self._start_text(part)
        out = self._close_message("completed")
        if isinstance(part, Reasoning):
            self._item_id = self._answering.part_id("rs_")
            self._before = b""
        elif isinstance(part, ToolCall):
            out += self._start_call(part)
        elif isinstance(part, Opaque) and part.search is not None:
            out += self._search(part.search)
        return out

    def _start_text(self, part: Text | Refusal) -> bytes:
        out = b""
        if self._message is None:
            self._message = []
            self._item_id = self._answering.part_id("msg_")
            out = self._add(output_items.message(self._item_id, [], "in_progress"))
        place = len(self._message)
        empty = output_items.refusal("") if isinstance(part, Refusal) else output_items.text("", [], [])
        kind = "response.refusal.delta" if isinstance(part, Refusal) else "response.output_text.delta"
        self._prepare_deltas(kind, content_index=place)
        return out + self._in_item("response.content_part.added", content_index=place, part=empty)

    def _start_call(self, part: ToolCall) -> bytes:
        self._item_id = self._answering.part_id("ctc_" if part.custom else "fc_")
        part = msgspec.structs.replace(part, id=output_items.call_id(part, self._answering))
        self._part = part
        kind = "custom_tool_call_input" if part.custom else "function_call_arguments"
        self._prepare_deltas(f"response.{kind}.delta")
        return self._add(output_items.call(self._item_id, part, "", "in_progress"))

    def _search(self, query: str) -> bytes:
        self._item_id = self._answering.part_id("ws_")
        out = self._add(output_items.web_search(self._item_id, query, "in_progress"))
        for step in ("in_progress", "searching", "completed"):
            out += self._in_item(f"response.web_search_call.{step}")
        return out + self._done(output_items.web_search(self._item_id, query, "completed"))

    def _prepare_deltas(self, kind: str, **places: int) -> None:
        """All of a delta's event but its text and number, which are the same for the whole part."""
        head = {"type": kind, "item_id": self._item_id, "output_index": len(self._output), **places}
        self._before = f"event: {kind}\ndata: ".encode() + _encode(head)[:-1] + b',"delta":'

    def _delta(self, event: PartDelta) -> bytes:
        text, part = event.text, self._part
        if not text or part is None or isinstance(part, Opaque):
            return b""
        self._said.append(text)
        self._characters += len(text)
        out = b""
        if isinstance(part, Reasoning) and not self._before:
            out = self._start_summary()
        logprobs = b""
        if isinstance(part, Text):
            logprobs = b',"logprobs":[]'
            if event.logprobs:
                self._logprobs += event.logprobs
                logprobs = b',"logprobs":' + _encode(event.logprobs)
        number, self._number = self._number, self._number + 1
        return out + self._before + _encode(text) + logprobs + b',"sequence_number":%d}\n\n' % number

    def _start_summary(self) -> bytes:
        out = self._add(output_items.reasoning(self._item_id, [], None, self._answering))
        empty = {"type": "summary_text", "text": ""}
        out += self._in_item("response.reasoning_summary_part.added", summary_index=0, part=empty)
        self._prepare_deltas("response.reasoning_summary_text.delta", summary_index=0)
        return out

    def _cite(self, event: PartCitation) -> bytes:
        found = output_items.annotation(event.citation, sum(map(len, self._said)))
        if found is None or self._message is None:
            self._answering.losses.add("annotations")
            return b""
        self._annotations.append(found)
        return self._in_item(
            "response.output_text.annotation.added",
            content_index=len(self._message),
            annotation_index=len(self._annotations) - 1,
            annotation=found,
        )

    def _end(self, event: PartEnd) -> bytes:
        part, self._part = self._part, None
        said = "".join(self._said)
        if isinstance(part, Text) and self._message is not None:
            place = len(self._message)
            content = output_items.text(said, self._annotations, self._logprobs)
            self._message.append(content)
            out = self._in_item("response.output_text.done", content_index=place, text=said, logprobs=self._logprobs)
            return out + self._in_item("response.content_part.done", content_index=place, part=content)
        if isinstance(part, Refusal) and self._message is not None:
            place = len(self._message)
            self._message.append(output_items.refusal(said))
            out = self._in_item("response.refusal.done", content_index=place, refusal=said)
            return out + self._in_item(
                "response.content_part.done", content_index=place, part=output_items.refusal(said)
            )
        if isinstance(part, Reasoning):
            return self._end_reasoning(event, said)
        if isinstance(part, ToolCall):
            return self._end_call(part, event, said)
        return b""

    def _end_reasoning(self, event: PartEnd, said: str) -> bytes:
        out = b""
        if said:
            out = self._in_item("response.reasoning_summary_text.done", summary_index=0, text=said)
            whole = {"type": "summary_text", "text": said}
            out += self._in_item("response.reasoning_summary_part.done", summary_index=0, part=whole)
        elif event.state is None or not event.state.value:
            return b""
        else:
            out = self._add(output_items.reasoning(self._item_id, [], None, self._answering))
        texts = [said] if said else []
        return out + self._done(output_items.reasoning(self._item_id, texts, event.state, self._answering))

    def _end_call(self, part: ToolCall, event: PartEnd, said: str) -> bytes:
        out = b""
        if not said and not part.custom and not event.truncated:
            said = "{}"
            out = self._in_item("response.function_call_arguments.delta", delta=said)
        if part.custom:
            out += self._in_item("response.custom_tool_call_input.done", input=said)
        else:
            out += self._in_item("response.function_call_arguments.done", name=part.name, arguments=said)
        status = "incomplete" if event.truncated else "completed"
        return out + self._done(output_items.call(self._item_id, part, said, status))

    def _close_message(self, status: str) -> bytes:
        if self._message is None:
            return b""
        content, self._message = self._message, None
        return self._done(output_items.message(self._item_id, content, status))

    def _finish(self, event: MessageEnd) -> bytes:
        out = self._close_message("incomplete" if event.stop.cut else "completed")
        usage = self._usage
        if usage is None or not usage.keys() & {"output", "reasoning"}:
            output = -(-self._characters // BYTES_PER_TOKEN)
            usage = {**(usage or {"input": self._answering.input_tokens}), "output": output}
        response = ended(self._response, self._answering, event.stop, self._output, usage, event.service_tier)
        return out + self._event(f"response.{response['status']}", response=response)
