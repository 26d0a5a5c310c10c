"""An embeddings request. Source: OpenAI's API reference, "Create embeddings"."""

from oneapi.dialects import request
from oneapi.dialects.request import RequestFacts


def inspect(body: bytes) -> RequestFacts:
    """The facts. Raises GatewayError 400."""
    raw = request.decode(body)
    model = request.text(raw, "model")
    given = raw.get("input")
    if not isinstance(given, str | list) or not given:
        raise request.refuse("'input' must be a text, or a list of texts or of tokens.", "input")
    return RequestFacts(
        model=model,
        stream=False,
        max_output=0,
        choices=1,
        prompt_bytes=request.prompt_bytes(body, raw),
        messages=len(given) if isinstance(given, list) else 1,
        tools=0,
        wants_usage=False,
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
    """The body with the upstream's name of the model. There is no output to cap and no stream to ask usage in."""
    del max_output, include_usage, max_output_field
    return body if upstream_model == facts.model else request.edit(body, {"model": upstream_model})
