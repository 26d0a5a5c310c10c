"""Error bodies: their exact shape, and the exceptions that the official SDKs make of them."""

import json

import anthropic
import httpx2
import openai
import pytest

from oneapi.dialects.errors import GatewayError, Kind
from oneapi.dialects.registry import DIALECTS

OPENAI_NAMES = [name for name in DIALECTS if name.startswith("openai_")]
CASES: list[tuple[int, Kind, str, type[Exception], type[Exception]]] = [
    (400, "invalid_request", "invalid_json", openai.BadRequestError, anthropic.BadRequestError),
    (401, "authentication", "invalid_api_key", openai.AuthenticationError, anthropic.AuthenticationError),
    (402, "budget", "budget_exceeded", openai.APIStatusError, anthropic.APIStatusError),
    (403, "permission", "model_not_priced", openai.PermissionDeniedError, anthropic.PermissionDeniedError),
    (404, "not_found", "model_not_found", openai.NotFoundError, anthropic.NotFoundError),
    (413, "too_large", "request_too_large", openai.APIStatusError, anthropic.APIStatusError),
    (415, "unsupported_media", "unsupported_content_type", openai.APIStatusError, anthropic.APIStatusError),
    (429, "rate_limit", "tokens_per_minute_exceeded", openai.RateLimitError, anthropic.RateLimitError),
    (500, "internal", "internal_error", openai.InternalServerError, anthropic.InternalServerError),
    (502, "upstream", "upstream_error", openai.InternalServerError, anthropic.InternalServerError),
    (503, "overloaded", "overloaded", openai.InternalServerError, anthropic.InternalServerError),
    (504, "timeout", "upstream_timeout", openai.InternalServerError, anthropic.InternalServerError),
]
TYPES: dict[Kind, tuple[str, str]] = {
    "invalid_request": ("invalid_request_error", "invalid_request_error"),
    "authentication": ("invalid_request_error", "authentication_error"),
    "budget": ("insufficient_quota", "billing_error"),
    "permission": ("permission_denied", "permission_error"),
    "not_found": ("invalid_request_error", "not_found_error"),
    "too_large": ("invalid_request_error", "request_too_large"),
    "unsupported_media": ("invalid_request_error", "invalid_request_error"),
    "rate_limit": ("tokens", "rate_limit_error"),
    "internal": ("server_error", "api_error"),
    "upstream": ("server_error", "api_error"),
    "overloaded": ("server_error", "overloaded_error"),
    "timeout": ("timeout", "timeout_error"),
}


def transport(status: int, body: bytes) -> httpx2.MockTransport:
    headers = {"content-type": "application/json", "x-request-id": "r1", "request-id": "r1"}
    return httpx2.MockTransport(lambda _: httpx2.Response(status, content=body, headers=headers))


@pytest.mark.parametrize(("status", "kind", "code", "raised", "_other"), CASES)
@pytest.mark.parametrize("name", OPENAI_NAMES)
def test_openais_sdk(
    name: str, status: int, kind: Kind, code: str, raised: type[Exception], _other: type[Exception]
) -> None:
    body = DIALECTS[name].error_body(GatewayError(status, kind, code, "Told.", param="model"), "r1")
    assert json.loads(body) == {
        "error": {"message": "Told.", "type": TYPES[kind][0], "param": "model", "code": code},
    }
    with httpx2.Client(transport=transport(status, body)) as http:
        client = openai.OpenAI(api_key="k", base_url="http://test/v1", http_client=http, max_retries=0)
        with pytest.raises(raised) as found:
            if name == "openai_responses":
                client.responses.create(model="m", input="x")
            elif name == "openai_embeddings":
                client.embeddings.create(model="m", input="x")
            else:
                client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
    error = found.value
    assert isinstance(error, openai.APIStatusError)
    assert (error.status_code, error.code, error.param, error.type) == (status, code, "model", TYPES[kind][0])
    assert error.request_id == "r1"
    assert "Told." in str(error)


@pytest.mark.parametrize(("status", "kind", "code", "_other", "raised"), CASES)
def test_anthropics_sdk(status: int, kind: Kind, code: str, _other: type[Exception], raised: type[Exception]) -> None:
    body = DIALECTS["anthropic_messages"].error_body(GatewayError(status, kind, code, "Told."), "r1")
    shape = {"type": "error", "error": {"type": TYPES[kind][1], "message": "Told."}, "request_id": "r1"}
    assert json.loads(body) == shape
    with httpx2.Client(transport=transport(status, body)) as http:
        client = anthropic.Anthropic(api_key="k", base_url="http://test", http_client=http, max_retries=0)
        with pytest.raises(raised) as found:
            client.messages.create(model="m", max_tokens=5, messages=[{"role": "user", "content": "x"}])
    error = found.value
    assert isinstance(error, anthropic.APIStatusError)
    assert (error.status_code, error.body) == (status, shape)
    assert "Told." in str(error)


@pytest.mark.parametrize("name", DIALECTS)
def test_the_numbers_of_a_refusal_stand_beside_the_error(name: str) -> None:
    error = GatewayError(402, "budget", "budget_exceeded", "Spent.", details={"resets_at": "2026-12-01T00:00:00Z"})
    body = json.loads(DIALECTS[name].error_body(error, "r1"))
    if name == "gemini_generate":
        # Google's errors have a place for them.
        assert body["error"]["details"][0]["metadata"] == {"resets_at": "2026-12-01T00:00:00Z"}
        return
    assert body["details"]["resets_at"] == "2026-12-01T00:00:00Z"
    assert set(body["error"]) <= {"message", "type", "param", "code"}


def test_a_rate_limit_of_requests_has_openais_type() -> None:
    error = GatewayError(429, "rate_limit", "requests_per_minute_exceeded", "Slow down.", retry_after_s=3)
    assert json.loads(DIALECTS["openai_chat"].error_body(error, ""))["error"]["type"] == "requests"


def test_anthropics_clients_know_a_prompt_that_is_too_long_by_its_words() -> None:
    error = GatewayError(400, "invalid_request", "context_length_exceeded", "At most 8 tokens.")
    body = json.loads(DIALECTS["anthropic_messages"].error_body(error, ""))
    assert body["error"]["message"] == "prompt is too long: At most 8 tokens."
