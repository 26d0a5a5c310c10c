import ssl

import httpx2
import pytest
from mcp.shared.exceptions import MCPError

from oneapi.runtime.egress.addresses import EgressRefused
from oneapi.runtime.egress.client import AnswerRefused, AnswerTooLarge
from services.mcp.upstream.failures import (
    BAD_ANSWER,
    BUSY,
    CREDENTIAL_REFUSED,
    NOT_ALLOWED,
    RESULT_TOO_LARGE,
    TIMED_OUT,
    UNREACHABLE,
    NotMcp,
    RedirectRefused,
    ResultTooLarge,
    UpstreamFailure,
    failure_of,
)

SECRET = "sk-proj-0123456789abcdef0123456789abcdef"


def caused(problem: Exception, cause: Exception) -> Exception:
    problem.__cause__ = cause
    return problem


@pytest.mark.parametrize(
    ("problem", "status", "code"),
    [
        (ResultTooLarge(), 0, RESULT_TOO_LARGE),
        (EgressRefused("10.0.0.1 is a private network"), 0, NOT_ALLOWED),
        (RedirectRefused(), 0, NOT_ALLOWED),
        (NotMcp(), 0, BAD_ANSWER),
        (AnswerRefused("a compressed answer"), 0, BAD_ANSWER),
        (AnswerTooLarge("too large"), 0, RESULT_TOO_LARGE),
        (ssl.SSLCertVerificationError("secret.example"), 0, UNREACHABLE),
        (TimeoutError(), 0, TIMED_OUT),
        (httpx2.ReadTimeout("x"), 0, TIMED_OUT),
        (httpx2.PoolTimeout("x"), 0, BUSY),
        (httpx2.ConnectError(f"Bearer {SECRET}"), 0, UNREACHABLE),
        (OSError("no such host"), 0, UNREACHABLE),
        (ExceptionGroup("", [ExceptionGroup("", [httpx2.ConnectError("x")])]), 0, UNREACHABLE),
        (caused(RuntimeError("wrapped"), ResultTooLarge()), 0, RESULT_TOO_LARGE),
        (MCPError(-32603, "Server returned an error response"), 401, CREDENTIAL_REFUSED),
        (MCPError(-32603, "Server returned an error response"), 403, CREDENTIAL_REFUSED),
        (MCPError(-32603, "Server returned an error response"), 502, UNREACHABLE),
        (MCPError(-32001, "timed out"), 0, TIMED_OUT),
        (MCPError(-32000, "Connection closed"), 0, BAD_ANSWER),
        (MCPError(-32700, "Failed to parse: <secret>"), 0, BAD_ANSWER),
        (MCPError(-32600, "Invalid request"), 0, BAD_ANSWER),
        (MCPError(-32020, "Mcp-Method header differs"), 0, BAD_ANSWER),
        (MCPError(-32602, "no such file"), 0, -32602),
        (ValueError("anything"), 0, BAD_ANSWER),
    ],
)
def test_each_problem_has_its_code(problem: Exception, status: int, code: int) -> None:
    failure = failure_of(problem, "files", status, 4_096, 30)
    assert failure.code == code
    assert failure.kind
    assert "secret" not in str(failure)
    assert SECRET not in str(failure)


def test_words_say_which_server_and_which_bound() -> None:
    assert str(failure_of(TimeoutError(), "files", 0, 4_096, 30)) == (
        "The tool server 'files' did not answer within 30 seconds."
    )
    assert "4096 bytes" in str(failure_of(ResultTooLarge(), "files", 0, 4_096, 30))
    assert "status 502" in str(failure_of(MCPError(-32603, "x"), "files", 502, 4_096, 30))


def test_servers_own_words_are_passed_on_short_and_without_secrets() -> None:
    failure = failure_of(MCPError(-32602, f"key {SECRET} " + "x" * 5_000), "files", 0, 4_096, 30)
    assert str(failure).startswith("key [redacted] xxx")
    assert len(str(failure)) <= 500


def test_a_failure_stays_what_it_is() -> None:
    failure = UpstreamFailure(-1, "kind", "words")
    assert failure_of(ExceptionGroup("", [failure]), "files", 0, 4_096, 30) is failure
