"""Why a chat's choice finished, both ways.

| canonical | finish_reason |
|---|---|
| end, stop_sequence, pause, other | `stop` |
| length, context_window | `length` |
| tool_calls | `tool_calls` (`function_call` of the older form is read) |
| content_filter | `content_filter` |
"""

from oneapi.dialects.canonical.responses import Stop, StopReason

_READ: dict[str, StopReason] = {
    "stop": "end",
    "length": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "end_turn": "end",
    "eos": "end",
}
_WRITTEN: dict[StopReason, str] = {
    "length": "length",
    "context_window": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
}


def decode_stop(reason: object) -> Stop:
    return Stop(reason=_READ.get(reason, "other") if isinstance(reason, str) else "other")


def encode_stop(stop: Stop) -> str:
    return _WRITTEN.get(stop.reason, "stop")
