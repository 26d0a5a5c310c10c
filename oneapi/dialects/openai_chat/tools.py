"""A chat's tools and the choice among them, both ways."""

from typing import Any

from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.parts import Cache
from oneapi.dialects.canonical.reading import Fields, all_objects, member, objects, string
from oneapi.dialects.canonical.tools import CustomTool, FunctionTool, Namespace, ProviderTool, Tool, ToolChoice

EMPTY_SCHEMA = {"type": "object", "properties": {}}


def decode_tools(raw: list[Any]) -> list[Tool]:
    return [_decode(tool) for tool in all_objects(raw, "tools")]


def decode_functions(raw: list[Any]) -> list[Tool]:
    """The older form: functions without an envelope."""
    return [_function(Fields(function), {}) for function in all_objects(raw, "functions")]


def _decode(raw: dict[str, Any]) -> Tool:
    kind = raw.get("type", "function")
    inner = raw.get(kind) if isinstance(kind, str) else None
    outer = {name: value for name, value in raw.items() if name not in ("type", kind)}
    if kind == "function" and isinstance(inner, dict):
        function = _function(Fields(inner), outer)
        function.shape = "" if "type" in raw else "untyped"
        return function
    if kind == "custom" and isinstance(inner, dict):
        return _custom(Fields(inner), outer)
    return ProviderTool(kind=string(kind) or "tool", value=raw)


def _function(fields: Fields, outer: dict[str, Any]) -> FunctionTool:
    mark = outer.get("cache_control")
    return FunctionTool(
        name=fields.text("name") or "",
        description=fields.text("description"),
        schema=fields.object("parameters"),
        strict=fields.flag("strict"),
        cache=Cache(long=member(mark, "ttl") == "1h") if isinstance(mark, dict) else None,
        rest={"function": fields.rest, "tool": outer} if fields.rest or outer else {},
    )


def _custom(fields: Fields, outer: dict[str, Any]) -> CustomTool:
    name, description = fields.text("name") or "", fields.text("description")
    grammar = member(fields.rest.get("format"), "grammar")
    return CustomTool(
        name=name,
        description=description,
        syntax=string(member(grammar, "syntax")),
        grammar=string(member(grammar, "definition")),
        rest={"custom": fields.rest, "tool": outer},
    )


def repeat_tool(tool: Tool) -> dict[str, Any]:
    """A tool of this very format, as it was."""
    match tool:
        case FunctionTool():
            function = _function_value(tool, {}) | tool.rest.get("function", {})
            kind = {} if tool.shape else {"type": "function"}
            return {**kind, "function": function, **tool.rest.get("tool", {})}
        case CustomTool():
            custom = {"name": tool.name, **_described(tool), **tool.rest["custom"]}
            return {"type": "custom", "custom": custom, **tool.rest["tool"]}
        case ProviderTool():
            return dict(tool.value)
        case Namespace():
            raise TypeError("Namespace")


def repeat_function(tool: Tool) -> dict[str, Any]:
    return dict(repeat_tool(tool)["function"])


def encode_tools(tools: list[Tool], sending: Sending) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Tools of another format, and the options of a search on the web if one was among them."""
    out: list[dict[str, Any]] = []
    search: dict[str, Any] | None = None
    for tool in tools:
        match tool:
            case FunctionTool():
                if tool.cache is not None:
                    sending.losses.add("cache_control")
                out.append({"type": "function", "function": _function_value(tool, EMPTY_SCHEMA)})
            case CustomTool():
                out.append({"type": "custom", "custom": {"name": tool.name, **_described(tool), **_format(tool)}})
            case ProviderTool() if tool.search is not None and sending.profile.web_search:
                location = tool.search.location
                search = {"user_location": _location(location)} if location else {}
            case ProviderTool():
                sending.losses.add("built_in_tool", tool.kind)
            case Namespace():
                raise unsupported("namespace", "this upstream has no namespaces.")
    return out, search


def _location(location: dict[str, Any]) -> dict[str, Any]:
    return {"type": "approximate", "approximate": {name: value for name, value in location.items() if name != "type"}}


def _function_value(tool: FunctionTool, no_schema: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = {"name": tool.name, **_described(tool)}
    schema = tool.schema if tool.schema is not None else no_schema
    if schema or tool.schema is not None:
        value["parameters"] = schema
    if tool.strict is not None:
        value["strict"] = tool.strict
    return value


def _format(tool: CustomTool) -> dict[str, Any]:
    if not tool.grammar:
        return {}
    return {"format": {"type": "grammar", "grammar": {"syntax": tool.syntax, "definition": tool.grammar}}}


def _described(tool: FunctionTool | CustomTool) -> dict[str, str]:
    return {} if tool.description is None else {"description": tool.description}


def decode_choice(raw: Any) -> ToolChoice | None:
    match raw:
        case "auto" | "none":
            return ToolChoice(mode=raw)
        case "required" | "any":
            return ToolChoice(mode="any")
        case {"type": ("function" | "custom") as kind} if isinstance(member(raw.get(kind), "name"), str):
            return ToolChoice(mode="one", names=[raw[kind]["name"]])
        case {"type": "allowed_tools", "allowed_tools": {"tools": list() as tools, **options}}:
            named = [string(member(tool.get(string(tool.get("type"))), "name")) for tool in objects(tools)]
            return ToolChoice(mode="some", names=named, must=options.get("mode") == "required")
        case {"type": str() as kind} if kind:
            return ToolChoice(mode="one", kind=kind)
        case _:
            return None


def encode_choice(choice: ToolChoice, tools: list[Tool]) -> Any:
    """Raises GatewayError 400 for a provider's tool that must be called."""
    if choice.kind:
        raise unsupported("tool_choice", f"this upstream has no tool of the type '{choice.kind}'.")
    if choice.mode == "one":
        return _named(choice.names[0], tools, "name")
    if choice.mode == "some":
        allowed = [_named(name, tools, "name") for name in choice.names]
        mode = "required" if choice.must else "auto"
        return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": allowed}}
    return {"any": "required"}.get(choice.mode, choice.mode)


def _named(name: str, tools: list[Tool], field: str) -> dict[str, Any]:
    custom = any(isinstance(tool, CustomTool) and tool.name == name for tool in tools)
    kind = "custom" if custom else "function"
    return {"type": kind, kind: {field: name}}
