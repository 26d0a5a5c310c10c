"""What can go wrong with a tool server, and what a caller is told about it.

It decides the codes (JSON-RPC's range for servers) and the words. Neither holds an address, a header, or text of an
answer that we could not read; of a server's own error, what may be shown.
"""

import ssl
from collections.abc import Iterator

import httpx2
from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, INVALID_REQUEST, PARSE_ERROR, REQUEST_TIMEOUT
from pydantic import ValidationError

from oneapi.runtime.egress.addresses import EgressRefused
from oneapi.runtime.egress.client import AnswerRefused, AnswerTooLarge
from oneapi.runtime.egress.words import clean_message

RESULT_TOO_LARGE = -32010
UNREACHABLE = -32011
TIMED_OUT = -32012
NOT_ALLOWED = -32013
BAD_ANSWER = -32014
CREDENTIAL_REFUSED = -32015
BUSY = -32016

_NEVER_THE_CALLERS = frozenset({CONNECTION_CLOSED, PARSE_ERROR, INVALID_REQUEST})
"""The library uses these for answers that it could not take; from a server they would blame the gateway."""
_PROTOCOL_CODES = range(-32039, -32019)
"""What a server says about the gateway's own headers is between the two of them."""


class UpstreamFailure(Exception):
    """A tool server could not be asked or could not answer. `str()` may be shown to callers; `kind` is for counters."""

    def __init__(self, code: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind


class ResultTooLarge(Exception):
    """The answer has more bytes or messages than are allowed."""


class RedirectRefused(Exception):
    """The server answered with a redirect, which nobody follows: it could lead anywhere."""


class NotMcp(Exception):
    """The answer is of a type that MCP does not have."""


def too_large(server: str, limit_bytes: int) -> UpstreamFailure:
    return UpstreamFailure(
        RESULT_TOO_LARGE, "too_large", f"The answer of the tool server {server!r} is larger than {limit_bytes} bytes."
    )


def timed_out(server: str, limit_s: float) -> UpstreamFailure:
    return UpstreamFailure(
        TIMED_OUT, "timeout", f"The tool server {server!r} did not answer within {limit_s:g} seconds."
    )


def failure_of(problem: BaseException, server: str, status: int, limit_bytes: int, limit_s: float) -> UpstreamFailure:
    """What a failed exchange means. `status` is that of a last answer which was an error of HTTP alone, else 0."""
    causes = list(_leaves(problem))
    for cause in causes:
        if isinstance(cause, UpstreamFailure):
            return cause
        if isinstance(cause, ResultTooLarge | AnswerTooLarge):
            return too_large(server, limit_bytes)
        if isinstance(cause, EgressRefused):
            return UpstreamFailure(
                NOT_ALLOWED,
                "address",
                f"The tool server {server!r} has an address that is not allowed: {cause.reason}.",
            )
        if isinstance(cause, RedirectRefused):
            return UpstreamFailure(
                NOT_ALLOWED, "redirect", f"The tool server {server!r} answered with a redirect, which is not followed."
            )
        if isinstance(cause, httpx2.PoolTimeout):
            return UpstreamFailure(BUSY, "busy", f"The tool server {server!r} has too many calls at a time.")
        if isinstance(cause, TimeoutError | httpx2.TimeoutException):
            return timed_out(server, limit_s)
        if isinstance(cause, ssl.SSLError):
            return UpstreamFailure(
                UNREACHABLE, "tls", f"The tool server {server!r} shows no valid certificate over TLS 1.2 or newer."
            )
        if isinstance(cause, AnswerRefused):
            return _bad_answer(server)
        if isinstance(cause, OSError | httpx2.TransportError):
            return UpstreamFailure(UNREACHABLE, "unreachable", f"The tool server {server!r} can't be reached.")
    if status in {401, 403}:
        return UpstreamFailure(
            CREDENTIAL_REFUSED, "credential", f"The tool server {server!r} refuses the gateway's credential."
        )
    for cause in causes:
        if isinstance(cause, MCPError) and cause.error.code == REQUEST_TIMEOUT:
            return timed_out(server, limit_s)
        if isinstance(cause, MCPError) and not status and _is_the_servers_own(cause.error.code):
            message = clean_message(cause.error.message)
            return UpstreamFailure(cause.error.code, "rejected", message or f"The tool server {server!r} refused it.")
        if isinstance(cause, NotMcp | ValidationError):
            return _bad_answer(server)
    if status:
        return UpstreamFailure(UNREACHABLE, "status", f"The tool server {server!r} answered with status {status}.")
    return _bad_answer(server)


def _bad_answer(server: str) -> UpstreamFailure:
    return UpstreamFailure(BAD_ANSWER, "bad_answer", f"The tool server {server!r} gave an answer that is not MCP.")


def _is_the_servers_own(code: int) -> bool:
    return code not in _NEVER_THE_CALLERS and code not in _PROTOCOL_CODES


def _leaves(problem: BaseException) -> Iterator[BaseException]:
    """The exceptions in a group, and what caused each."""
    if isinstance(problem, BaseExceptionGroup):
        for inner in problem.exceptions:
            yield from _leaves(inner)
        return
    seen: set[int] = set()
    cause: BaseException | None = problem
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__
