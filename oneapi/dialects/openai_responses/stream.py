"""The stream of a response.

    stream := created (queued | in_progress)? (item events)* (completed | incomplete | failed)

Each event has a type and a sequence number; the last one holds the whole response with its usage. `error` may come at
any time. A `response.failed` is an error of the upstream's, but what it tells of usage is taken.
"""

from typing import Any

import msgspec

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.meter import UNNAMED_ERROR, SseMeter
from oneapi.dialects.openai_errors import error_object
from oneapi.dialects.openai_responses.items import content_bytes
from oneapi.dialects.openai_responses.usage import read_usage
from oneapi.dialects.sse import MAX_LINE_BYTES
from oneapi.dialects.usage import UNREADABLE

TERMINAL = frozenset({"response.completed", "response.incomplete"})
BEGUN = frozenset({"response.created", "response.in_progress", "response.queued"})
ITEM_DONE = "response.output_item.done"
AUDIO = "response.audio.delta"
"""Its delta is sound in base64, not text."""
MAX_KEPT_BYTES = MAX_LINE_BYTES // 4
"""Finished items up to this size together are repeated when the stream breaks."""

_ERROR_CODES = frozenset({"rate_limit_exceeded", "insufficient_quota", "invalid_prompt"})
_OTHER_ERROR = "server_error"

NOTHING = msgspec.Raw(b"null")


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    sequence_number: int | None = None
    delta: Any = None
    response: msgspec.Raw = NOTHING
    item: msgspec.Raw = NOTHING
    error: Any = None
    code: Any = None
    message: Any = None


class _Failed(msgspec.Struct):
    error: Any = None


_decoder = msgspec.json.Decoder(_Event)
_failed_decoder = msgspec.json.Decoder(_Failed)


class ResponsesMeter(SseMeter):
    """Meters one stream of events."""

    def __init__(self, *, forward_usage: bool = True) -> None:
        super().__init__(forward_usage=forward_usage)
        self._next_number = 0
        self._begun = b""
        self._items: list[bytes] = []
        self._kept_bytes = 0
        self._counted_before_item = 0

    def read(self, data: bytes) -> bool:
        """See `StreamMeter`."""
        if data[:6] == b"[DONE]":
            return True
        event = _decoder.decode(data)
        kind = event.type
        if event.sequence_number is not None:
            self._next_number = event.sequence_number + 1
        if kind[-6:] == ".delta":
            self.started = True
            text = event.delta
            if isinstance(text, str) and kind != AUDIO:
                self.text_bytes += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
            return True
        if kind in BEGUN:
            self._begun = self._begun or bytes(event.response)
            return True
        if kind == ITEM_DONE:
            self._item_done(bytes(event.item))
        elif kind in TERMINAL:
            self._usage_of(event.response)
            self.started = self.finished = True
        elif kind in {"error", "response.failed"} or (not kind and event.error):
            self._usage_of(event.response)
            self.error = code_and_message(event.error, event.response, event.code, event.message)
            return False
        elif kind != "keepalive":
            self.started = True
        return True

    def finish_bytes(self, error: GatewayError, request_id: str = "") -> bytes:
        """See `StreamMeter`. `error`, then `response.failed` with what the stream began with and what was done.

        Published types have the error's fields in the event itself, OpenAI's own wire has them under `error`; SDKs
        raise only for the latter. Both are there.
        """
        del request_id
        told = error_object(error)
        found = [_event("error", self._next_number, **{**told, "type": "error"}, error=told)]
        response = self._failed(told)
        if response is not None:
            found.append(_event("response.failed", self._next_number + 1, response=response))
        return b"".join(found)

    def _failed(self, told: dict[str, Any]) -> dict[str, Any] | None:
        try:
            response = msgspec.json.decode(self._begun) if self._begun else None
        except UNREADABLE:
            return None
        if not isinstance(response, dict):
            return None
        code = failed_code(told["code"])
        return {
            **response,
            "status": "failed",
            "error": {"code": code, "message": told["message"]},
            "output": [msgspec.Raw(item) for item in self._items],
        }

    def _usage_of(self, response: msgspec.Raw) -> None:
        self.usage = read_usage(response) or self.usage

    def _item_done(self, raw: bytes) -> None:
        """Some upstreams send an item only when it is done: what its deltas didn't tell counts now."""
        self.started = True
        told = self.text_bytes - self._counted_before_item
        self.text_bytes += max(content_bytes(raw) - told, 0)
        self._counted_before_item = self.text_bytes
        if self._kept_bytes + len(raw) <= MAX_KEPT_BYTES:
            self._items.append(raw)
            self._kept_bytes += len(raw)


def failed_code(code: str) -> str:
    """A failed response has a code of a closed list."""
    return code if code in _ERROR_CODES else _OTHER_ERROR


def _event(kind: str, number: int, **value: Any) -> bytes:
    body = {"type": kind, **value, "sequence_number": number}
    return f"event: {kind}\ndata: ".encode() + msgspec.json.encode(body) + b"\n\n"


def code_and_message(error: Any, response: msgspec.Raw, code: Any = None, message: Any = None) -> tuple[str, str]:
    """An error event's, or a failed response's."""
    found = error
    if response is not NOTHING:
        try:
            found = _failed_decoder.decode(response).error
        except UNREADABLE:
            found = None
    told = found if isinstance(found, dict) else {}
    return (
        str(told.get("code") or told.get("type") or code or UNNAMED_ERROR),
        str(told.get("message") or message or ""),
    )
