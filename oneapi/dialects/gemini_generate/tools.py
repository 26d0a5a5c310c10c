"""Tools and the choice among them, both ways.

Google lists functions in `functionDeclarations` and its own tools as fields beside them. Strict schemas are a mode of
calling, `VALIDATED`, for all functions at once; where a call is forced they are strict anyway.
"""

from typing import Any

from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.reading import Fields, all_objects, member, string
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
from oneapi.dialects.gemini_generate.schemas import json_schema
from oneapi.dialects.gemini_generate.spelling import camel, field

SEARCH = "googleSearch"
_SEARCHES = frozenset({SEARCH, "googleSearchRetrieval"})
_FUNCTIONS = "functionDeclarations"


def decode_tools(raw: object) -> list[Tool]:
    """Raises GatewayError 400."""
    tools: list[Tool] = []
    for item in all_objects(raw, "tools"):
        for kind, value in camel(item).items():
            if kind == _FUNCTIONS:
                tools += [_function(declared) for declared in all_objects(value, "tools")]
            else:
                tools.append(ProviderTool(kind=kind, value={kind: value}, search=_search(kind, value)))
    return tools


def _function(raw: dict[str, Any]) -> FunctionTool:
    fields = Fields(camel(raw))
    schema, older = fields.object("parametersJsonSchema"), fields.object("parameters")
    return FunctionTool(
        name=fields.text("name") or "",
        description=fields.text("description"),
        schema=schema if schema is not None else json_schema(older) if older is not None else None,
        rest=fields.rest,
    )


def _search(kind: str, raw: object) -> WebSearch | None:
    if kind not in _SEARCHES:
        return None
    excluded = field(raw, "excludeDomains")
    domains = [domain for domain in excluded if isinstance(domain, str)] if isinstance(excluded, list) else []
    return WebSearch(blocked_domains=domains)


def decode_choice(raw: object, tools: list[Tool]) -> ToolChoice | None:
    """The choice; where functions are to be strict, the tools learn it."""
    config = camel(field(raw, "functionCallingConfig"))
    allowed = config.get("allowedFunctionNames")
    names = [name for name in allowed if isinstance(name, str)] if isinstance(allowed, list) else []
    match string(config.get("mode")).upper():
        case "NONE":
            return ToolChoice(mode="none")
        case "ANY" if len(names) == 1:
            return ToolChoice(mode="one", names=names)
        case "ANY" if names:
            return ToolChoice(mode="some", names=names, must=True)
        case "ANY":
            return ToolChoice(mode="any")
        case "VALIDATED":
            for tool in tools:
                if isinstance(tool, FunctionTool):
                    tool.strict = True
            return ToolChoice(mode="some", names=names) if names else None
        case "AUTO":
            return ToolChoice(mode="auto")
        case _:
            return None


def encode_tools(request: Request, sending: Sending) -> dict[str, Any]:
    """`tools` and `toolConfig` of another format's. Raises GatewayError 400."""
    declared: list[dict[str, Any]] = []
    own: list[dict[str, Any]] = []
    for tool in request.tools:
        match tool:
            case FunctionTool():
                declared.append(_declaration(tool, sending))
            case ProviderTool() if tool.search is not None and sending.profile.web_search:
                own.append({SEARCH: {}})
                if tool.search != WebSearch():
                    sending.losses.add("tool_options", tool.kind)
            case ProviderTool():
                sending.losses.add("built_in_tool", tool.kind)
            case CustomTool() | Namespace():
                raise unsupported("tools", "this upstream has functions only.")
    choice = request.tool_choice
    if choice is not None and choice.kind:
        raise unsupported("tool_choice", f"no tool of the type '{choice.kind}' can be forced here.")
    value: dict[str, Any] = {}
    tools = ([{_FUNCTIONS: declared}] if declared else []) + own[:1]
    if tools:
        value["tools"] = tools
    config = _config(request, sending) if declared else {}
    if declared and own:
        config["includeServerSideToolInvocations"] = True
    return value | ({"toolConfig": config} if config else {})


def _declaration(tool: FunctionTool, sending: Sending) -> dict[str, Any]:
    if tool.cache is not None:
        sending.losses.add("cache_control")
    if member(tool.rest, "defer_loading"):
        sending.losses.add("deferred_tools")
    value: dict[str, Any] = {"name": tool.name}
    if tool.description:
        value["description"] = tool.description
    if tool.schema is not None:
        value["parametersJsonSchema"] = tool.schema
    return value


def _config(request: Request, sending: Sending) -> dict[str, Any]:
    if request.parallel_tools is False:
        sending.losses.add("parallel_tool_calls")
    functions = [tool for tool in request.tools if isinstance(tool, FunctionTool)]
    strict = all(tool.strict for tool in functions)
    config: dict[str, Any]
    match request.tool_choice:
        case ToolChoice(mode="none"):
            return {"functionCallingConfig": {"mode": "NONE"}}
        case ToolChoice(mode="any"):
            return {"functionCallingConfig": {"mode": "ANY"}}
        case ToolChoice(mode="one" | "some" as mode, names=names, must=must):
            calling = "ANY" if mode == "one" or must else "VALIDATED"
            return {"functionCallingConfig": {"mode": calling, "allowedFunctionNames": names}}
        case choice:
            if strict:
                return {"functionCallingConfig": {"mode": "VALIDATED"}}
            if any(tool.strict for tool in functions):
                sending.losses.add("strict")
            config = {"functionCallingConfig": {"mode": "AUTO"}} if choice is not None else {}
            return config
