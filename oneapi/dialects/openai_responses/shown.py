"""What the client is told of a response that the gateway keeps, or that goes on from one.

It decides which fields of a response object are the gateway's own, in a whole answer and in a stream, and that a
stream's end is held until it is known whether the response was kept. It must not know where responses are kept.
"""

from typing import Any

import msgspec

from oneapi.dialects.openai_responses.stream import TERMINAL
from oneapi.dialects.sse import Event, Splitter
from oneapi.dialects.usage import UNREADABLE

_RESPONSE = b'"response"'
_ANY = 1 << 62
"""Who reads the upstream bounds its events; what the client asked and gets repeated may be longer."""


class Shown:
    """One response as its client sees it. `id` is empty where the upstream's own stays."""

    __slots__ = ("_conversation", "_id", "_previous", "_terminal", "response")

    def __init__(self, *, id: str = "", previous: str | None = None, conversation: str | None = None) -> None:  # noqa: A002 - the field's name
        self._id = id
        self._previous = previous
        self._conversation = {"id": conversation} if conversation is not None else None
        self._terminal: dict[str, Any] = {}
        self.response: dict[str, Any] | None = None
        """The whole response, once it has come."""

    def whole(self, body: bytes) -> bool:
        """Takes a whole answer in, which `end` gives again; False for one that can't be read."""
        try:
            value = msgspec.json.decode(body)
        except UNREADABLE:
            return False
        if isinstance(value, dict):
            self.response = self._edited(value)
        return self.response is not None

    def stream(self, data: bytes) -> bytes:
        """Whole events of a stream, as they may go on now."""
        if _RESPONSE not in data:
            return data
        splitter = Splitter(max_line=_ANY, max_event=_ANY)
        held = self._terminal
        # Nothing follows the end, which is held: a `[DONE]` of the upstream's would come before it.
        return b"".join(
            self._event(event) for event in [*splitter.feed(data), *splitter.end()] if self._terminal is held
        )

    def end(self, *, kept: bool) -> bytes:
        """What was held: a whole answer, or the last event of a stream. `kept`: it can be asked for again."""
        if self.response is None:
            return b""
        self.response["store"] = kept
        if not self._terminal:
            return msgspec.json.encode(self.response)
        return _written({**self._terminal, "response": self.response})

    def _event(self, event: Event) -> bytes:
        if _RESPONSE not in event.data:
            return event.raw
        try:
            value = msgspec.json.decode(event.data)
        except UNREADABLE:
            return event.raw
        response = value.get("response") if isinstance(value, dict) else None
        if not isinstance(response, dict):
            return event.raw
        value["response"] = self._edited(response)
        if value.get("type") not in TERMINAL:
            return _written(value)
        self._terminal, self.response = value, value["response"]
        return b""

    def _edited(self, response: dict[str, Any]) -> dict[str, Any]:
        kept = bool(self._id) and response.get("status") != "failed"
        told: dict[str, Any] = {"store": kept, "previous_response_id": self._previous}
        if self._id:
            told["id"] = self._id
        return {**response, **told, "conversation": self._conversation, "background": False}


def _written(value: dict[str, Any]) -> bytes:
    kind = str(value.get("type", ""))
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(value) + b"\n\n"
