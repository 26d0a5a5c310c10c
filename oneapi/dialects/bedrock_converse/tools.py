"""Tools and the choice among them.

A conversation that has calls must declare tools: where the client offers none, those that were called are declared,
without their arguments. There is no way to say that none may be called.
"""

from typing import Any

from oneapi.dialects.bedrock_converse.cache_points import CachePoints
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.parts import ToolCall
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.tools import CustomTool, FunctionTool, Namespace, ProviderTool, ToolChoice


def encode_tools(request: Request, points: CachePoints, sending: Sending, *, thinks: bool) -> dict[str, Any]:
    """`toolConfig`. Raises GatewayError 400."""
    choice = request.tool_choice
    if choice is not None and choice.kind:
        raise unsupported("tool_choice", f"this upstream has no tool of the type '{choice.kind}'.")
    forbidden = choice is not None and choice.mode == "none"
    functions = _functions(request, choice, sending)
    called = dict.fromkeys(
        part.name for message in request.messages for part in message.parts if isinstance(part, ToolCall)
    )
    if not functions or (forbidden and not called):
        specs = [{"toolSpec": _named(name)} for name in called]
        return {"toolConfig": {"tools": specs}} if specs else {}
    if forbidden:
        sending.losses.add("tool_choice")
    if request.parallel_tools is False:
        sending.losses.add("parallel_tool_calls")
    tools: list[dict[str, Any]] = []
    for tool in functions:
        tools += [{"toolSpec": _spec(tool, sending)}, *points.after(tool.cache, tool=True)]
    config: dict[str, Any] = {"tools": tools}
    told = _choice(choice, sending, thinks=thinks)
    return {"toolConfig": config | ({"toolChoice": told} if told else {})}


def _functions(request: Request, choice: ToolChoice | None, sending: Sending) -> list[FunctionTool]:
    """Where a choice allows only some of the tools, only those."""
    allowed = set(choice.names) if choice is not None and choice.mode == "some" else None
    found: list[FunctionTool] = []
    for tool in request.tools:
        match tool:
            case FunctionTool():
                if allowed is None or tool.name in allowed:
                    found.append(tool)
            case ProviderTool():
                sending.losses.add("built_in_tool", tool.kind)
            case CustomTool() | Namespace():
                raise unsupported("tools", "this upstream has functions only.")
    if allowed and not found and any(isinstance(tool, FunctionTool) for tool in request.tools):
        raise unsupported("tool_choice", "it names no tool of this request.")
    return found


def _named(name: str) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"json": {"type": "object"}}}


def _spec(tool: FunctionTool, sending: Sending) -> dict[str, Any]:
    if tool.rest.get("defer_loading"):
        sending.losses.add("deferred_tools")
    schema = tool.schema if tool.schema is not None else {"properties": {}}
    value: dict[str, Any] = {"name": tool.name}
    if tool.description and tool.description.strip():
        value["description"] = tool.description
    value["inputSchema"] = {"json": schema if schema.get("type") == "object" else {"type": "object", **schema}}
    if tool.strict and sending.profile.native_schema:
        value["strict"] = True
    elif tool.strict:
        sending.losses.add("strict")
    return value


def _choice(choice: ToolChoice | None, sending: Sending, *, thinks: bool) -> dict[str, Any] | None:
    match choice:
        case ToolChoice(mode="auto"):
            return {"auto": {}}
        case ToolChoice(mode="one", names=names):
            told: dict[str, Any] = {"tool": {"name": names[0]}}
        case ToolChoice(mode="any") | ToolChoice(mode="some", must=True):
            told = {"any": {}}
        case _:
            return None
    if thinks or not sending.profile.forced_tools:
        sending.losses.add("forced_tool")
        return {"auto": {}}
    return told
