"""A whole request.

Source: Cohere's API reference, "Chat" (v2). It must not know the other formats.
"""

from typing import Any

from oneapi.dialects.canonical import sampling
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.thinking import budget_of, effort_of
from oneapi.dialects.cohere_chat.messages import encode_messages
from oneapi.dialects.cohere_chat.tools import encode_tools

MAX_STOPS = 5
MAX_K = 500
MIN_P, MAX_P = 0.01, 0.99
MAX_SEED = 2**64 - 1
_SAMPLING = {name: name for name in (sampling.SEED, *sampling.PENALTIES)}


def encode_request(request: Request, sending: Sending) -> dict[str, Any]:
    """Raises GatewayError 400."""
    if request.choices != 1:
        raise unsupported("n")
    if request.logprobs:
        raise unsupported("logprobs")
    sampled, rest = sampling.take(request.rest, _SAMPLING, sending.losses, seeds=(0, MAX_SEED), penalties=(0, 1))
    sending.losses.settings(rest, request.beyond)
    value: dict[str, Any] = {"model": sending.model, "messages": encode_messages(request.messages, sending)}
    value |= encode_tools(request, sending)
    caps = [cap for cap in (request.max_output, sending.max_output) if cap is not None]
    if caps:
        value["max_tokens"] = min(caps)
    thinking = _thinking(request, sending, min(caps, default=sending.profile.max_output))
    if thinking:
        value["thinking"] = thinking
    if request.output is not None:
        value["response_format"] = {"type": "json_object"}
        if request.output.schema is not None:
            value["response_format"]["json_schema"] = request.output.schema
        if request.output.description is not None:
            sending.losses.add("schema_name")
    value |= sampled
    _write_sampling(request, value, sending)
    _write_settings(request, value, sending)
    return value


def _thinking(request: Request, sending: Sending, cap: int) -> dict[str, Any]:
    """How much to think, in tokens; nothing leaves it to the model."""
    effort = effort_of(request.thinking, request.max_output)
    if request.thinking is None or effort is None:
        return {}
    if sending.profile.thinking != "budget":
        if effort != "none":
            sending.losses.add("effort")
        return {}
    if effort == "none":
        return {"type": "disabled"}
    asked = request.thinking.budget
    budget = budget_of(effort, cap) if asked is None else min(asked, cap - 1)
    if budget is None or budget < 1:
        sending.losses.add("thinking")
        return {"type": "disabled"}
    return {"type": "enabled", "token_budget": budget}


def _write_sampling(request: Request, value: dict[str, Any], sending: Sending) -> None:
    if request.temperature is not None:
        value["temperature"] = request.temperature
    if request.top_k is not None:
        value["k"] = min(request.top_k, MAX_K)
        if request.top_k > MAX_K:
            sending.losses.add("top_k")
    if request.top_p is not None:
        value["p"] = min(max(request.top_p, MIN_P), MAX_P)
        if request.top_p < MIN_P:
            sending.losses.add("top_p")


def _write_settings(request: Request, value: dict[str, Any], sending: Sending) -> None:
    stops = [text for text in request.stop if text]
    if stops:
        value["stop_sequences"] = stops[:MAX_STOPS]
    if request.stream:
        value["stream"] = True
    lost = {
        "verbosity": request.verbosity,
        "prompt_cache_key": request.cache_key,
        "search_options": request.search,
        "user": request.user,
    }
    for name, given in lost.items():
        if given is not None:
            sending.losses.add(name)
    if request.service_tier not in {None, "auto", "default"}:
        sending.losses.add("service_tier")
