"""What can go wrong with a call to a provider, and what each thing means: for the router, and for the client.

It decides which failures another channel may mend, and must not know how calls are made.
"""

import enum
from email.utils import parsedate_to_datetime

from oneapi.dialects.errors import GatewayError
from proto.router.v1 import router_pb2
from services.edge import refusals

MAX_RETRY_AFTER_S = 3600.0


class Kind(enum.Enum):
    """The kinds of outcome, with the name that receipts show and the router's."""

    OK = ("ok", router_pb2.OUTCOME_KIND_OK)
    CONNECT_FAILED = ("connect_failed", router_pb2.OUTCOME_KIND_CONNECT_FAILED)
    TIMEOUT = ("timeout", router_pb2.OUTCOME_KIND_TIMEOUT)
    SERVER_ERROR = ("server_error", router_pb2.OUTCOME_KIND_SERVER_ERROR)
    RATE_LIMITED = ("rate_limited", router_pb2.OUTCOME_KIND_RATE_LIMITED)
    UNAUTHORIZED = ("unauthorized", router_pb2.OUTCOME_KIND_UNAUTHORIZED)
    CLIENT_ERROR = ("client_error", router_pb2.OUTCOME_KIND_CLIENT_ERROR)
    STOPPED = ("stopped", router_pb2.OUTCOME_KIND_UNSPECIFIED)
    """Ended from our side: it says nothing about the channel, and no router is told."""

    def __init__(self, shown: str, outcome: "router_pb2.OutcomeKind") -> None:
        self.shown = shown
        self.outcome = outcome


class UpstreamFailure(Exception):
    """A call that brought no usable answer. `str()` is for logs, never for clients.

    `broken` means that a connection which had served before ended without a single byte of an answer: it may just have
    been an old one.
    """

    def __init__(
        self,
        kind: Kind,
        error: GatewayError,
        why: str,
        *,
        status: int = 0,
        retry_after_s: float = 0.0,
        broken: bool = False,
    ) -> None:
        super().__init__(why)
        self.kind = kind
        self.error = error
        self.status = status
        self.retry_after_s = retry_after_s
        self.broken = broken

    @property
    def final(self) -> bool:
        """Whether another channel would say the same: the provider refuses this very request."""
        return self.kind is Kind.CLIENT_ERROR


def broken_answer(why: str, status: int = 0) -> UpstreamFailure:
    """An answer that is none: cut, not the format that was asked for, too large."""
    return UpstreamFailure(Kind.SERVER_ERROR, refusals.upstream_failed(), why, status=status)


def from_status(status: int, retry_after_s: float, refusal: GatewayError | None) -> UpstreamFailure:
    """What an answer other than 2xx means. `refusal` is the provider's own error, cleaned, where it has one."""
    why = f"status {status}"
    if status == 429:
        told_s = refusal.retry_after_s if refusal is not None else None
        retry_after_s = retry_after_s or min(told_s or 0.0, MAX_RETRY_AFTER_S)
        error = refusals.upstream_rate_limited(retry_after_s)
        return UpstreamFailure(Kind.RATE_LIMITED, error, why, status=status, retry_after_s=retry_after_s)
    if status in {401, 402, 403} or (refusal is not None and refusal.kind == "authentication"):
        # The channel's credential or its provider account: nothing that the client could mend.
        return UpstreamFailure(Kind.UNAUTHORIZED, refusals.upstream_failed(), why, status=status)
    if 300 <= status < 400:
        return UpstreamFailure(Kind.SERVER_ERROR, refusals.redirect_refused(), why, status=status)
    if status in {408, 409}:
        return UpstreamFailure(Kind.SERVER_ERROR, refusals.upstream_timeout(), why, status=status)
    if status == 424:
        # What the provider itself depends on has failed.
        return UpstreamFailure(Kind.SERVER_ERROR, refusals.upstream_failed(), why, status=status)
    if 400 <= status < 500:
        error = refusal or refusals.upstream_refused(status, "upstream_refused", "The provider refused it.", None)
        return UpstreamFailure(Kind.CLIENT_ERROR, error, why, status=status)
    error = refusals.upstream_overloaded(retry_after_s) if status in {503, 529} else refusals.upstream_failed()
    return UpstreamFailure(Kind.SERVER_ERROR, error, why, status=status, retry_after_s=retry_after_s)


def parse_retry_after(value: str, now_s: float) -> float:
    """Seconds of a `Retry-After` header (a number or a date); 0.0 when it says nothing usable."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now_s
        except (TypeError, ValueError, IndexError):
            return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if seconds == seconds else 0.0
