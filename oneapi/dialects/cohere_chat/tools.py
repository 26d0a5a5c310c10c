"""Tools and the choice among them.

All tools of a request are strict, or none; a choice is `REQUIRED`, `NONE` or left out. Where only some tools may be
called, only those are offered. A strict tool must have a parameter that is required.
"""

from typing import Any

from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.tools import CustomTool, FunctionTool, Namespace, ProviderTool, ToolChoice

_EMPTY: dict[str, Any] = {"type": "object", "properties": {}}


def encode_tools(request: Request, sending: Sending) -> dict[str, Any]:
    """`tools`, `strict_tools` and `tool_choice`. Raises GatewayError 400."""
    choice = request.tool_choice
    if choice is not None and choice.kind:
        raise unsupported("tool_choice", f"this upstream has no tool of the type '{choice.kind}'.")
    allowed = set(choice.names) if choice is not None and choice.mode in {"one", "some"} else None
    functions: list[FunctionTool] = []
    for tool in request.tools:
        match tool:
            case FunctionTool():
                if allowed is None or tool.name in allowed:
                    functions.append(tool)
            case ProviderTool():
                sending.losses.add("built_in_tool", tool.kind)
            case CustomTool() | Namespace():
                raise unsupported("tools", "this upstream has functions only.")
    if not functions:
        if allowed and any(isinstance(tool, FunctionTool) for tool in request.tools):
            raise unsupported("tool_choice", "it names no tool of this request.")
        return {}
    if request.parallel_tools is False:
        sending.losses.add("parallel_tool_calls")
    value: dict[str, Any] = {"tools": [_function(tool, sending) for tool in functions]}
    if all(tool.strict and (tool.schema or {}).get("required") for tool in functions):
        value["strict_tools"] = True
    elif any(tool.strict for tool in functions):
        sending.losses.add("strict")
    match choice:
        case ToolChoice(mode="none"):
            value["tool_choice"] = "NONE"
        case ToolChoice(mode="any" | "one") | ToolChoice(mode="some", must=True):
            value["tool_choice"] = "REQUIRED"
        case _:
            pass
    return value


def _function(tool: FunctionTool, sending: Sending) -> dict[str, Any]:
    if tool.cache is not None:
        sending.losses.add("cache_control")
    if tool.rest.get("defer_loading"):
        sending.losses.add("deferred_tools")
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": {**function, "parameters": tool.schema or _EMPTY}}
