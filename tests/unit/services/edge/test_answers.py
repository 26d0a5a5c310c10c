import json

import pytest

from oneapi.runtime.door import refusals as of_door
from services.edge import refusals
from services.edge.answers import dialect_of, error_answer, raw_error


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        (b"/v1/chat/completions", "openai_chat"),
        (b"/v1/responses", "openai_responses"),
        (b"/v1/responses/1/cancel", "openai_responses"),
        (b"/v1/messages", "anthropic_messages"),
        (b"/v1/messages/count_tokens", "anthropic_messages"),
        (b"/v1/messagesx", "openai_chat"),
        (b"/v1/embeddings", "openai_embeddings"),
        (b"/v1/models", "openai_chat"),
        (b"/v1beta", "gemini_generate"),
        (b"/v1beta?key=x", "gemini_generate"),
        (b"/v1beta/models", "gemini_generate"),
        (b"/v1beta/models/a/b:generateContent", "gemini_generate"),
        (b"/v1/models/a/b:streamGenerateContent?alt=sse", "gemini_generate"),
        (b"/v1/models/a:countTokens", "gemini_generate"),
        (b"/v1/models/a:embedContent", "openai_chat"),
        (b"/v1/models/a", "openai_chat"),
        (b"/v1betas", "openai_chat"),
        (b"", "openai_chat"),
    ],
)
def test_which_dialect_a_path_speaks(path: bytes, dialect: str) -> None:
    assert dialect_of(path) == dialect


def test_clients_that_say_whose_they_are_get_their_errors_everywhere() -> None:
    assert dialect_of(b"/v1/models", anthropic=True) == "anthropic_messages"
    assert dialect_of(b"/v1/models", google=True) == "gemini_generate"


def test_formats() -> None:
    error = of_door.overloaded()
    headers, body = error_answer(b"/mcp", error, "r1")
    assert json.loads(body)["error"]["data"] == {"code": "overloaded", "request_id": "r1"}
    assert dict(headers)[b"retry-after"] == b"2"
    headers, body = error_answer(b"/api/channels", error, "r1")
    assert dict(headers)[b"content-type"] == b"application/problem+json"
    assert json.loads(body)["status"] == 503
    headers, body = error_answer(b"/api/paas/v4/x", error, "r1")
    assert json.loads(body)["error"]["code"] == "overloaded"
    assert dict(headers)[b"x-request-id"] == dict(headers)[b"x-oneapi-request-id"] == b"r1"


@pytest.mark.parametrize(
    ("path", "anthropic", "told"),
    [
        (b"/v1/messages", False, True),
        (b"/v1/models", True, True),
        (b"/v1/models", False, False),
        (b"/mcp", True, False),
        (b"/api/keys", True, False),
    ],
)
def test_the_id_is_where_the_sdks_of_a_dialect_look_for_it(path: bytes, anthropic: bool, told: bool) -> None:
    headers, _ = error_answer(path, of_door.overloaded(), "r1", anthropic=anthropic)
    assert [value for name, value in headers if name == b"request-id"] == [b"r1"] * told


def test_a_bad_key_is_told_how_to_authenticate() -> None:
    headers, _ = error_answer(b"/v1/models", refusals.unauthenticated(), "r1")
    assert dict(headers)[b"www-authenticate"].startswith(b"Bearer")


def test_a_whole_answer() -> None:
    head, _, body = raw_error(b"/v1/messages?x=1", of_door.request_timeout()).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 408 Request Timeout"
    assert b"connection: close" in lines
    assert b"content-length: %d" % len(body) in lines
    assert json.loads(body)["type"] == "error"


def test_names_in_errors_are_short_and_printable() -> None:
    assert "\n" not in refusals.model_not_found("a\nb").message
    assert len(refusals.model_not_found("x" * 1_000).message) < 250


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (b"/api/tokens/x%14", b"application/problem+json"),
        (b"/api/keys", b"application/problem+json"),
        (b"/api/token", b"application/json"),
        (b"/api/token/1", b"application/json"),
        (b"/api/paas/v4/models?a", b"application/json"),
        (b"/api/paas/v44", b"application/problem+json"),
    ],
)
def test_management_errors_are_problems_and_those_of_other_gateways_paths_are_not(path: bytes, kind: bytes) -> None:
    headers, _ = error_answer(path, of_door.path_not_found(), "id")
    assert dict(headers)[b"content-type"] == kind
