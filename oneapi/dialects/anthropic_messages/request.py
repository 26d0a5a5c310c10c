"""A messages request: what the gateway must know of it, and its few edits.

Source: Anthropic's API reference, "Create a Message". `max_tokens` is required there. Usage is always in the stream.
"""

from typing import Any

from oneapi.dialects import request
from oneapi.dialects.request import RequestFacts

CAP = "max_tokens"


def inspect(body: bytes) -> RequestFacts:
    """The facts. Raises GatewayError 400."""
    raw = request.decode(body)
    model = request.text(raw, "model")
    request.required_list(raw, "messages")
    cap = request.whole(raw, CAP, low=0)
    if cap is None:
        raise request.refuse("'max_tokens' is missing.", CAP)
    return RequestFacts(
        model=model,
        stream=request.flag(raw, "stream"),
        max_output=cap,
        choices=1,
        prompt_bytes=request.prompt_bytes(body, raw),
        messages=request.size(raw, "messages"),
        tools=request.size(raw, "tools"),
        wants_usage=True,
        raw=raw,
    )


def prepare(
    body: bytes,
    facts: RequestFacts,
    upstream_model: str,
    *,
    max_output: int | None = None,
    include_usage: bool = True,
    max_output_field: str = "",
) -> bytes:
    """The body for the upstream: its name of the model, and the token cap lowered where one is set."""
    del include_usage, max_output_field
    changes: dict[str, Any] = {}
    if upstream_model != facts.model:
        changes["model"] = upstream_model
    if max_output is not None and facts.max_output is not None and facts.max_output > max_output:
        changes[CAP] = max_output
    return request.edit(body, changes) if changes else body
