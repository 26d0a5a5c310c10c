"""Why an answer ended.

| finish_reason | canonical |
|---|---|
| `COMPLETE` | end |
| `STOP_SEQUENCE` | stop_sequence: Cohere doesn't tell which |
| `MAX_TOKENS` | length |
| `TOOL_CALL` | tool_calls |
| any other | other |

`ERROR` and `TIMEOUT` mean that there is no answer.
"""

from oneapi.dialects.canonical.reading import string
from oneapi.dialects.canonical.responses import Stop, StopReason

_READ: dict[str, StopReason] = {
    "COMPLETE": "end",
    "STOP_SEQUENCE": "stop_sequence",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
}
_FAILED = {"ERROR": "model_error", "TIMEOUT": "model_timeout"}


def decode_stop(reason: object) -> Stop:
    return Stop(reason=_READ.get(string(reason), "other"))


def failure(reason: object, message: object) -> tuple[str, str] | None:
    """Code and message of an answer that failed."""
    code = _FAILED.get(string(reason))
    if code is None and not string(message):
        return None
    return code or "model_error", string(message) or "The model's answer failed."
