"""Why a candidate ended, both ways.

| canonical | finishReason |
|---|---|
| end, stop_sequence, tool_calls, pause, other | `STOP`: Google has no other names, and doesn't tell the sequence |
| length, context_window | `MAX_TOKENS` |
| content_filter | `SAFETY`, with what the filter says in `finishMessage` |

All of Google's filters are one filter. A reason in `FAILED` means that there is no answer: the model wrote a call that
nobody can read, or too many.
"""

from typing import Any

from oneapi.dialects.canonical.reading import string
from oneapi.dialects.canonical.responses import Stop, StopReason
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.gemini_generate.spelling import camel

_FILTERS = (
    *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_OTHER"),
)
_READ: dict[str, StopReason] = {
    "STOP": "end",
    "MAX_TOKENS": "length",
    **dict.fromkeys(_FILTERS, "content_filter"),
}
FAILED = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "MISSING_THOUGHT_SIGNATURE",
        "TOO_MANY_TOOL_CALLS",
        "UNEXPECTED_TOOL_CALL",
    }
)
_WRITTEN: dict[StopReason, str] = {
    "length": "MAX_TOKENS",
    "context_window": "MAX_TOKENS",
    "content_filter": "SAFETY",
}


def decode_stop(reason: object, message: object) -> Stop:
    found: StopReason = _READ.get(reason, "other") if isinstance(reason, str) else "other"
    return Stop(reason=found, explanation=string(message) if found == "content_filter" else "")


def decode_block(feedback: object) -> Stop | None:
    """The stop of a prompt that was blocked: there is no candidate then."""
    told = camel(feedback)
    reason = string(told.get("blockReason"))
    return Stop(reason="content_filter", explanation=string(told.get("blockReasonMessage"))) if reason else None


def failure(reason: str, message: object) -> GatewayError:
    """What an answer without an answer is."""
    said = string(message) or f"The model's answer failed with {reason}."
    return GatewayError(502, "upstream", reason.lower(), said)


def encode_stop(stop: Stop) -> dict[str, Any]:
    """`finishReason`, and for a filter `finishMessage`."""
    value = {"finishReason": _WRITTEN.get(stop.reason, "STOP")}
    return value | ({"finishMessage": stop.explanation} if stop.explanation else {})
