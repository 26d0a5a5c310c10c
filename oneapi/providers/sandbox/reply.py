"""What the built-in model says, before any dialect writes it down.

It decides the answer: a tool call when a tool is forced or asked for by name, an instance of a JSON schema when the
request wants one, else a sentence that repeats what was asked; cut at the token cap. A token is four bytes. It must not
know any dialect.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from oneapi.providers.sandbox.schema import instance

BYTES_PER_TOKEN = 4
ECHO_BYTES = 400
GREETING = "This is the sandbox of One API. You said: "


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
    """The answer: text, or one tool call. `cut` says that the token cap ended it."""

    text: str = ""
    tool: str = ""
    arguments: str = ""
    cut: bool = False
    output_tokens: int = 0

    def pieces(self) -> list[str]:
        """The text, or the arguments, in the pieces that a stream sends."""
        return split_tokens(self.text or self.arguments)


def reply(ask: Ask) -> Reply:
    """The answer to a request; the same for the same request."""
    tool = _wanted_tool(ask)
    if tool is not None:
        return _call(tool, ask.max_output)
    if ask.schema is not None:
        text = msgspec.json.encode(instance(ask.schema)).decode()
    else:
        text = GREETING + _start(ask.text, ECHO_BYTES)
    pieces = split_tokens(text)
    kept = pieces[: ask.max_output]
    return Reply(text="".join(kept), cut=len(kept) < len(pieces), output_tokens=len(kept))


def _call(tool: Tool, max_output: int | None) -> Reply:
    """The name comes first, then the arguments as far as the cap lets them."""
    named = tokens(tool.name)
    if max_output is not None and named > max_output:
        return Reply(cut=True)
    arguments = instance(tool.parameters)
    pieces = split_tokens(msgspec.json.encode(arguments if isinstance(arguments, dict) else {}).decode())
    kept = pieces if max_output is None else pieces[: max_output - named]
    return Reply(tool=tool.name, arguments="".join(kept), cut=len(kept) < len(pieces), output_tokens=named + len(kept))


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


def _wanted_tool(ask: Ask) -> Tool | None:
    """The forced tool; else the one that the text asks to call; none when the last turn brought a tool's result."""
    if ask.answered_tool:
        return None
    if ask.forced:
        return next((tool for tool in ask.tools if ask.forced in {"*", tool.name}), None)
    asked_for = [tool for tool in ask.tools if f"call {tool.name}" in ask.text]
    # One name may be the beginning of another.
    return max(asked_for, key=lambda tool: len(tool.name), default=None)
