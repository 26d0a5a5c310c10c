"""A chat completion request: what the gateway must know of it, and the few edits that it makes.

Source: OpenAI's API reference, "Create chat completion". The token cap has two names: `max_completion_tokens`, and
`max_tokens` before it, which is the one that most compatible servers know.
"""

from typing import Any

from oneapi.dialects import request
from oneapi.dialects.request import RequestFacts

MAX_CHOICES = 128
CAPS = ("max_completion_tokens", "max_tokens")


def inspect(body: bytes) -> RequestFacts:
    """The facts. Raises GatewayError 400."""
    raw = request.decode(body)
    model = request.text(raw, "model")
    request.required_list(raw, "messages")
    choices = request.whole(raw, "n") or 1
    if choices > MAX_CHOICES:
        raise request.refuse(f"'n' must be at most {MAX_CHOICES}.", "n")
    options = raw.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise request.refuse("'stream_options' must be an object.", "stream_options")
    caps = [cap for cap in (request.whole(raw, name) for name in CAPS) if cap is not None]
    return RequestFacts(
        model=model,
        stream=request.flag(raw, "stream"),
        # Which of the two an upstream obeys isn't known: only the larger one is a bound.
        max_output=max(caps, default=None),
        choices=choices,
        prompt_bytes=request.prompt_bytes(body, raw),
        messages=request.size(raw, "messages"),
        tools=request.size(raw, "tools") + request.size(raw, "functions"),
        wants_usage=(options or {}).get("include_usage") is True,
        raw=raw,
    )


def prepare(
    body: bytes,
    facts: RequestFacts,
    upstream_model: str,
    *,
    max_output: int | None = None,
    include_usage: bool = True,
    max_output_field: str = "max_tokens",
) -> bytes:
    """The body for the upstream: its name of the model, usage asked for in a stream, and a token cap where one is set.

    A cap of the client's own is lowered in the field that the client used; where it had none, `max_output_field` is.
    """
    changes: dict[str, Any] = {}
    if upstream_model != facts.model:
        changes["model"] = upstream_model
    if facts.stream and include_usage and not facts.wants_usage:
        changes["stream_options"] = {**(facts.raw.get("stream_options") or {}), "include_usage": True}
    if max_output is not None:
        given = [name for name in CAPS if facts.raw.get(name) is not None]
        for name in given or [max_output_field]:
            if facts.raw.get(name) is None or facts.raw[name] > max_output:
                changes[name] = max_output
    return request.edit(body, changes) if changes else body
