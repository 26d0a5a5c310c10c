"""A response's events as canonical events.

Items are known by their `output_index`, since some upstreams change an item's id on the way.

| event | canonical |
|---|---|
| `response.created` | `MessageStart` |
| `output_item.added` | reasoning and calls start |
| `output_text.delta`, `refusal.delta` | a part of text starts with its first delta |
| `reasoning_summary_text.delta`, `reasoning_text.delta` | more reasoning; passages are parted by a blank line |
| `function_call_arguments.delta`, `custom_tool_call_input.delta` | more of the call |
| `output_text.annotation.added` | `PartCitation` |
| `content_part.done` | that part ends |
| `output_item.done` | what of the item wasn't streamed comes now, and the item's parts end |
| `response.completed`, `response.incomplete` | items that never came, `UsageTold`, `MessageEnd`, `finished` |
| `error`, `response.failed` | `error` |

Items of tools that ran at the provider come when they are done, whole. Every other event says nothing.
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
from oneapi.dialects.canonical.parts import Opaque, Reasoning, Refusal, State, Text, ToolCall
from oneapi.dialects.canonical.reading import member, objects, string
from oneapi.dialects.canonical.responses import normal_stop
from oneapi.dialects.openai_responses.answer import decode_stop
from oneapi.dialects.openai_responses.conversation_items import decode_item
from oneapi.dialects.openai_responses.parts import decode_citation
from oneapi.dialects.openai_responses.stream import NOTHING, TERMINAL, code_and_message
from oneapi.dialects.openai_responses.usage import read_usage
from oneapi.dialects.usage import Usage

_TEXT = "response.output_text.delta"
_REFUSAL = "response.refusal.delta"
_REASONING = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})
_ARGUMENTS = frozenset({"response.function_call_arguments.delta", "response.custom_tool_call_input.delta"})
_CALLS = frozenset({"function_call", "custom_tool_call"})


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    output_index: Any = None
    content_index: Any = None
    summary_index: Any = None
    item_id: Any = None
    delta: Any = None
    logprobs: Any = None
    part: Any = None
    annotation: Any = None
    response: msgspec.Raw = NOTHING
    item: msgspec.Raw = NOTHING
    error: Any = None
    code: Any = None
    message: Any = None


_decoder = msgspec.json.Decoder(_Event)
_object_decoder = msgspec.json.Decoder(dict[str, Any])


class _Item:
    """An item that is open: the keys of its parts, and how much of each was told."""

    __slots__ = ("keys", "kind", "section", "told")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.keys: dict[int, int] = {}
        self.told: set[int] = set()
        self.section: Any = None


class ResponsesDecoder:
    """Decodes one stream."""

    def __init__(self) -> None:
        self.error: tuple[str, str] | None = None
        self.finished = False
        self.input_told: Usage = {}
        self._started = False
        self._called = False
        self._keys = 0
        self._items: dict[Any, _Item] = {}
        self._done: set[Any] = set()

    @property
    def whole(self) -> bool:
        """See `StreamDecoder`: it has an end of its own."""
        return self.finished

    def read(self, data: bytes) -> list[Event]:
        """See `StreamDecoder`."""
        if data[:6] == b"[DONE]":
            return []
        event = _decoder.decode(data)
        kind = event.type
        events: list[Event] = []
        if kind == _TEXT:
            self._say(event, Text, events)
        elif kind in _ARGUMENTS:
            self._argue(event, events)
        elif kind in _REASONING:
            self._think(event, events)
        elif kind == _REFUSAL:
            self._say(event, Refusal, events)
        elif kind == "response.output_item.added":
            self._added(event, events)
        elif kind == "response.output_item.done":
            self._item_done(self._place(event), _object(event.item), events)
        elif kind == "response.content_part.done":
            self._part_done(event, events)
        elif kind == "response.output_text.annotation.added":
            self._cite(event, events)
        elif kind == "response.created":
            self._start(_object(event.response), events)
        elif kind in TERMINAL:
            self._terminal(event, events)
        elif kind in {"error", "response.failed"} or (not kind and event.error):
            usage = read_usage(event.response)
            if usage:
                events.append(UsageTold(usage))
            self.error = code_and_message(event.error, event.response, event.code, event.message)
        return events

    def end(self) -> list[Event]:
        """See `StreamDecoder`: without a terminal event nothing is whole."""
        return []

    def _start(self, response: dict[str, Any], events: list[Event]) -> None:
        if not self._started:
            self._started = True
            events.append(MessageStart(string(response.get("id")), string(response.get("model"))))

    @staticmethod
    def _place(event: _Event) -> Any:
        return event.output_index if isinstance(event.output_index, int) else string(event.item_id)

    def _item(self, place: Any, kind: str) -> _Item:
        item = self._items.get(place)
        if item is None:
            item = self._items[place] = _Item(kind)
        return item

    def _added(self, event: _Event, events: list[Event]) -> None:
        raw = _object(event.item)
        place, kind = self._place(event), string(raw.get("type"))
        if place in self._items:
            self._close(self._items.pop(place), events)
        item = self._item(place, kind)
        if kind in _CALLS and string(raw.get("name")):
            self._start_call(item, raw, events)
        elif kind == "reasoning":
            self._open(item, 0, Reasoning(), events)

    def _start_call(self, item: _Item, raw: dict[str, Any], events: list[Event]) -> None:
        self._called = True
        call = ToolCall(
            id=string(raw.get("call_id")),
            name=string(raw.get("name")),
            custom=item.kind == "custom_tool_call",
            namespace=string(raw.get("namespace")),
        )
        self._open(item, 0, call, events)

    def _open(self, item: _Item, place: int, part: Any, events: list[Event]) -> int:
        key = item.keys[place] = self._keys
        self._keys += 1
        events.append(PartStart(key, part))
        return key

    def _say(self, event: _Event, kind: type[Text] | type[Refusal], events: list[Event]) -> None:
        text = event.delta
        if not text or type(text) is not str:
            return
        item = self._item(self._place(event), "message")
        place = event.content_index if isinstance(event.content_index, int) else 0
        key = item.keys.get(place)
        if key is None:
            key = self._open(item, place, kind(), events)
        item.told.add(place)
        logprobs = event.logprobs
        events.append(PartDelta(key, text, logprobs if logprobs and isinstance(logprobs, list) else None))

    def _argue(self, event: _Event, events: list[Event]) -> None:
        item = self._items.get(self._place(event))
        if item is not None and 0 in item.keys and event.delta and isinstance(event.delta, str):
            item.told.add(0)
            events.append(PartDelta(item.keys[0], event.delta))

    def _think(self, event: _Event, events: list[Event]) -> None:
        if not event.delta or not isinstance(event.delta, str):
            return
        item = self._item(self._place(event), "reasoning")
        key = item.keys.get(0)
        if key is None:
            key = self._open(item, 0, Reasoning(), events)
        section = (event.summary_index, event.content_index)
        apart = "\n\n" if item.told and section != item.section else ""
        item.section = section
        item.told.add(0)
        events.append(PartDelta(key, apart + event.delta))

    def _cite(self, event: _Event, events: list[Event]) -> None:
        item = self._items.get(self._place(event))
        place = event.content_index if isinstance(event.content_index, int) else 0
        if item is not None and place in item.keys and isinstance(event.annotation, dict):
            events.append(PartCitation(item.keys[place], decode_citation(event.annotation)))

    def _part_done(self, event: _Event, events: list[Event]) -> None:
        item = self._items.get(self._place(event))
        place = event.content_index if isinstance(event.content_index, int) else 0
        if item is None or item.kind == "reasoning":
            return
        raw = event.part if isinstance(event.part, dict) else {}
        self._rest_of_part(item, place, raw, events)
        if place in item.keys:
            events.append(PartEnd(item.keys.pop(place)))

    def _rest_of_part(self, item: _Item, place: int, raw: dict[str, Any], events: list[Event]) -> None:
        """A part's text, when no delta told it."""
        refused = raw.get("type") == "refusal"
        text = string(raw.get("refusal" if refused else "text"))
        if text and place not in item.told:
            item.told.add(place)
            key = self._open(item, place, Refusal() if refused else Text(), events)
            events.append(PartDelta(key, text))
            annotations = objects(raw.get("annotations"))
            events += [PartCitation(key, decode_citation(annotation)) for annotation in annotations]

    def _item_done(self, place: Any, raw: dict[str, Any], events: list[Event]) -> None:
        if place in self._done or not raw:
            return
        self._done.add(place)
        kind = string(raw.get("type"))
        item = self._items.pop(place, None) or _Item(kind)
        if kind == "message":
            for part_place, part in enumerate(objects(raw.get("content"))):
                self._rest_of_part(item, part_place, part, events)
            self._close(item, events)
        elif kind == "reasoning":
            self._reasoning_done(item, raw, events)
        elif kind in _CALLS and (item.keys or string(raw.get("name"))):
            if 0 not in item.keys:
                item.kind = kind
                self._start_call(item, raw, events)
            text = string(raw.get("input" if kind == "custom_tool_call" else "arguments"))
            if text and not item.told:
                events.append(PartDelta(item.keys[0], text))
            events.append(PartEnd(item.keys[0], truncated=raw.get("status") == "incomplete"))
        else:
            parts = decode_item(raw, None).parts
            if parts and isinstance(parts[0], Opaque):
                events += [PartStart(self._keys, parts[0]), PartEnd(self._keys)]
                self._keys += 1

    def _reasoning_done(self, item: _Item, raw: dict[str, Any], events: list[Event]) -> None:
        found = decode_item(raw, None).parts[0]
        state: State | None = None
        if 0 not in item.keys:
            self._open(item, 0, Reasoning(), events)
        if isinstance(found, Reasoning):
            state = found.state
            if found.text and not item.told:
                events.append(PartDelta(item.keys[0], found.text))
        events.append(PartEnd(item.keys[0], state=state))

    @staticmethod
    def _close(item: _Item, events: list[Event]) -> None:
        events += [PartEnd(key) for key in item.keys.values()]
        item.keys.clear()

    def _terminal(self, event: _Event, events: list[Event]) -> None:
        response = _object(event.response)
        self._start(response, events)
        for place, raw in enumerate(objects(response.get("output"))):
            self._item_done(place, raw, events)
        for item in self._items.values():
            self._close(item, events)
        usage = read_usage(event.response)
        if usage:
            events.append(UsageTold(usage))
        stop = normal_stop(
            decode_stop({"status": event.type.removeprefix("response."), **response}), called=self._called
        )
        tier = member(response, "service_tier")
        self.finished = True
        events.append(MessageEnd(stop, tier if isinstance(tier, str) else None))


def _object(raw: msgspec.Raw) -> dict[str, Any]:
    """An object that may be missing."""
    return _object_decoder.decode(raw) if bytes(raw) != b"null" else {}
