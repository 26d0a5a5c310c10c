"""A whole request for a response, both ways.

Source: OpenAI's API reference, "Create a model response". Settings of this same format are repeated as they came; those
of another one are written in this format's names, or lost, or refused. It must not know the other formats.
"""

import hashlib
from typing import Any, cast

import msgspec

from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.parts import Message, Text
from oneapi.dialects.canonical.reading import Fields, member, objects, string
from oneapi.dialects.canonical.requests import EFFORTS, OutputFormat, Request, Thinking
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.canonical.thinking import clamp_effort, effort_of
from oneapi.dialects.openai_responses.conversation_items import decode_item, encode_items, repeat_item
from oneapi.dialects.openai_responses.parts import NAME
from oneapi.dialects.openai_responses.request import ENCRYPTED
from oneapi.dialects.openai_responses.tools import (
    decode_choice,
    decode_tools,
    encode_choice,
    encode_tools,
    repeat_tool,
)
from oneapi.dialects.request import refuse

MIN_OUTPUT = 16
SCHEMA_NAME = "response"
LOGPROBS = "message.output_text.logprobs"
_TIERS = frozenset({"auto", "default", "flex", "priority", "scale", "fast"})
_MAX_USER = 64


def decode_request(raw: dict[str, Any], seal: Seal) -> Request:
    """Raises GatewayError 400 for what is no conversation; what only isn't known stays in `rest`."""
    fields = Fields(raw)
    model = fields.text("model")
    if not model:
        raise refuse("'model' is needed.", "model")
    messages, shape = _input(fields, seal)
    instructions = fields.text("instructions")
    if instructions is not None:
        messages.insert(0, Message(role="system", parts=[Text(text=instructions)], top=True))
    elif fields.rest.get("instructions") is not None:
        raise refuse("'instructions' must be a text.", "instructions")
    tools = fields.items("tools")
    before = dict(fields.rest)
    include = _include(fields)
    request = Request(
        dialect=NAME,
        model=model,
        messages=messages,
        tools=decode_tools(tools),
        shape=shape + ("+tools" if tools is not None else ""),
        tool_choice=_choice(fields),
        parallel_tools=fields.flag("parallel_tool_calls"),
        max_output=fields.whole("max_output_tokens"),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        thinking=_thinking(fields),
        output=_output(fields),
        verbosity=_verbosity(fields),
        logprobs=LOGPROBS in include,
        top_logprobs=fields.whole("top_logprobs"),
        user=_user(fields),
        cache_key=fields.text("prompt_cache_key"),
        service_tier=fields.text("service_tier"),
        stream=fields.flag("stream") or False,
        include_usage=True,
    )
    raw_reasoning = raw.get("reasoning")
    request.beyond = [
        f"reasoning_{name}" for name in ("mode", "context") if member(raw_reasoning, name) not in (None, "standard")
    ]
    request.rest = fields.rest
    request.kept = {name: value for name, value in before.items() if fields.rest.get(name) != value}
    return request


def _input(fields: Fields, seal: Seal) -> tuple[list[Message], str]:
    text, items = fields.text("input"), fields.items("input")
    if text is not None:
        return [Message(role="user", parts=[Text(text=text)])], "text"
    if items is None:
        return [], ""
    if not all(isinstance(item, dict) for item in items):
        raise refuse("'input' must be a list of objects.", "input")
    return [decode_item(item, seal) for item in items], "list"


def _include(fields: Fields) -> list[str]:
    include = fields.rest.get("include")
    if not isinstance(include, list) or any(item not in (ENCRYPTED, LOGPROBS) for item in include):
        return []
    del fields.rest["include"]
    return include


def _choice(fields: Fields) -> Any:
    choice = decode_choice(fields.rest.get("tool_choice"))
    if choice is not None:
        del fields.rest["tool_choice"]
    return choice


def _thinking(fields: Fields) -> Thinking | None:
    raw = fields.object("reasoning")
    if raw is None:
        return None
    effort, summary = raw.get("effort"), raw.get("summary", raw.get("generate_summary"))
    if effort is None and summary is None:
        return None
    known = [level for level in EFFORTS if level == effort]
    return Thinking(effort=known[0] if known else None, visible=True if summary is not None else None)


def _output(fields: Fields) -> OutputFormat | None:
    form = member(fields.rest.get("text"), "format")
    kind, schema = member(form, "type"), member(form, "schema")
    if kind == "json_object":
        return OutputFormat()
    if kind != "json_schema" or not isinstance(form, dict) or not isinstance(schema, dict):
        return None
    strict, description = form.get("strict"), form.get("description")
    return OutputFormat(
        schema=schema,
        name=string(form.get("name")),
        strict=strict if isinstance(strict, bool) else None,
        description=description if isinstance(description, str) else None,
    )


def _verbosity(fields: Fields) -> str | None:
    text = fields.rest.get("text")
    if not isinstance(text, dict):
        return None
    if set(text) <= {"format", "verbosity"}:
        del fields.rest["text"]
    return string(text.get("verbosity")) or None


