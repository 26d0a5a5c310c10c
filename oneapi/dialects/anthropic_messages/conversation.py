"""A whole Messages request, both ways.

Source: Anthropic's API reference, "Create a Message". Settings of this same format are repeated as they came; those of
another one are written in this format's names, or lost, or refused. It must not know the other formats.
"""

import hashlib
from typing import Any, cast

from oneapi.dialects.anthropic_messages.blocks import NAME
from oneapi.dialects.anthropic_messages.messages import (
    decode_messages,
    decode_system,
    encode_messages,
    has_thoughts_for_calls,
    repeat_messages,
)
from oneapi.dialects.anthropic_messages.tools import (
    decode_choice,
    decode_tools,
    encode_choice,
    encode_tools,
    repeat_tool,
)
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.reading import Fields, member
from oneapi.dialects.canonical.requests import EFFORTS, Effort, OutputFormat, Request, Thinking
from oneapi.dialects.canonical.schemas import closed
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.canonical.thinking import clamp_effort, effort_of, fitted_budget
from oneapi.dialects.request import refuse

_TIERS = {"auto": "auto", "standard_only": "default"}
_MAX_TEMPERATURE = 1.0


def decode_request(raw: dict[str, Any], seal: Seal) -> Request:
    """Raises GatewayError 400 for what is no conversation; what only isn't known stays in `rest`."""
    fields = Fields(raw)
    model, messages = fields.text("model"), fields.items("messages")
    if not model or messages is None:
        raise refuse("'model' and 'messages' are needed.", "messages" if model else "model")
    system = decode_system(fields.rest.get("system"), seal)
    if system is not None:
        del fields.rest["system"]
    tools = fields.items("tools")
    before = dict(fields.rest)
    choice, parallel = decode_choice(fields.rest.get("tool_choice"))
    if choice is not None or parallel is not None:
        del fields.rest["tool_choice"]
    request = Request(
        dialect=NAME,
        model=model,
        messages=[*([system] if system is not None else []), *decode_messages(messages, seal)],
        tools=decode_tools(tools),
        shape="tools" if tools is not None else "",
        tool_choice=choice,
        parallel_tools=parallel,
        max_output=fields.whole("max_tokens"),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.whole("top_k"),
        stop=_stops(fields),
        thinking=_thinking(fields),
        output=_output(fields),
        user=_user(fields),
        service_tier=_tier(fields),
        stream=fields.flag("stream") or False,
        include_usage=True,
    )
    request.rest = fields.rest
    request.kept = {name: value for name, value in before.items() if fields.rest.get(name) != value}
    return request


def _stops(fields: Fields) -> list[str]:
    several = fields.rest.get("stop_sequences")
    if isinstance(several, list) and all(isinstance(text, str) for text in several):
        del fields.rest["stop_sequences"]
        return several
    return []


def _thinking(fields: Fields) -> Thinking | None:
    effort = member(fields.rest.get("output_config"), "effort")
    raw = fields.rest.get("thinking")
    found = Thinking(effort=cast(Effort, effort) if effort in EFFORTS else None)
    match raw:
        case {"type": "enabled", "budget_tokens": int() as budget}:
            found.enabled, found.budget = True, budget
        case {"type": "adaptive"}:
            found.enabled = True
        case {"type": "disabled"}:
            found.enabled = False
        case _:
            return found if found.effort is not None else None
    del fields.rest["thinking"]
    display = member(raw, "display")
    found.visible = None if display is None else display != "omitted"
    return found


def _output(fields: Fields) -> OutputFormat | None:
    config = fields.object("output_config") or {}
    form = config.get("format")
    if form is None:
        form = fields.object("output_format")
    leftover = {name: value for name, value in config.items() if name not in {"format", "effort"}}
    if leftover:
        fields.rest["output_config"] = leftover
    schema = member(form, "schema")
    return OutputFormat(schema=schema) if isinstance(schema, dict) else None


def _user(fields: Fields) -> str | None:
    """No other provider gets the id itself: clients put devices and sessions in it."""
    metadata = fields.rest.get("metadata")
    user = member(metadata, "user_id")
    if not isinstance(metadata, dict) or not isinstance(user, str):
        return None
    if set(metadata) == {"user_id"}:
        del fields.rest["metadata"]
    return hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()


def _tier(fields: Fields) -> str | None:
    tier = fields.rest.get("service_tier")
    if not isinstance(tier, str) or tier not in _TIERS:
        return None
    del fields.rest["service_tier"]
    return _TIERS[tier]


