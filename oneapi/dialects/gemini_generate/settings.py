"""A request's settings beyond its contents, both ways.

Google's own form is `generationConfig`. What the one model doesn't have goes into a request's `rest` under the name of
what is lost, or refused, without it.
"""

from collections.abc import Mapping
from typing import Any

from oneapi.dialects.canonical import sampling
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.reading import Fields
from oneapi.dialects.canonical.requests import EFFORTS, Effort, OutputFormat, Request, Thinking
from oneapi.dialects.canonical.thinking import clamp_effort, effort_of, fitted_budget
from oneapi.dialects.gemini_generate.schemas import json_schema
from oneapi.dialects.gemini_generate.spelling import camel

MAX_STOPS = 5
MAX_BUDGET = 24_576
"""What every model takes that is told a budget."""
MAX_LOGPROBS = 20

_JSON = "application/json"
_MAX_TEMPERATURE = 2.0
_SEEDS = (-(2**31), 2**31 - 1)
_TIERS = {"flex": "flex", "standard": "default", "priority": "priority"}
_NAMES = {
    "frequencyPenalty": "frequency_penalty",
    "imageConfig": "image",
    "mediaResolution": "detail",
    "presencePenalty": "presence_penalty",
    "responseModalities": "modalities",
    "seed": "seed",
    "speechConfig": "audio",
}
_OUTSIDE = {
    "labels": "metadata",
    "safetySettings": "moderation",
    "store": "store",
}


def decode_config(raw: object, request: Request) -> None:
    """Takes `generationConfig` into the request."""
    fields = Fields(camel(raw))
    request.max_output = fields.whole("maxOutputTokens")
    request.temperature = fields.number("temperature")
    request.top_p = fields.number("topP")
    top_k = fields.number("topK")
    request.top_k = None if top_k is None else int(top_k)
    request.stop = [text for text in fields.items("stopSequences") or [] if isinstance(text, str)]
    request.choices = fields.whole("candidateCount") or 1
    request.logprobs = fields.flag("responseLogprobs") or False
    request.top_logprobs = fields.whole("logprobs")
    request.output = _output(fields)
    request.thinking = _thinking(fields)
    for name, value in fields.rest.items():
        if name == "responseModalities" and isinstance(value, list):
            value = [str(kind).lower() for kind in value]  # noqa: PLW2901
        request.rest[_NAMES.get(name, f"generationConfig.{name}")] = value


def _output(fields: Fields) -> OutputFormat | None:
    schema = fields.object("responseJsonSchema")
    older = fields.object("responseSchema")
    if fields.rest.get("responseMimeType") == "text/plain":
        del fields.rest["responseMimeType"]
        return None
    if fields.rest.get("responseMimeType") != _JSON:
        return None
    del fields.rest["responseMimeType"]
    return OutputFormat(schema=schema or (json_schema(older) if older is not None else None))


def _thinking(fields: Fields) -> Thinking | None:
    raw = fields.object("thinkingConfig")
    if raw is None:
        return None
    config = Fields(camel(raw))
    budget, level = config.whole("thinkingBudget"), (config.text("thinkingLevel") or "").lower()
    return Thinking(
        effort=next((effort for effort in EFFORTS if effort == level), None),
        budget=budget if budget is not None and budget > 0 else None,
        enabled=None if budget is None else budget != 0,
        visible=config.flag("includeThoughts") or False,
    )


def decode_outside(fields: Fields, request: Request) -> None:
    """Takes what stands beside `generationConfig`."""
    tier = fields.rest.get("serviceTier")
    if isinstance(tier, str) and tier.lower() in _TIERS:
        request.service_tier = _TIERS[tier.lower()]
        del fields.rest["serviceTier"]
    for name, value in fields.rest.items():
        request.rest[_OUTSIDE.get(name, name)] = value


