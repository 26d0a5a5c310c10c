"""What of a request a model reads: its texts, and a guess for everything that isn't text.

The guesses are what providers' documents name for ordinary pictures, pages and calls; they make an estimate, and no
bound. It must not know any format, nor how texts become tokens.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator

import msgspec

from oneapi.dialects.canonical.media import PDF, sniff
from oneapi.dialects.canonical.parts import (
    Audio,
    Base64,
    Document,
    Image,
    Nested,
    Opaque,
    Part,
    Plain,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.tools import CustomTool, FunctionTool, Namespace, Tool

REQUEST_TOKENS = 3
MESSAGE_TOKENS = 4
CALL_TOKENS = 8
TOOL_TOKENS = 8
PICTURE_TOKENS = 1_500
SMALL_PICTURE_TOKENS = 85
"""Of one at low detail."""
PAGE_TOKENS = 3_000
"""A page of a PDF is read as text and as a picture."""
UNKNOWN_PAGES = 3
_BYTES_PER_PAGE = 60_000
_BYTES_PER_SOUND_TOKEN = 1_600
"""Ten tokens a second, of sound as it is usually compressed."""
_PAGE = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")


class Prompt(msgspec.Struct):
    """`texts` in their order; `tokens` is the guess for the rest."""

    texts: list[str]
    tokens: int

    def add(self, text: str | None, tokens: int = 0) -> None:
        if text:
            self.texts.append(text)
        self.tokens += tokens


def prompt(request: Request) -> Prompt:
    """What the model reads of this request."""
    found = Prompt([], REQUEST_TOKENS)
    for message in request.messages:
        found.add(None, MESSAGE_TOKENS)
        for part in _flat(message.parts):
            _add_part(found, part)
    _add_tools(found, request.tools)
    if request.output is not None and request.output.schema is not None:
        found.add(_json(request.output.schema))
    return found


def _flat(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts, and after each what it is made of."""
    for part in parts:
        yield part
        if isinstance(part, ToolResult):
            yield from _flat(part.parts)
        elif isinstance(part, Document) and isinstance(part.source, Nested):
            yield from _flat(part.source.parts)


def _add_part(found: Prompt, part: Part) -> None:
    match part:
        case Text() | Refusal():
            found.add(part.text)
        case Reasoning():
            found.add(part.text)
        case ToolCall():
            found.add(part.name, CALL_TOKENS)
            found.add(part.arguments)
        case ToolResult():
            found.add(None, CALL_TOKENS)
        case Image():
            found.add(None, SMALL_PICTURE_TOKENS if part.detail == "low" else PICTURE_TOKENS)
        case Audio():
            found.add(None, len(part.data) * 3 // 4 // _BYTES_PER_SOUND_TOKEN)
        case Document():
            found.add(part.title)
            _add_document(found, part)
        case Opaque():
            found.add(_json(part.value))


def _add_document(found: Prompt, part: Document) -> None:
    source = part.source
    if isinstance(source, Plain):
        found.add(source.text)
    elif isinstance(source, Base64):
        try:
            data = base64.b64decode(source.data)
        except (binascii.Error, ValueError):
            data = b""
        if sniff(source) == PDF:
            pages = len(_PAGE.findall(data)) or -(-len(data) // _BYTES_PER_PAGE)
            found.add(None, pages * PAGE_TOKENS)
        else:
            found.add(data.decode("utf-8", "replace"))
    elif not isinstance(source, Nested):
        found.add(None, UNKNOWN_PAGES * PAGE_TOKENS)


def _add_tools(found: Prompt, tools: Iterable[Tool]) -> None:
    for tool in tools:
        found.add(None, TOOL_TOKENS)
        match tool:
            case FunctionTool():
                found.add(tool.name)
                found.add(tool.description)
                found.add(_json(tool.schema) if tool.schema else None)
            case CustomTool():
                found.add(tool.name)
                found.add(tool.description)
                found.add(tool.grammar)
            case Namespace():
                found.add(tool.name)
                _add_tools(found, tool.tools)
            case _:
                found.add(_json(tool.value))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
