"""Google's errors, both ways."""

import json
from typing import Any

import pytest

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.gemini_generate.errors import decode_error, error_body


def told(code: int, status: str, message: str, *details: dict[str, Any]) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "status": status, "details": details}}).encode()


def test_a_refusal_in_googles_words() -> None:
    error = GatewayError(
        429, "rate_limit", "requests_exceeded", "Slow.", retry_after_s=2.5, param="p", details={"n": 1}
    )
    body = json.loads(error_body(error, "r1"))["error"]
    assert (body["code"], body["status"], body["message"]) == (429, "RESOURCE_EXHAUSTED", "Slow.")
    info, request, retry, ask = body["details"]
    assert (info["reason"], info["metadata"]) == ("REQUESTS_EXCEEDED", {"n": "1"})
    assert request["fieldViolations"][0]["field"] == "p"
    assert (retry["retryDelay"], ask["requestId"]) == ("2.500s", "r1")


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "retry"),
    [
        (404, told(404, "NOT_FOUND", "x"), "not_found", "NOT_FOUND", None),
        (503, told(503, "UNAVAILABLE", "x"), "overloaded", "UNAVAILABLE", None),
        (
            429,
            told(429, "RESOURCE_EXHAUSTED", "x", {"@type": "t/RetryInfo", "retryDelay": "19.5s"}),
            "rate_limit",
            "RESOURCE_EXHAUSTED",
            19.5,
        ),
        (
            400,
            told(400, "INVALID_ARGUMENT", "API key not valid.", {"reason": "API_KEY_INVALID"}),
            "authentication",
            "INVALID_ARGUMENT",
            None,
        ),
        (
            400,
            told(
                400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (8)."
            ),
            "invalid_request",
            "context_length_exceeded",
            None,
        ),
        (500, b"[" + told(500, "INTERNAL", "x") + b"]", "upstream", "INTERNAL", None),
    ],
)
def test_googles_refusals(status: int, body: bytes, kind: str, code: str, retry: float | None) -> None:
    error = decode_error(status, body)
    assert error is not None
    assert (error.status, error.kind, error.code, error.retry_after_s) == (status, kind, code, retry)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"error":{}}', b'{"error":{"message":""}}', b"[1]"])
def test_what_is_no_error(body: bytes) -> None:
    assert decode_error(500, body) is None