def encode_request(request: Request, sending: Sending) -> dict[str, Any]:
    """Raises GatewayError 400 for what can't be asked of this format."""
    if request.dialect == NAME:
        return _repeat(request, sending)
    _refuse(request)
    sending.losses.settings(request.rest, request.beyond)
    caps = [cap for cap in (request.max_output, sending.max_output) if cap is not None]
    cap = min(caps, default=sending.profile.max_output)
    value: dict[str, Any] = {"model": sending.model, "max_tokens": cap}
    value |= encode_messages(request.messages, sending)
    thinking = _encode_thinking(request, sending, cap)
    config = thinking.pop("output_config", {})
    value |= thinking
    thinks = thinking.get("thinking", {}).get("type") in {"enabled", "adaptive"}
    tools = encode_tools(request.tools, request.tool_choice, sending)
    if tools:
        value["tools"] = tools
    choice = encode_choice(request, sending, thinking=thinks, offered=bool(tools))
    if choice is not None:
        value["tool_choice"] = choice
    if request.output is not None and request.output.schema is not None:
        config["format"] = {"type": "json_schema", "schema": closed(request.output.schema)}
        if request.output.description is not None:
            sending.losses.add("schema_name")
    if config:
        value["output_config"] = config
    _write_sampling(request, value, sending, thinks=thinks)
    _write_settings(request, value, sending)
    return value


def _repeat(request: Request, sending: Sending) -> dict[str, Any]:
    value = {"model": sending.model, **repeat_messages(request.messages)}
    if request.shape:
        value["tools"] = [repeat_tool(tool) for tool in request.tools]
    return {**value, **request.rest, **request.kept}


def _refuse(request: Request) -> None:
    if request.choices != 1:
        raise unsupported("n")
    if request.logprobs:
        raise unsupported("logprobs")


def _encode_thinking(request: Request, sending: Sending, cap: int) -> dict[str, Any]:
    """`thinking`, and `output_config` with the effort; nothing where the request leaves it to the model."""
    effort = effort_of(request.thinking, request.max_output)
    if request.thinking is None or effort is None:
        return {}
    if effort == "none":
        return {"thinking": {"type": "disabled"}} if sending.profile.thinking == "effort" else {}
    if sending.profile.thinking == "none":
        sending.losses.add("effort")
        return {}
    if not has_thoughts_for_calls(request.messages, sending):
        sending.losses.add("thinking")
        return {}
    if sending.profile.thinking == "budget":
        budget = fitted_budget(request.thinking, effort, cap)
        if budget is None:
            sending.losses.add("thinking")
            return {}
        return {"thinking": {"type": "enabled", "budget_tokens": budget}}
    found = clamp_effort("low" if effort == "minimal" else effort, sending)
    thinking = {"type": "adaptive"} | ({"display": "summarized"} if request.thinking.visible else {})
    return {"thinking": thinking, **({"output_config": {"effort": found}} if found else {})}


def _write_sampling(request: Request, value: dict[str, Any], sending: Sending, *, thinks: bool) -> None:
    if not sending.profile.sampling or thinks:
        for name in ("temperature", "top_p", "top_k"):
            if getattr(request, name) not in {None, 1}:
                sending.losses.add(name)
        return
    if request.temperature is not None:
        value["temperature"] = min(request.temperature, _MAX_TEMPERATURE)
        if request.temperature > _MAX_TEMPERATURE:
            sending.losses.add("temperature")
    if request.top_p is not None and request.temperature is None:
        value["top_p"] = request.top_p
    elif request.top_p not in {None, 1}:
        sending.losses.add("top_p")
    if request.top_k is not None:
        value["top_k"] = request.top_k


def _write_settings(request: Request, value: dict[str, Any], sending: Sending) -> None:
    stops = [text for text in request.stop if text.strip()]
    if stops:
        value["stop_sequences"] = stops
    if len(stops) < len([text for text in request.stop if text]):
        sending.losses.add("stop")
    if request.stream:
        value["stream"] = True
    if request.user is not None:
        value["metadata"] = {"user_id": request.user}
    if request.verbosity is not None:
        sending.losses.add("verbosity")
    if request.cache_key is not None:
        sending.losses.add("prompt_cache_key")
    if request.search is not None:
        sending.losses.add("search_options")
    if request.service_tier == "default":
        value["service_tier"] = "standard_only"
    elif request.service_tier not in {None, "auto"}:
        sending.losses.add("service_tier")
