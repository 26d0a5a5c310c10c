"""A whole chat completion request, both ways.

Source: OpenAI's API reference, "Create chat completion". Settings of this same format are repeated as they came; those
of another one are written in this format's names, or lost, or refused. It must not know the other formats.
"""

from typing import Any

from oneapi.dialects.canonical import sampling
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.reading import Fields, member, string
from oneapi.dialects.canonical.requests import EFFORTS, OutputFormat, Request, Thinking
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.canonical.thinking import clamp_effort, effort_of
from oneapi.dialects.openai_chat.content import NAME
from oneapi.dialects.openai_chat.message_encoder import encode_messages, repeat
from oneapi.dialects.openai_chat.messages import decode_messages
from oneapi.dialects.openai_chat.tools import (
    decode_choice,
    decode_functions,
    decode_tools,
    encode_choice,
    encode_tools,
    repeat_function,
    repeat_tool,
)
from oneapi.dialects.request import refuse

SCHEMA_NAME = "response"
MAX_STOPS = 4
_SEEDS = (-(2**63), 2**63 - 1)
_TIERS = frozenset({"auto", "default", "flex", "priority", "scale", "fast"})
_LEGACY = "functions"


def decode_request(raw: dict[str, Any], seal: Seal) -> Request:
    """Raises GatewayError 400 for what is no chat; what only isn't known stays in `rest`."""
    fields = Fields(raw)
    model, messages = fields.text("model"), fields.items("messages")
    if not model or messages is None:
        raise refuse("'model' and 'messages' are needed.", "messages" if model else "model")
    tools, functions = fields.items("tools"), fields.items(_LEGACY)
    before = dict(fields.rest)
    request = Request(
        dialect=NAME,
        model=model,
        messages=decode_messages(messages, seal),
        tools=decode_tools(tools) if tools is not None else decode_functions(functions or []),
        shape="tools" if tools is not None else _LEGACY if functions is not None else "",
        tool_choice=_choice(fields),
        parallel_tools=fields.flag("parallel_tool_calls"),
        max_output=_cap(fields),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.whole("top_k"),
        stop=_stop(fields),
        thinking=_thinking(fields),
        output=_output(fields),
        verbosity=fields.text("verbosity"),
        choices=fields.whole("n") or 1,
        logprobs=fields.flag("logprobs") or False,
        top_logprobs=fields.whole("top_logprobs"),
        user=_user(fields),
        cache_key=fields.text("prompt_cache_key"),
        service_tier=fields.text("service_tier"),
        stream=fields.flag("stream") or False,
        include_usage=_include_usage(fields),
        search=fields.object("web_search_options"),
    )
    request.rest = fields.rest
    request.kept = {name: value for name, value in before.items() if name not in fields.rest}
    return request


def _choice(fields: Fields) -> Any:
    choice = decode_choice(fields.rest.get("tool_choice"))
    if choice is not None:
        del fields.rest["tool_choice"]
        return choice
    legacy = fields.rest.get("function_call")
    if isinstance(legacy, dict) and isinstance(legacy.get("name"), str):
        choice = decode_choice({"type": "function", "function": legacy})
    elif legacy in {"auto", "none"} if isinstance(legacy, str) else False:
        choice = decode_choice(legacy)
    if choice is not None:
        del fields.rest["function_call"]
    return choice


def _cap(fields: Fields) -> int | None:
    newer, older = fields.whole("max_completion_tokens"), fields.whole("max_tokens")
    return newer if newer is not None else older


def _stop(fields: Fields) -> list[str]:
    one = fields.text("stop")
    if one is not None:
        return [one]
    several = fields.rest.get("stop")
    if isinstance(several, list) and all(isinstance(text, str) for text in several):
        del fields.rest["stop"]
        return several
    return []


def _thinking(fields: Fields) -> Thinking | None:
    effort = fields.rest.get("reasoning_effort")
    reasoning, switch = fields.rest.get("reasoning"), fields.rest.get("thinking")
    known = [level for level in EFFORTS if level == effort]
    if known:
        del fields.rest["reasoning_effort"]
        return Thinking(effort=known[0])
    if isinstance(reasoning, dict) and (reasoning.get("effort") in EFFORTS or reasoning.get("max_tokens")):
        del fields.rest["reasoning"]
        budget = reasoning.get("max_tokens")
        levels = [level for level in EFFORTS if level == reasoning.get("effort")]
        return Thinking(
            effort=levels[0] if levels else None,
            budget=budget if isinstance(budget, int) and budget > 0 else None,
            visible=reasoning.get("exclude") is not True,
        )
    if isinstance(switch, dict) and switch.get("type") in ("enabled", "disabled"):
        # As several vendors have it.
        del fields.rest["thinking"]
        return Thinking(enabled=switch["type"] == "enabled")
    return None


