"""A request in the one model.

`kept` are the settings in their own format's spelling, which an encoder of that format repeats; every other encoder
reads the named fields. `rest` is what the decoder didn't understand, with the same rule. It must not know any format.
"""

from typing import Any, Literal

import msgspec

from oneapi.dialects.canonical.parts import Message
from oneapi.dialects.canonical.tools import Tool, ToolChoice

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class Thinking(msgspec.Struct, kw_only=True):
    """How much the model shall think. `budget` is in tokens; `visible` says that its thoughts are wanted."""

    effort: Effort | None = None
    budget: int | None = None
    enabled: bool | None = None
    visible: bool | None = None


class OutputFormat(msgspec.Struct, kw_only=True):
    """JSON as the only output: of a schema, or any object when `schema` is None."""

    schema: dict[str, Any] | None = None
    name: str = ""
    description: str | None = None
    strict: bool | None = None


class Request(msgspec.Struct, kw_only=True):
    dialect: str
    model: str
    messages: list[Message]
    tools: list[Tool] = []
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    max_output: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] = []
    thinking: Thinking | None = None
    output: OutputFormat | None = None
    verbosity: str | None = None
    choices: int = 1
    logprobs: bool = False
    top_logprobs: int | None = None
    user: str | None = None
    cache_key: str | None = None
    service_tier: str | None = None
    stream: bool = False
    include_usage: bool = False
    search: dict[str, Any] | None = None
    """Options of a search that is no tool of its own."""
    shape: str = ""
    beyond: list[str] = []
    """Losses that every other format would have."""
    kept: dict[str, Any] = {}
    rest: dict[str, Any] = {}
