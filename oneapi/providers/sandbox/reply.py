"""What the built-in model says, before any dialect writes it down.

It decides the answer: a tool call when a tool is forced or asked for by name, an instance of a JSON schema when the
request wants one, else a sentence that repeats what was asked; cut at the token cap, and never longer than
`MAX_OUTPUT_TOKENS`. A token is four bytes. It must not know any dialect.
"""

import enum
from collections.abc import Mapping
from typing import Any

import msgspec

from oneapi.providers.sandbox.schema import instance

BYTES_PER_TOKEN = 4
ECHO_BYTES = 400
ASKED_CHARACTERS = 4_096
"""Of the text in which it looks for a tool to call: there may be very many tools."""
MAX_OUTPUT_TOKENS = 1_024
"""A few lines of schema can ask for megabytes."""
GREETING = "This is the sandbox of One API. You said: "
REFUSAL = "The sandbox of One API does not answer this, as it was asked not to."


class Manner(enum.Enum):
    """How the model shall answer, whatever it is asked."""

    PLAIN = enum.auto()
    TOOL_CALL = enum.auto()
    """With a call: of a tool that is offered, else of one that it makes up."""
    REFUSAL = enum.auto()
    LENGTH = enum.auto()
    """With half of what it has to say, as if it had come to its cap."""


class Tool(msgspec.Struct, frozen=True):
    """A tool that the request offers, with the JSON schema of its arguments."""

    name: str
    parameters: Mapping[str, Any]


class Ask(msgspec.Struct, frozen=True):
    """What a request wants of the model. `schema` is that of a structured answer; `forced` names a tool, or is "*"."""

    text: str
    tools: tuple[Tool, ...] = ()
    forced: str = ""
    schema: Mapping[str, Any] | None = None
    max_output: int | None = None
    answered_tool: bool = False


class Reply(msgspec.Struct, frozen=True):
    """The answer: text, or one tool call. `cut` says that the token cap ended it, `refused` that the text declines."""

    text: str = ""
    tool: str = ""
    arguments: str = ""
    cut: bool = False
    refused: bool = False
    output_tokens: int = 0

    def pieces(self) -> list[str]:
        """The text, or the arguments, in the pieces that a stream sends."""
        return split_tokens(self.text or self.arguments)


MADE_UP = Tool("sandbox_tool", {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]})


def reply(ask: Ask, manner: Manner = Manner.PLAIN) -> Reply:
    """The answer to a request; the same for the same request."""
    most = MAX_OUTPUT_TOKENS if ask.max_output is None else min(ask.max_output, MAX_OUTPUT_TOKENS)
    tool = _wanted_tool(ask, manner)
    if tool is not None:
        return _call(tool, most)
    if manner is Manner.REFUSAL:
        text = REFUSAL
    elif ask.schema is not None:
        text = msgspec.json.encode(instance(ask.schema)).decode()
    else:
        text = GREETING + _start(ask.text, ECHO_BYTES)
    kept, cut = _capped(text, most, halved=manner is Manner.LENGTH)
    return Reply(text="".join(kept), cut=cut, refused=manner is Manner.REFUSAL, output_tokens=len(kept))


def _call(tool: Tool, most: int) -> Reply:
    """The name comes first, then the arguments as far as the cap lets them."""
    named = tokens(tool.name)
    if named > most:
        return Reply(cut=True)
    arguments = instance(tool.parameters)
    text = msgspec.json.encode(arguments if isinstance(arguments, dict) else {}).decode()
    kept, cut = _capped(text, most - named)
    return Reply(tool=tool.name, arguments="".join(kept), cut=cut, output_tokens=named + len(kept))


def _capped(text: str, most: int, *, halved: bool = False) -> tuple[list[str], bool]:
    """The text's tokens up to this many, and whether it has more. Of a long text no more is looked at than that."""
    pieces = split_tokens(text[: most * BYTES_PER_TOKEN + 1])
    if halved:
        most = min(most, max(len(pieces) // 2, 1))
    return pieces[:most], halved or len(pieces) > most


def tokens(text: str) -> int:
    """Tokens of a text, as this model counts them."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def split_tokens(text: str) -> list[str]:
    """The text in tokens of at most four bytes; no character is split."""
    pieces, piece, size = [], "", 0
    for character in text:
        width = len(character.encode("utf-8", "replace"))
        if size + width > BYTES_PER_TOKEN:
            pieces.append(piece)
            piece, size = "", 0
        piece += character
        size += width
    return [*pieces, piece] if piece else pieces


def _start(text: str, limit: int) -> str:
    return text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


def _wanted_tool(ask: Ask, manner: Manner) -> Tool | None:
    """The forced tool; else the one that the text asks to call; none when the last turn brought a tool's result."""
    if ask.answered_tool or manner in {Manner.REFUSAL, Manner.LENGTH}:
        return None
    if manner is Manner.TOOL_CALL:
        return next((tool for tool in ask.tools if ask.forced in {"", "*", tool.name}), MADE_UP)
    if ask.forced:
        return next((tool for tool in ask.tools if ask.forced in {"*", tool.name}), None)
    text = ask.text[:ASKED_CHARACTERS]
    asked_for = [tool for tool in ask.tools if f"call {tool.name}" in text]
    # One name may be the beginning of another.
    return max(asked_for, key=lambda tool: len(tool.name), default=None)