def _output(fields: Fields) -> OutputFormat | None:
    form = fields.rest.get("response_format")
    kind, inner = member(form, "type"), member(form, "json_schema")
    if kind not in ("text", "json_object", "json_schema") or (kind == "json_schema" and not isinstance(inner, dict)):
        return None
    del fields.rest["response_format"]
    if kind == "text":
        return None
    if kind == "json_object":
        return OutputFormat()
    schema, strict, description = inner.get("schema"), inner.get("strict"), inner.get("description")
    return OutputFormat(
        schema=schema if isinstance(schema, dict) else {"type": "object"},
        name=string(inner.get("name")),
        strict=strict if isinstance(strict, bool) else None,
        description=description if isinstance(description, str) else None,
    )


def _user(fields: Fields) -> str | None:
    identifier, user = fields.text("safety_identifier"), fields.text("user")
    return identifier or user


def _include_usage(fields: Fields) -> bool:
    options = fields.rest.get("stream_options")
    if isinstance(options, dict) and set(options) <= {"include_usage", "include_obfuscation"}:
        del fields.rest["stream_options"]
    return member(options, "include_usage") is True


def encode_request(request: Request, sending: Sending) -> dict[str, Any]:
    """Raises GatewayError 400 for what can't be asked of a chat."""
    if request.dialect == NAME:
        return _repeat(request, sending)
    names = (sampling.SEED, *(sampling.PENALTIES if sending.profile.sampling else ()))
    sampled, rest = sampling.take(request.rest, {name: name for name in names}, sending.losses, seeds=_SEEDS)
    sending.losses.settings(rest, request.beyond)
    value: dict[str, Any] = {"model": sending.model, "messages": encode_messages(request.messages, sending)}
    tools, search = encode_tools(request.tools, sending)
    if tools:
        value["tools"] = tools
        if request.tool_choice is not None:
            value["tool_choice"] = encode_choice(request.tool_choice, request.tools)
        if request.parallel_tools is not None:
            value["parallel_tool_calls"] = request.parallel_tools
    elif request.tool_choice is not None and request.tool_choice.kind:
        encode_choice(request.tool_choice, request.tools)
    if search is not None:
        value["web_search_options"] = search
    value |= sampled
    _write_limits(request, value, sending)
    _write_settings(request, value, sending)
    return value


def _repeat(request: Request, sending: Sending) -> dict[str, Any]:
    value = {"model": sending.model, "messages": [repeat(message) for message in request.messages]}
    if request.shape == "tools":
        value["tools"] = [repeat_tool(tool) for tool in request.tools]
    elif request.shape == _LEGACY:
        value[_LEGACY] = [repeat_function(tool) for tool in request.tools]
    return {**value, **request.kept, **request.rest}


def _write_limits(request: Request, value: dict[str, Any], sending: Sending) -> None:
    caps = [cap for cap in (request.max_output, sending.max_output) if cap is not None]
    if caps:
        value[sending.profile.cap_field] = min(caps)
    stops = [text for text in request.stop if text]
    if stops:
        value["stop"] = stops[:MAX_STOPS]
    if sending.profile.sampling:
        for name in ("temperature", "top_p"):
            if getattr(request, name) is not None:
                value[name] = getattr(request, name)
    else:
        for name in ("temperature", "top_p"):
            if getattr(request, name) not in {None, 1}:
                sending.losses.add(name)
    if request.top_k is not None:
        sending.losses.add("top_k")


def _write_settings(request: Request, value: dict[str, Any], sending: Sending) -> None:
    if request.stream:
        value |= {"stream": True, "stream_options": {"include_usage": True}}
    if request.output is not None:
        value["response_format"] = _response_format(request.output)
    effort = effort_of(request.thinking, request.max_output)
    if effort is not None:
        effort = clamp_effort(effort, sending)
        if effort is not None:
            value["reasoning_effort"] = effort
    if request.verbosity is not None:
        value["verbosity"] = request.verbosity
    if request.logprobs:
        value["logprobs"] = True
    if request.top_logprobs is not None and request.logprobs:
        value["top_logprobs"] = request.top_logprobs
    if request.user is not None:
        value["user"] = request.user
    if request.cache_key is not None:
        value["prompt_cache_key"] = request.cache_key
    if request.service_tier is not None:
        if request.service_tier not in _TIERS:
            sending.losses.add("service_tier")
        elif request.service_tier != "auto":
            value["service_tier"] = request.service_tier
    if request.choices != 1:
        raise unsupported("n")


def _response_format(output: OutputFormat) -> dict[str, Any]:
    if output.schema is None:
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": output.name or SCHEMA_NAME, "schema": output.schema}
    if output.strict is not None:
        schema["strict"] = output.strict
    if output.description is not None:
        schema["description"] = output.description
    return {"type": "json_schema", "json_schema": schema}
