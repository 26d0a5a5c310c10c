"""A whole answer in the one model. It must not know any format's field names."""

from typing import Any, Literal

import msgspec

from oneapi.dialects.canonical.parts import Message, Part
from oneapi.dialects.usage import Usage

StopReason = Literal[
    "end", "stop_sequence", "length", "context_window", "tool_calls", "content_filter", "pause", "other"
]


class Stop(msgspec.Struct, kw_only=True):
    """Why the model stopped. `sequence` is what it ran into, `explanation` what a filter says."""

    reason: StopReason = "end"
    sequence: str | None = None
    explanation: str = ""
    shape: str | None = None

    @property
    def cut(self) -> bool:
        return self.reason in {"length", "context_window", "content_filter"}


class Choice(msgspec.Struct, kw_only=True):
    messages: list[Message] = []
    stop: Stop
    rest: dict[str, Any] = {}

    @property
    def parts(self) -> list[Part]:
        return [part for message in self.messages for part in message.parts]


class Response(msgspec.Struct, kw_only=True):
    """`usage` is in disjoint buckets, None when the provider told none. More than one choice only Chat has."""

    dialect: str
    id: str = ""
    model: str = ""
    choices: list[Choice]
    usage: Usage | None = None
    service_tier: str | None = None
    rest: dict[str, Any] = {}


def normal_stop(stop: Stop, *, called: bool) -> Stop:
    """Servers that say an ordinary end after a tool call mean that call; a cut stays a cut."""
    if called and stop.reason in {"end", "other"}:
        return Stop(reason="tool_calls", shape=stop.shape)
    return stop
