"""A request's settings beyond its messages and tools.

Converse has four of its own; what else a model takes goes into `additionalModelRequestFields` in its vendor's spelling,
which the profile says (`vendor_fields`).
"""

from typing import Any

import msgspec

from oneapi.dialects.bedrock_converse.messages import has_thoughts_for_calls
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.schemas import closed
from oneapi.dialects.canonical.thinking import clamp_effort, effort_of, fitted_budget

MAX_STOPS = 4
"""What every model takes that takes any."""
STOP_SEQUENCE = "/stop_sequence"

_MAX_TEMPERATURE = 1.0
_TIERS = frozenset({"flex", "priority"})
_THINKING = frozenset({"enabled", "adaptive"})


def encode_settings(request: Request, sending: Sending) -> dict[str, Any]:
    """Everything but messages and tools, by the fields of a request."""
    value: dict[str, Any] = {}
    inference: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    caps = [cap for cap in (request.max_output, sending.max_output) if cap is not None]
    if caps:
        inference["maxTokens"] = min(caps)
    output = _thinking(request, sending, min(caps, default=sending.profile.max_output), extra)
    _write_sampling(request, inference, extra, sending)
    stops = [text for text in request.stop if text.strip()]
    if stops:
        inference["stopSequences"] = stops[:MAX_STOPS]
        if sending.profile.vendor_fields == "claude":
            value["additionalModelResponseFieldPaths"] = [STOP_SEQUENCE]
    if len(stops) < len([text for text in request.stop if text]):
        sending.losses.add("stop")
    if request.output is not None and request.output.schema is not None:
        output["textFormat"] = _format(request)
    value |= {name: found for name, found in (("inferenceConfig", inference), ("outputConfig", output)) if found}
    if extra:
        value["additionalModelRequestFields"] = extra
    _write_outside(request, value, sending)
    return value


def thinks(value: dict[str, Any]) -> bool:
    """Whether these settings make a model of Anthropic's think, which bars it from being forced to call a tool."""
    thinking = value.get("additionalModelRequestFields", {}).get("thinking", {})
    return thinking.get("type") in _THINKING


def _thinking(request: Request, sending: Sending, cap: int, extra: dict[str, Any]) -> dict[str, Any]:
    """What to think goes into `extra`, and how much into what is returned; nothing leaves it to the model."""
    effort = effort_of(request.thinking, request.max_output)
    if request.thinking is None or effort is None:
        return {}
    profile = sending.profile
    if profile.vendor_fields == "claude" and profile.thinking != "none":
        return _claude(request, sending, cap, extra)
    if profile.vendor_fields == "nova" and effort == "none":
        return {}
    found = clamp_effort(effort, sending) if profile.vendor_fields in {"nova", "openai"} else None
    if profile.vendor_fields == "nova" and found is not None:
        extra["reasoningConfig"] = {"type": "enabled", "maxReasoningEffort": found}
    elif found is not None:
        extra["reasoning_effort"] = found
    elif effort != "none":
        sending.losses.add("effort")
    return {}


def _claude(request: Request, sending: Sending, cap: int, extra: dict[str, Any]) -> dict[str, Any]:
    effort = effort_of(request.thinking, request.max_output)
    if request.thinking is None or effort is None:
        return {}
    if effort == "none":
        if sending.profile.thinking == "effort":
            extra["thinking"] = {"type": "disabled"}
        return {}
    if not has_thoughts_for_calls(request.messages, sending):
        sending.losses.add("thinking")
        return {}
    if sending.profile.thinking == "budget":
        budget = fitted_budget(request.thinking, effort, cap)
        if budget is None:
            sending.losses.add("thinking")
            return {}
        extra["thinking"] = {"type": "enabled", "budget_tokens": budget}
        return {}
    extra["thinking"] = {"type": "adaptive"} | ({"display": "summarized"} if request.thinking.visible else {})
    found = clamp_effort("low" if effort == "minimal" else effort, sending)
    return {"effort": found} if found else {}


def _write_sampling(request: Request, inference: dict[str, Any], extra: dict[str, Any], sending: Sending) -> None:
    vendor = sending.profile.vendor_fields
    if not sending.profile.sampling or extra.get("thinking", {}).get("type") in _THINKING:
        for name in ("temperature", "top_p", "top_k"):
            if getattr(request, name) not in {None, 1}:
                sending.losses.add(name)
        return
    if request.temperature is not None:
        inference["temperature"] = min(request.temperature, _MAX_TEMPERATURE)
        if request.temperature > _MAX_TEMPERATURE:
            sending.losses.add("temperature")
    if request.top_p is not None and (request.temperature is None or vendor != "claude"):
        inference["topP"] = request.top_p
    elif request.top_p not in {None, 1}:
        sending.losses.add("top_p")
    if request.top_k is not None and vendor == "claude":
        extra["top_k"] = request.top_k
    elif request.top_k is not None and vendor == "nova":
        extra["inferenceConfig"] = {"topK": request.top_k}
    elif request.top_k is not None:
        sending.losses.add("top_k")


def _format(request: Request) -> dict[str, Any]:
    output = request.output
    if output is None or output.schema is None:
        return {}
    told: dict[str, Any] = {
        "schema": msgspec.json.encode(closed(output.schema)).decode(),
        "name": output.name or "response",
    }
    if output.description:
        told["description"] = output.description
    return {"type": "json_schema", "structure": {"jsonSchema": told}}


def _write_outside(request: Request, value: dict[str, Any], sending: Sending) -> None:
    tier = request.service_tier
    if tier in _TIERS and sending.profile.vendor_fields != "claude":
        value["serviceTier"] = {"type": tier}
    elif tier not in {None, "auto", "default"}:
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
