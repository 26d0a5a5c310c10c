"""Schemas of errors and requests, held against what the formats say and take."""

import json
from typing import Any

import jsonschema
import pytest

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.registry import DIALECTS
from services.admin.public.examples import body
from services.admin.public.openapi.schemas import ERRORS, errors, request
from services.admin.public.routes import INFERENCE, SANDBOX, Format, Route

NAMES = {
    Format.CHAT: "openai_chat",
    Format.RESPONSES: "openai_responses",
    Format.EMBEDDINGS: "openai_embeddings",
    Format.MESSAGES: "anthropic_messages",
    Format.GEMINI: "gemini_generate",
}
SAID = [
    GatewayError(401, "authentication", "invalid_api_key", "No."),
    GatewayError(402, "budget", "budget_exceeded", "Spent.", details={"resets_at": "2026-01-01T00:00:00Z"}),
    GatewayError(429, "rate_limit", "requests", "Slow.", retry_after_s=1.0),
    GatewayError(400, "invalid_request", "invalid_value", "Bad.", param="model"),
]


@pytest.mark.parametrize("format_", NAMES, ids=lambda format_: format_.name)
@pytest.mark.parametrize("error", SAID, ids=lambda error: error.code)
def test_an_error_is_as_the_schema_says(format_: Format, error: GatewayError) -> None:
    said: dict[str, Any] = json.loads(DIALECTS[NAMES[format_]].error_body(error, "req_1"))
    for name, schema in errors().items():
        good = jsonschema.Draft202012Validator(schema).is_valid(said)
        assert good or name != ERRORS[format_], (name, said)


@pytest.mark.parametrize("route", [*INFERENCE, *SANDBOX], ids=lambda route: route.operation_id)
def test_the_smallest_good_body_is_one(route: Route) -> None:
    schema = request(route, ["m"])
    assert schema is not None
    given = body(route, "m")
    jsonschema.Draft202012Validator(schema).validate(given)
    for field in schema.get("required", ()):
        less = {name: value for name, value in given.items() if name != field}
        assert not jsonschema.Draft202012Validator(schema).is_valid(less)
