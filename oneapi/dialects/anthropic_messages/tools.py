"""Tools of Messages and the choice among them, both ways.

Every tool has an `input_schema` of the type object. Tools with a dated type run at the provider, or at the client in a
way that only Anthropic's models know; a search on the web is the one that formats have in common.
"""

import re
from typing import Any

from oneapi.dialects.anthropic_messages.block_encoder import encode_mark
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.parts import Cache
from oneapi.dialects.canonical.reading import Fields, all_objects, string
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.tools import (
    CustomTool,
    FunctionTool,
    Namespace,
    ProviderTool,
    Tool,
    ToolChoice,
    WebSearch,
)

WEB_SEARCH = "web_search_20250305"
_SEARCH = re.compile(r"web_search_\d+")
_OPTIONS = {"defer_loading": "deferred_tools"}


def decode_tools(raw: object) -> list[Tool]:
    return [_decode(tool) for tool in all_objects(raw, "tools")]


def _decode(raw: dict[str, Any]) -> Tool:
    kind = raw.get("type")
    if kind not in (None, "custom") or not isinstance(raw.get("name"), str):
        return ProviderTool(kind=string(kind) or "tool", value=raw, search=_search(raw, string(kind)))
    fields = Fields(raw)
    mark = fields.object("cache_control")
    return FunctionTool(
        name=fields.text("name") or "",
        description=fields.text("description"),
        schema=fields.object("input_schema"),
        strict=fields.flag("strict"),
        cache=None if mark is None else Cache(long=mark.get("ttl") == "1h", value=mark),
        rest=fields.rest,
    )


def _search(raw: dict[str, Any], kind: str) -> WebSearch | None:
    if not _SEARCH.fullmatch(kind):
        return None
    fields = Fields(raw)
    return WebSearch(
        allowed_domains=[domain for domain in fields.items("allowed_domains") or [] if isinstance(domain, str)],
        blocked_domains=[domain for domain in fields.items("blocked_domains") or [] if isinstance(domain, str)],
        location=fields.object("user_location"),
        max_uses=fields.whole("max_uses"),
    )


def repeat_tool(tool: Tool) -> dict[str, Any]:
    """A tool of this very format, as it was."""
    if isinstance(tool, ProviderTool):
        return dict(tool.value)
    if not isinstance(tool, FunctionTool):
        raise TypeError(type(tool).__name__)
    value: dict[str, Any] = {"name": tool.name}
    found = {"description": tool.description, "input_schema": tool.schema, "strict": tool.strict}
    value |= {name: setting for name, setting in found.items() if setting is not None}
    if tool.cache is not None:
        value["cache_control"] = tool.cache.value
    return {**value, **tool.rest}


def encode_tools(tools: list[Tool], choice: ToolChoice | None, sending: Sending) -> list[dict[str, Any]]:
    """Tools of another format. Where a choice allows only some of them, only those."""
    allowed = set(choice.names) if choice is not None and choice.mode == "some" else None
    out: list[dict[str, Any]] = []
    for tool in tools:
        match tool:
            case FunctionTool():
                if allowed is None or tool.name in allowed:
                    out.append(_function(tool, sending))
            case ProviderTool() if tool.search is not None:
                if sending.profile.web_search:
                    out.append(_web_search(tool.search))
                else:
                    sending.losses.add("built_in_tool", tool.kind)
            case ProviderTool():
                sending.losses.add("built_in_tool", tool.kind)
            case CustomTool() | Namespace():
                raise unsupported("tools", "this upstream has functions only.")
    return out


def _function(tool: FunctionTool, sending: Sending) -> dict[str, Any]:
    value: dict[str, Any] = {"name": tool.name}
    if tool.description:
        value["description"] = tool.description
    schema = tool.schema if tool.schema is not None else {"properties": {}}
    value["input_schema"] = schema if schema.get("type") == "object" else {"type": "object", **schema}
    if tool.strict:
        value["strict"] = True
    if tool.rest.get("defer_loading"):
        sending.losses.add("deferred_tools")
    if tool.cache is not None:
        value["cache_control"] = encode_mark(tool.cache)
    return value


def _web_search(search: WebSearch) -> dict[str, Any]:
    value: dict[str, Any] = {"type": WEB_SEARCH, "name": "web_search"}
    if search.allowed_domains:
        value["allowed_domains"] = search.allowed_domains
    if search.blocked_domains:
        value["blocked_domains"] = search.blocked_domains
    if search.location:
        value["user_location"] = {"type": "approximate", **search.location}
    if search.max_uses:
        value["max_uses"] = search.max_uses
    return value


def decode_choice(raw: object) -> tuple[ToolChoice | None, bool | None]:
    """The choice, and whether calls may be parallel."""
    if not isinstance(raw, dict):
        return None, None
    disabled = raw.get("disable_parallel_tool_use")
    parallel = not disabled if isinstance(disabled, bool) else None
    match raw.get("type"):
        case "auto" | "none" | "any" as mode:
            return ToolChoice(mode=mode), parallel
        case "tool" if isinstance(raw.get("name"), str):
            return ToolChoice(mode="one", names=[raw["name"]]), parallel
        case _:
            return None, parallel


def encode_choice(request: Request, sending: Sending, *, thinking: bool, offered: bool) -> dict[str, Any] | None:
    """Raises GatewayError 400 for a provider's tool that must be called and isn't there."""
    choice = request.tool_choice
    if choice is not None and choice.kind:
        if not (choice.kind.startswith("web_search") and sending.profile.web_search):
            raise unsupported("tool_choice", f"this upstream has no tool of the type '{choice.kind}'.")
        choice = ToolChoice(mode="one", names=["web_search"])
    if not offered:
        return None
    value = _choice(choice)
    if thinking and value is not None and value["type"] in {"any", "tool"}:
        sending.losses.add("forced_tool")
        value = {"type": "auto"}
    if request.parallel_tools is False and (value is None or value["type"] != "none"):
        value = {**(value or {"type": "auto"}), "disable_parallel_tool_use": True}
    return value


def _choice(choice: ToolChoice | None) -> dict[str, Any] | None:
    if choice is None:
        return None
    match choice.mode:
        case "one":
            return {"type": "tool", "name": choice.names[0]}
        case "some":
            return {"type": "any" if choice.must else "auto"}
        case mode:
            return {"type": mode}
