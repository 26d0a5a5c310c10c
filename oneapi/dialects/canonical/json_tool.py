"""JSON as the only output from models that can't promise it: they get a tool whose arguments are the output.

It decides the tool and when it must be called: where the client has tools of its own, or the model thinks, it may be.
A call of this tool is shown as the answer's text, so that no client ever sees it.
"""

from typing import Any

import msgspec

from oneapi.dialects.canonical.events import Event, MessageEnd, PartStart
from oneapi.dialects.canonical.parts import Part, Text, ToolCall
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.responses import Response, Stop
from oneapi.dialects.canonical.tools import FunctionTool, ToolChoice

NAME = "json_tool_call"
_OPEN: dict[str, Any] = {"type": "object", "additionalProperties": True}


def with_tool(request: Request) -> Request:
    """The request with the tool in the place of its output format."""
    output = request.output
    if output is None:
        return request
    tool = FunctionTool(
        name=NAME, description=output.description or "Answer with this tool's arguments.", schema=output.schema or _OPEN
    )
    choice = request.tool_choice
    thinks = request.thinking is not None and request.thinking.enabled is not False
    if not request.tools and not (thinks and request.thinking and request.thinking.effort != "none"):
        choice = ToolChoice(mode="one", names=[NAME])
    return msgspec.structs.replace(request, output=None, tools=[*request.tools, tool], tool_choice=choice)


def unwrapped(response: Response) -> Response:
    """A whole answer, changed in place."""
    for choice in response.choices:
        for message in choice.messages:
            message.parts = [_as_text(part) for part in message.parts]
        if not any(isinstance(part, ToolCall) for part in choice.parts):
            choice.stop = _ended(choice.stop)
    return response


def _as_text(part: Part) -> Part:
    return Text(text=part.arguments) if isinstance(part, ToolCall) and part.name == NAME else part


def _ended(stop: Stop) -> Stop:
    return Stop(reason="end") if stop.reason == "tool_calls" else stop


class JsonTool:
    """The same for one stream."""

    __slots__ = ("_others",)

    def __init__(self) -> None:
        self._others = False

    def put(self, events: list[Event]) -> list[Event]:
        return [self._put(event) for event in events]

    def _put(self, event: Event) -> Event:
        if isinstance(event, PartStart) and isinstance(event.part, ToolCall):
            if event.part.name == NAME:
                return PartStart(event.key, Text())
            self._others = True
        elif isinstance(event, MessageEnd) and not self._others:
            return MessageEnd(_ended(event.stop), event.service_tier)
        return event
