"""Gives tools names and kinds that the upstream takes, and takes them back in what it answers.

- A name that is too long or has letters that aren't allowed becomes a legal one with a hash of the whole.
- A tool in a namespace becomes one with both names, where the upstream has no namespaces.
- A custom tool becomes a function with one text, where the upstream has no custom tools; its grammar goes into the
  description.

The same name always becomes the same one, so that a conversation's history stays what it was. Pure.
"""

from typing import Any

import msgspec

from oneapi.dialects.canonical.arguments import as_object
from oneapi.dialects.canonical.ids import legal
from oneapi.dialects.canonical.parts import Message, Part, ToolCall, ToolResult
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.tools import CustomTool, FunctionTool, Namespace, Tool, ToolChoice

INPUT = "input"
_SEPARATOR = "__"
_SCHEMA = {
    "type": "object",
    "properties": {INPUT: {"type": "string"}},
    "required": [INPUT],
    "additionalProperties": False,
}


class Original(msgspec.Struct, frozen=True):
    """What a tool is called by the client."""

    name: str
    namespace: str = ""
    wrapped: bool = False


class Names:
    """The names of one request's tools."""

    __slots__ = ("_custom", "_limit", "_namespaces", "_originals", "_wrapped")

    def __init__(self, request: Request, *, limit: int, namespaces: bool, custom: bool) -> None:
        self._limit = limit
        self._namespaces = namespaces
        self._custom = custom
        self._originals: dict[str, Original] = {}
        self._wrapped: set[str] = set()
        for tool in request.tools:
            self._learn(tool, "")

    @property
    def changed(self) -> bool:
        """Whether any name or kind differs between the client and the upstream."""
        return any(name != original.name or original.wrapped for name, original in self._originals.items())

    def _learn(self, tool: Tool, namespace: str) -> None:
        if isinstance(tool, Namespace):
            for inner in tool.tools:
                self._learn(inner, tool.name)
        elif isinstance(tool, FunctionTool | CustomTool):
            wrapped = isinstance(tool, CustomTool) and not self._custom
            self._originals[self.upstream(tool.name, namespace)] = Original(tool.name, namespace, wrapped)
            if wrapped:
                self._wrapped.add(tool.name)

    def upstream(self, name: str, namespace: str = "") -> str:
        """What the upstream calls this tool."""
        joined = f"{namespace}{_SEPARATOR}{name}" if namespace and not self._namespaces else name
        return legal(joined, self._limit)

    def original(self, name: str) -> Original:
        """What the client calls the tool of this upstream's name."""
        return self._originals.get(name) or Original(name)

    def outgoing(self, request: Request) -> Request:
        """The request with the upstream's names and kinds."""
        tools: list[Tool] = []
        for tool in request.tools:
            tools += self._tools(tool)
        choice = request.tool_choice
        if choice is not None and choice.names:
            names = [self._chosen(name) for name in choice.names]
            choice = ToolChoice(mode=choice.mode, names=names, must=choice.must)
        messages = [self._message(message) for message in request.messages]
        return msgspec.structs.replace(request, tools=tools, tool_choice=choice, messages=messages)

    def _chosen(self, name: str) -> str:
        for upstream, original in self._originals.items():
            if original.name == name:
                return upstream
        return self.upstream(name)

    def _tools(self, tool: Tool, namespace: str = "") -> list[Tool]:
        if isinstance(tool, Namespace):
            if self._namespaces:
                return [tool]
            return [found for inner in tool.tools for found in self._tools(inner, tool.name)]
        if isinstance(tool, FunctionTool):
            return [msgspec.structs.replace(tool, name=self.upstream(tool.name, namespace))]
        if isinstance(tool, CustomTool):
            name = self.upstream(tool.name, namespace)
            return [msgspec.structs.replace(tool, name=name) if self._custom else _as_function(tool, name)]
        return [tool]

    def _message(self, message: Message) -> Message:
        if not any(isinstance(part, ToolCall | ToolResult) for part in message.parts):
            return message
        return msgspec.structs.replace(message, parts=[self._part(part) for part in message.parts])

    def _part(self, part: Part) -> Part:
        if isinstance(part, ToolCall):
            name = self.upstream(part.name, part.namespace)
            namespace = part.namespace if self._namespaces else ""
            if part.custom and not self._custom:
                arguments = msgspec.json.encode({INPUT: part.arguments}).decode()
                return msgspec.structs.replace(
                    part, name=name, namespace=namespace, custom=False, arguments=arguments, rest={}
                )
            return msgspec.structs.replace(part, name=name, namespace=namespace)
        if isinstance(part, ToolResult) and part.custom and not self._custom:
            return msgspec.structs.replace(part, custom=False)
        return part

    def incoming(self, call: ToolCall) -> ToolCall:
        """A whole call with the client's names and kinds."""
        original = self.original(call.name)
        arguments, custom = call.arguments, call.custom
        if original.wrapped and not call.custom:
            value = as_object(call.arguments).get(INPUT)
            arguments, custom = value if isinstance(value, str) else call.arguments, True
        return msgspec.structs.replace(
            call,
            name=original.name,
            namespace=original.namespace or call.namespace,
            custom=custom,
            arguments=arguments,
        )


def _as_function(tool: CustomTool, name: str) -> FunctionTool:
    told: list[Any] = [tool.description] if tool.description else []
    if tool.grammar:
        told.append(f"The input must match this {tool.syntax.capitalize()} grammar:\n{tool.grammar}")
    return FunctionTool(name=name, description="\n\n".join(told) or None, schema=_SCHEMA)
