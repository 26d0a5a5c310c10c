"""The canonical error, which each dialect writes in its own shape.

It decides the kinds of error that exist. It must not know how any dialect spells them.
"""

from collections.abc import Mapping
from typing import Any, Literal

Kind = Literal[
    "authentication",
    "permission",
    "not_found",
    "invalid_request",
    "too_large",
    "unsupported_media",
    "budget",
    "rate_limit",
    "overloaded",
    "upstream",
    "timeout",
    "internal",
]


class GatewayError(Exception):
    """What the caller is told: a true HTTP status, a kind, a stable code, and a sentence without secrets.

    `retry_after_s` becomes Retry-After; `param` names the field at fault; `details` are numbers that explain it.
    """

    def __init__(
        self,
        status: int,
        kind: Kind,
        code: str,
        message: str,
        *,
        retry_after_s: float | None = None,
        param: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind: Kind = kind
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s
        self.param = param
        self.details = dict(details or {})
