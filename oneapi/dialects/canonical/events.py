"""A streamed answer in the one model: events that are named by a noun, and its start, delta or end.

    stream := MessageStart (PartStart (PartDelta | PartCitation)* PartEnd)* UsageTold* MessageEnd

Parts have keys and may overlap in what a decoder gives; `oneapi.dialects.canonical.order` puts them one after another.
A part starts when there is something in it. An upstream's error is no event: the decoder holds it.
"""

from typing import Any

import msgspec

from oneapi.dialects.canonical.parts import Citation, Part, State
from oneapi.dialects.canonical.responses import Stop
from oneapi.dialects.usage import Usage


class MessageStart(msgspec.Struct, gc=False):
    id: str
    model: str
    usage: Usage | None = None


class PartStart(msgspec.Struct):
    """`part` is what is known at the start; a part that is never streamed (`Opaque`) is whole."""

    key: int
    part: Part


class PartDelta(msgspec.Struct, gc=False):
    """More of the part's text, reasoning, refusal or arguments."""

    key: int
    text: str
    logprobs: list[Any] | None = None


class PartCitation(msgspec.Struct):
    key: int
    citation: Citation


class PartEnd(msgspec.Struct):
    """`truncated`: the model was cut off inside a call. `state` comes at the end of reasoning."""

    key: int
    truncated: bool = False
    state: State | None = None


class UsageTold(msgspec.Struct):
    usage: Usage


class MessageEnd(msgspec.Struct):
    stop: Stop
    service_tier: str | None = None


Event = MessageStart | PartStart | PartDelta | PartCitation | PartEnd | UsageTold | MessageEnd