def _user(fields: Fields) -> str | None:
    identifier, user = fields.text("safety_identifier"), fields.text("user")
    return identifier or user


def encode_request(request: Request, sending: Sending) -> dict[str, Any]:
    """Raises GatewayError 400 for what can't be asked of this format."""
    if request.dialect == NAME:
        return _repeat(request, sending)
    if request.choices != 1:
        raise unsupported("n")
    sending.losses.settings(request.rest, request.beyond)
    value: dict[str, Any] = {"model": sending.model}
    messages = request.messages
    first = messages[0] if messages else None
    plain = first.parts[0] if first is not None and first.top and len(first.parts) == 1 else None
    if isinstance(plain, Text) and plain.cache is None:
        messages = messages[1:]
        value |= {"instructions": plain.text} if plain.text else {}
    value["input"] = encode_items(messages, sending)
    tools = encode_tools(request.tools, sending)
    if tools:
        value["tools"] = tools
    choice = request.tool_choice
    if choice is not None and (tools or choice.kind):
        value["tool_choice"] = encode_choice(choice, request.tools)
    if request.parallel_tools is not None and tools:
        value["parallel_tool_calls"] = request.parallel_tools
    _write_limits(request, value, sending)
    _write_text(request, value)
    _write_reasoning(request, value, sending)
    _write_settings(request, value, sending)
    return value


def _repeat(request: Request, sending: Sending) -> dict[str, Any]:
    value: dict[str, Any] = {"model": sending.model}
    messages = request.messages
    if messages and messages[0].top:
        value["instructions"] = cast(Text, messages[0].parts[0]).text
        messages = messages[1:]
    shape, _, tools = request.shape.partition("+")
    if shape == "text":
        value["input"] = cast(Text, messages[0].parts[0]).text
    elif shape == "list":
        value["input"] = [repeat_item(message) for message in messages]
    if tools:
        value["tools"] = [repeat_tool(tool) for tool in request.tools]
    return {**value, **request.rest, **request.kept}


def _write_limits(request: Request, value: dict[str, Any], sending: Sending) -> None:
    caps = [cap for cap in (request.max_output, sending.max_output) if cap is not None]
    if caps:
        value["max_output_tokens"] = max(min(caps), MIN_OUTPUT)
    for name in ("temperature", "top_p"):
        setting = getattr(request, name)
        if setting is not None and sending.profile.sampling:
            value[name] = setting
        elif setting not in {None, 1}:
            sending.losses.add(name)
    if request.top_k is not None:
        sending.losses.add("top_k")


def _write_text(request: Request, value: dict[str, Any]) -> None:
    text: dict[str, Any] = {}
    output = request.output
    if output is not None and output.schema is None:
        text["format"] = {"type": "json_object"}
    elif output is not None:
        form = {"type": "json_schema", "name": output.name or SCHEMA_NAME, "schema": output.schema}
        form |= {"description": output.description} if output.description is not None else {}
        text["format"] = form | {"strict": bool(output.strict)}
    if request.verbosity is not None:
        text["verbosity"] = request.verbosity
    if text:
        value["text"] = text


def _write_reasoning(request: Request, value: dict[str, Any], sending: Sending) -> None:
    """Nothing is stored for another format's client, so reasoning comes back encrypted."""
    value["store"] = False
    include = [LOGPROBS] if request.logprobs else []
    effort = effort_of(request.thinking, request.max_output)
    clamped = clamp_effort(effort, sending) if effort is not None else None
    reasoning: dict[str, Any] = {"effort": clamped} if clamped is not None else {}
    thinking = request.thinking
    thinks = thinking is not None and effort != "none" and sending.profile.thinking != "none"
    if thinks and thinking is not None and (thinking.visible or (thinking.visible is None and thinking.enabled)):
        reasoning["summary"] = "auto"
    if reasoning:
        value["reasoning"] = reasoning
    if thinks:
        include.append(ENCRYPTED)
    if include:
        value["include"] = include


def _write_settings(request: Request, value: dict[str, Any], sending: Sending) -> None:
    if request.stream:
        value["stream"] = True
    if request.logprobs and request.top_logprobs is not None:
        value["top_logprobs"] = request.top_logprobs
    if request.user is not None:
        value["safety_identifier" if len(request.user) <= _MAX_USER else "user"] = request.user
    if request.search is not None:
        sending.losses.add("search_options")
    if request.service_tier is not None and request.service_tier not in _TIERS:
        sending.losses.add("service_tier")
    elif request.service_tier not in {None, "auto"}:
        value["service_tier"] = request.service_tier
    if request.cache_key is not None:
        value["prompt_cache_key"] = request.cache_key
    elif any(loss.name == "cache_control" for loss in sending.losses.found):
        # The marks are lost, but what they were for is kept: requests that begin alike share a cache.
        begin = msgspec.json.encode([value.get("instructions"), objects(value["input"])[:1], value.get("tools")])
        value["prompt_cache_key"] = hashlib.sha256(begin).hexdigest()