def take_sampling(rest: Mapping[str, Any], sending: Sending) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of a request's rest belongs into `generationConfig`, and what is left."""
    spelled = {name: own for own, name in _NAMES.items() if name == sampling.SEED}
    if sending.profile.penalties:
        spelled |= {name: own for own, name in _NAMES.items() if name in sampling.PENALTIES}
    return sampling.take(rest, spelled, sending.losses, seeds=_SEEDS)


def encode_settings(request: Request, sampled: dict[str, Any], sending: Sending) -> dict[str, Any]:
    """`generationConfig`, with what was taken of the rest, and what stands beside it, of another format's request."""
    config = dict(sampled)
    caps = [cap for cap in (request.max_output, sending.max_output) if cap is not None]
    if caps:
        config["maxOutputTokens"] = min(caps)
    stops = [text for text in request.stop if text]
    if stops:
        config["stopSequences"] = stops[:MAX_STOPS]
    _write_sampling(request, config, sending)
    if request.output is not None:
        config["responseMimeType"] = _JSON
        if request.output.schema is not None:
            config["responseJsonSchema"] = request.output.schema
        if request.output.description is not None:
            sending.losses.add("schema_name")
    if request.logprobs:
        config["responseLogprobs"] = True
        if request.top_logprobs:
            config["logprobs"] = min(request.top_logprobs, MAX_LOGPROBS)
    thinking = _encode_thinking(request, sending, min(caps, default=sending.profile.max_output))
    if thinking:
        config["thinkingConfig"] = thinking
    value: dict[str, Any] = {"generationConfig": config} if config else {}
    _write_outside(request, value, sending)
    return value


def _write_sampling(request: Request, config: dict[str, Any], sending: Sending) -> None:
    names = {"temperature": "temperature", "top_p": "topP", "top_k": "topK"}
    for name, spelled in names.items():
        given = getattr(request, name)
        if given is not None and sending.profile.sampling:
            config[spelled] = given
        elif given not in {None, 1}:
            sending.losses.add(name)
    if config.get("temperature", 0) > _MAX_TEMPERATURE:
        config["temperature"] = _MAX_TEMPERATURE
        sending.losses.add("temperature")


def _encode_thinking(request: Request, sending: Sending, cap: int) -> dict[str, Any]:
    """How much to think, and that thoughts are wanted where they would be shown; nothing leaves it to the model."""
    asked, profile = request.thinking, sending.profile
    if asked is None:
        return {}
    effort = effort_of(asked, request.max_output)
    shown = {"includeThoughts": True} if asked.visible is not False and effort != "none" else {}
    if profile.thinking == "none":
        if effort not in {None, "none"}:
            sending.losses.add("effort")
        return {}
    if effort is None:
        return shown
    if profile.thinking == "budget":
        budget = 0 if effort == "none" else _budget(asked, effort, cap, sending)
        return shown if budget is None else {**shown, "thinkingBudget": budget}
    found = clamp_effort(effort, sending)
    if found is None:
        return shown
    level = {"none": "minimal", "xhigh": "high", "max": "high"}.get(found, found)
    if level != found:
        sending.losses.add("effort", f"{found}:{level}")
    return {**shown, "thinkingLevel": level.upper()}


def _budget(asked: Thinking, effort: Effort, cap: int, sending: Sending) -> int | None:
    budget = fitted_budget(asked, effort, cap)
    if budget is None:
        sending.losses.add("effort")
        return None
    return min(budget, MAX_BUDGET)


def _write_outside(request: Request, value: dict[str, Any], sending: Sending) -> None:
    tiers = {canonical: spelled for spelled, canonical in _TIERS.items()}
    if request.service_tier in tiers:
        value["serviceTier"] = tiers[request.service_tier]
    elif request.service_tier not in {None, "auto"}:
        sending.losses.add("service_tier")
    lost = {
        "verbosity": request.verbosity,
        "prompt_cache_key": request.cache_key,
        "search_options": request.search,
        "user": request.user,
    }
    for name, given in lost.items():
        if given is not None:
            sending.losses.add(name)
