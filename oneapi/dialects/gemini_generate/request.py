"""A request: what the gateway must know of it, and its few edits.

Source: Google's Gemini API reference, "Generating content". The address names the model and says whether to stream, so
both are told beside the body; among the facts they stand with the body's own fields. Usage is always in the answer.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from oneapi.dialects import request
from oneapi.dialects.canonical.reading import objects
from oneapi.dialects.gemini_generate.conversation import IN_PATH
from oneapi.dialects.gemini_generate.spelling import camel, field
from oneapi.dialects.request import RequestFacts

CONFIG, CAP, MODALITIES = "generationConfig", "maxOutputTokens", "responseModalities"
_EVERY_MODALITY = frozenset({"text", "image", "audio"})
_SPELLINGS = (CONFIG, "generation_config")
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def inspect(body: bytes, *, model: str, stream: bool) -> RequestFacts:
    """The facts of a request to the model that its address names. Raises GatewayError 400."""
    raw = {**request.decode(body), "model": model.removeprefix("models/"), "stream": stream}
    model = request.text(raw, "model")
    request.required_list(raw, "contents")
    config = camel(_config(raw))
    return RequestFacts(
        model=model,
        stream=stream,
        max_output=request.whole(config, CAP),
        choices=request.whole(config, "candidateCount") or 1,
        prompt_bytes=request.prompt_bytes(body, raw),
        messages=request.size(raw, "contents"),
        tools=_tools(raw.get("tools")),
        wants_usage=True,
        raw=raw,
    )


def _config(raw: Mapping[str, Any]) -> dict[str, Any]:
    for name in _SPELLINGS:
        if raw.get(name) is not None:
            if not isinstance(raw[name], dict):
                raise request.refuse(f"'{name}' must be an object.", name)
            return dict(raw[name])
    return {}


def response_modalities(raw: Mapping[str, Any]) -> frozenset[str]:
    """What an answer may consist of, in lower case: a model that draws does so unless it is told otherwise."""
    asked = camel(_config(raw)).get(MODALITIES)
    named = (
        frozenset(kind.lower() for kind in asked if isinstance(kind, str)) if isinstance(asked, list) else frozenset()
    )
    return named or _EVERY_MODALITY


def _tools(tools: object) -> int:
    """Functions, and each of Google's own tools."""
    declared = [field(tool, "functionDeclarations") for tool in objects(tools)]
    return sum(len(functions) if isinstance(functions, list) else 1 for functions in declared)


def prepare(
    body: bytes,
    facts: RequestFacts,
    upstream_model: str,
    *,
    max_output: int | None = None,
    include_usage: bool = True,
    max_output_field: str = "",
) -> bytes:
    """The body for the upstream: the token cap lowered, or set, where one is set; nothing in it names a model."""
    del upstream_model, include_usage, max_output_field
    name = next((name for name in _SPELLINGS if facts.raw.get(name) is not None), CONFIG)
    if max_output is not None and (facts.max_output is None or facts.max_output > max_output):
        config = {key: value for key, value in _config(facts.raw).items() if camel({key: 0}) != {CAP: 0}}
        body = request.edit(body, {name: {**config, CAP: max_output}})
    if b'"model"' in body or b'"stream"' in body:
        fields = _fields.decode(body)
        if not IN_PATH.isdisjoint(fields):
            return msgspec.json.encode({key: value for key, value in fields.items() if key not in IN_PATH})
    return body
