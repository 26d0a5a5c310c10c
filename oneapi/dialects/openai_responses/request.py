"""A responses request: what the gateway must know of it, and its few edits.

Source: OpenAI's API reference, "Create a model response". Usage is always in the stream's last event, so nothing is
asked for.
"""

from collections.abc import Mapping
from typing import Any

from oneapi.dialects import request
from oneapi.dialects.request import RequestFacts

CAP = "max_output_tokens"
ENCRYPTED = "reasoning.encrypted_content"


def inspect(body: bytes) -> RequestFacts:
    """The facts. Raises GatewayError 400."""
    raw = request.decode(body)
    model = request.text(raw, "model")
    given = raw.get("input")
    if given is not None and not isinstance(given, str | list):
        raise request.refuse("'input' must be a text or a list.", "input")
    if not given and not raw.get("prompt") and not raw.get("previous_response_id") and not raw.get("conversation"):
        raise request.refuse("'input' is missing.", "input")
    return RequestFacts(
        model=model,
        stream=request.flag(raw, "stream"),
        max_output=request.whole(raw, CAP),
        choices=1,
        prompt_bytes=request.prompt_bytes(body, raw),
        messages=len(given) if isinstance(given, list) else 1,
        tools=request.size(raw, "tools"),
        wants_usage=True,
        raw=raw,
    )


def with_reasoning(body: bytes, raw: Mapping[str, Any]) -> bytes:
    """The body, which asks for what the model wants back of its reasoning, as the upstream doesn't store it."""
    include = raw.get("include")
    given = include if isinstance(include, list) else []
    return body if ENCRYPTED in given else request.edit(body, {"include": [*given, ENCRYPTED]})


def prepare(
    body: bytes,
    facts: RequestFacts,
    upstream_model: str,
    *,
    max_output: int | None = None,
    include_usage: bool = True,
    max_output_field: str = "",
) -> bytes:
    """The body for the upstream: its name of the model, and a token cap where one is set."""
    del include_usage, max_output_field
    changes: dict[str, Any] = {}
    if upstream_model != facts.model:
        changes["model"] = upstream_model
    if max_output is not None and (facts.max_output is None or facts.max_output > max_output):
        changes[CAP] = max_output
    return request.edit(body, changes) if changes else body
