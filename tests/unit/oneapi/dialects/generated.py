"""Conversations and answers that hypothesis makes, such as every format can express."""

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import Phase, settings
from hypothesis import strategies as st

from oneapi.dialects.canonical.events import Event, MessageEnd, MessageStart, PartDelta, PartEnd, PartStart, UsageTold
from oneapi.dialects.canonical.parts import Base64, Image, Message, Part, Reasoning, Text, ToolCall, ToolResult
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.responses import Stop
from oneapi.dialects.canonical.tools import FunctionTool, ToolChoice


def quickly(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, phases=[Phase.explicit, Phase.generate, Phase.shrink])


words = st.text('ab é😀"\\\n{}<', min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
names = st.text("abcXYZ019_-", min_size=1, max_size=20)
objects = st.dictionaries(names, st.one_of(words, st.integers(), st.booleans(), st.none()), max_size=3)
pictures = st.builds(Image, source=st.just(Base64("image/png", "iVBORw0KGgoAAAAA")))


@st.composite
def conversations(draw: st.DrawFn) -> Request:
    """A conversation that every format can express."""
    messages = [Message(role="system", parts=[Text(text=draw(words))])] if draw(st.booleans()) else []
    number = 0
    for _ in range(draw(st.integers(1, 3))):
        said = draw(st.lists(st.one_of(st.builds(Text, text=words), pictures), min_size=1, max_size=2))
        messages.append(Message(role="user", parts=list(said)))
        parts: list[Part] = [Text(text=draw(words))] if draw(st.booleans()) else []
        calls = []
        for _ in range(draw(st.integers(0 if parts else 1, 2))):
            number += 1
            arguments = msgspec.json.encode(draw(objects)).decode()
            calls.append(ToolCall(id=f"call_{number}", name=draw(names), arguments=arguments))
        messages.append(Message(role="assistant", parts=[*parts, *calls]))
        for one in calls:
            result = ToolResult(call_id=one.id, parts=[Text(text=draw(words))])
            messages.append(Message(role="tool", parts=[result]))
    messages.append(Message(role="user", parts=[Text(text=draw(words))]))
    tools = [FunctionTool(name=f"t{place}", description="d", schema=schema(), strict=True) for place in range(2)]
    choice = draw(st.sampled_from([None, ToolChoice(mode="auto"), ToolChoice(mode="one", names=["t1"])]))
    return Request(dialect="generated", model="m", messages=messages, tools=list(tools), tool_choice=choice)


def schema() -> dict[str, Any]:
    return {"type": "object", "properties": {"a": {"type": "string"}}}


@st.composite
def spoken(draw: st.DrawFn) -> tuple[list[Part], Stop]:
    """What an answer of any format may say, and why it stopped."""
    parts: list[Part] = [Reasoning(texts=[draw(words)])] if draw(st.booleans()) else []
    parts += draw(st.lists(st.builds(Text, text=words), max_size=2))
    for number in range(draw(st.integers(0, 2))):
        arguments = msgspec.json.encode(draw(objects)).decode()
        parts.append(ToolCall(id=f"call_{number}", name=draw(names), arguments=arguments))
    called = any(isinstance(part, ToolCall) for part in parts)
    cut = draw(st.booleans())
    if parts and cut:
        return parts, Stop(reason="length")
    return parts, Stop(reason="tool_calls" if called else "end")


def events_of(parts: list[Part], stop: Stop, cut: Callable[[str], list[str]]) -> list[Event]:
    events: list[Event] = [MessageStart("id", "m")]
    for key, part in enumerate(parts):
        text = part.arguments if isinstance(part, ToolCall) else part.text if isinstance(part, Text | Reasoning) else ""
        skeleton: Part = Reasoning() if isinstance(part, Reasoning) else Text()
        if isinstance(part, ToolCall):
            skeleton = ToolCall(id=part.id, name=part.name)
        events.append(PartStart(key, skeleton))
        events += [PartDelta(key, piece) for piece in cut(text)]
        events.append(PartEnd(key))
    return [*events, UsageTold({"input": 3, "output": 4}), MessageEnd(stop)]
