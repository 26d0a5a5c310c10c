"""Why an answer ended.

| stopReason | canonical |
|---|---|
| `end_turn` | end |
| `stop_sequence` | stop_sequence, which the model's own fields may tell |
| `max_tokens` | length |
| `model_context_window_exceeded` | context_window |
| `tool_use` | tool_calls |
| `content_filtered`, `guardrail_intervened` | content_filter |
| any other | other |

Those in `FAILED` mean that there is no answer: the model wrote what nobody can read.
"""

from typing import Any

from oneapi.dialects.canonical.reading import member, string
from oneapi.dialects.canonical.responses import Stop, StopReason

FAILED = frozenset({"malformed_model_output", "malformed_tool_use"})
_READ: dict[str, StopReason] = {
    "end_turn": "end",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "context_window",
    "tool_use": "tool_calls",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
}


def decode_stop(reason: object, fields: Any) -> Stop:
    found: StopReason = _READ.get(string(reason), "other")
    sequence = string(member(fields, "stop_sequence")) if found == "stop_sequence" else ""
    return Stop(reason=found, sequence=sequence or None)


def failure(reason: str) -> tuple[str, str]:
    """Code and message of an answer that is none."""
    return reason, f"The model's answer failed with {reason}."
