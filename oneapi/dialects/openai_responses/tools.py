"""Tools of Responses and the choice among them, both ways. Functions are flat here, and may stand in namespaces."""

from typing import Any

from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.reading import RAW, Fields, all_objects, member, objects, string
from oneapi.dialects.canonical.tools import (
    CustomTool,
    FunctionTool,
    Namespace,
    ProviderTool,
    Tool,
    ToolChoice,
    WebSearch,
)

_SEARCHES = frozenset({"web_search", "web_search_preview"})


def decode_tools(raw: object) -> list[Tool]:
    return [_decode(tool) for tool in all_objects(raw, "tools")]


def _decode(raw: dict[str, Any]) -> Tool:
    kind, name = raw.get("type"), raw.get("name")
    if kind == "function" and isinstance(name, str):
        fields = Fields(raw)
        del fields.rest["type"]
        return FunctionTool(
            name=fields.text("name") or "",
            description=fields.text("description"),
            schema=fields.object("parameters"),
            strict=fields.flag("strict"),
            rest=fields.rest,
        )
    if kind == "custom" and isinstance(name, str):
        form = raw.get("format")
        description = raw.get("description")
        return CustomTool(
            name=name,
            description=description if isinstance(description, str) else None,
            syntax=string(member(form, "syntax")),
            grammar=string(member(form, "definition")),
            rest={RAW: raw},
        )
    if kind == "namespace" and isinstance(name, str):
        tools = [tool for tool in decode_tools(raw.get("tools")) if not isinstance(tool, Namespace)]
        return Namespace(name=name, tools=tools, rest={RAW: raw})
    return ProviderTool(
        kind=string(kind) or "tool", value=raw, search=_search(raw) if string(kind) in _SEARCHES else None
    )


def _search(raw: dict[str, Any]) -> WebSearch:
    filters, location = raw.get("filters"), raw.get("user_location")
    allowed = member(filters, "allowed_domains")
    return WebSearch(
        allowed_domains=[domain for domain in allowed if isinstance(domain, str)] if isinstance(allowed, list) else [],
        location=location if isinstance(location, dict) else None,
    )


def repeat_tool(tool: Tool) -> dict[str, Any]:
    """A tool of this very format, as it was."""
    match tool:
        case FunctionTool():
            value: dict[str, Any] = {"type": "function", "name": tool.name}
            found = {"description": tool.description, "parameters": tool.schema, "strict": tool.strict}
            return {**value, **{name: item for name, item in found.items() if item is not None}, **tool.rest}
        case ProviderTool():
            return dict(tool.value)
        case _:
            return dict(tool.rest[RAW])


def encode_tools(tools: list[Tool], sending: Sending) -> list[dict[str, Any]]:
    """Tools of another format. `strict` is always said, as this format would try it by itself."""
    out: list[dict[str, Any]] = []
    for tool in tools:
        match tool:
            case FunctionTool():
                out.append(_function(tool, sending))
            case CustomTool():
                out.append(_custom(tool))
            case ProviderTool() if tool.search is not None and sending.profile.web_search:
                out.append(_web_search(tool.search, sending))
            case ProviderTool():
                sending.losses.add("built_in_tool", tool.kind)
            case Namespace():
                raise unsupported("namespace", "it must be of this format.")
    return out


def _function(tool: FunctionTool, sending: Sending) -> dict[str, Any]:
    if tool.cache is not None:
        sending.losses.add("cache_control")
    if tool.rest.get("defer_loading"):
        sending.losses.add("deferred_tools")
    value: dict[str, Any] = {"type": "function", "name": tool.name}
    if tool.description is not None:
        value["description"] = tool.description
    schema = tool.schema if tool.schema is not None else {"type": "object", "properties": {}}
    return {**value, "parameters": schema, "strict": bool(tool.strict)}


def _custom(tool: CustomTool) -> dict[str, Any]:
    value: dict[str, Any] = {"type": "custom", "name": tool.name}
    if tool.description is not None:
        value["description"] = tool.description
    if tool.grammar:
        value["format"] = {"type": "grammar", "syntax": tool.syntax, "definition": tool.grammar}
    return value


def _web_search(search: WebSearch, sending: Sending) -> dict[str, Any]:
    value: dict[str, Any] = {"type": "web_search"}
    if search.allowed_domains:
        value["filters"] = {"allowed_domains": search.allowed_domains}
    if search.location:
        value["user_location"] = search.location
    if search.blocked_domains or search.max_uses:
        sending.losses.add("tool_options", "web_search")
    return value


def decode_choice(raw: Any) -> ToolChoice | None:
    match raw:
        case "auto" | "none":
            return ToolChoice(mode=raw)
        case "required":
            return ToolChoice(mode="any")
        case {"type": "function" | "custom", "name": str() as name}:
            return ToolChoice(mode="one", names=[name])
        case {"type": "allowed_tools", "tools": list() as tools}:
            names = [string(tool.get("name")) for tool in objects(tools)]
            return ToolChoice(mode="some", names=names, must=raw.get("mode") == "required")
        case {"type": str() as kind} if kind:
            return ToolChoice(mode="one", kind=kind)
        case _:
            return None


def encode_choice(choice: ToolChoice, tools: list[Tool]) -> Any:
    """Raises GatewayError 400 for a provider's tool that must be called."""
    if choice.kind:
        raise unsupported("tool_choice", f"this upstream has no tool of the type '{choice.kind}'.")
    custom = {tool.name for tool in tools if isinstance(tool, CustomTool)}
    named = [{"type": "custom" if name in custom else "function", "name": name} for name in choice.names]
    match choice.mode:
        case "one":
            return named[0]
        case "some":
            return {"type": "allowed_tools", "mode": "required" if choice.must else "auto", "tools": named}
        case "any":
            return "required"
        case mode:
            return mode
