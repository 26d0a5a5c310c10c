"""Why a message stopped, both ways.

| canonical | stop_reason |
|---|---|
| end, other | `end_turn` |
| stop_sequence | `stop_sequence`, with the sequence |
| length | `max_tokens` |
| context_window | `model_context_window_exceeded` |
| tool_calls | `tool_use` |
| content_filter | `refusal`, with its explanation in `stop_details` |
| pause | `pause_turn` |

A model's own refusal is text; where it is all that there is, the reason is `refusal` too.
"""

from typing import Any

from oneapi.dialects.canonical.reading import member, string
from oneapi.dialects.canonical.responses import Stop, StopReason

_READ: dict[str, StopReason] = {
    "end_turn": "end",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "context_window",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    "pause_turn": "pause",
}
_WRITTEN: dict[StopReason, str] = {
    **{canonical: spelled for spelled, canonical in _READ.items()},
    "other": "end_turn",
}


def decode_stop(reason: object, sequence: object, details: object) -> Stop:
    return Stop(
        reason=_READ.get(reason, "other") if isinstance(reason, str) else "other",
        sequence=sequence if isinstance(sequence, str) else None,
        explanation=string(member(details, "explanation")),
    )


def encode_stop(stop: Stop, *, only_refusal: bool) -> dict[str, Any]:
    """`stop_reason`, `stop_sequence` and, for a refusal, `stop_details`."""
    sequence = stop.sequence if stop.reason == "stop_sequence" else None
    reason = _WRITTEN[stop.reason]
    if stop.reason == "stop_sequence" and sequence is None:
        reason = "end_turn"
    if only_refusal and reason == "end_turn":
        reason = "refusal"
    value: dict[str, Any] = {"stop_reason": reason, "stop_sequence": sequence}
    if reason == "refusal":
        value["stop_details"] = {"type": "refusal", "category": None, "explanation": stop.explanation or None}
    return value
