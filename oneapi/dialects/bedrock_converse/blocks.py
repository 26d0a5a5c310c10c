"""Writes parts of another format's messages as content blocks of one request.

Rules: no blank text; media are bytes; a result holds pictures where the model takes that, else they follow all results;
ids have the letters that Bedrock takes. Reasoning goes on only to the upstream that it came from.
"""

from typing import Any

from oneapi.dialects.bedrock_converse.cache_points import CachePoints
from oneapi.dialects.bedrock_converse.documents import DocumentNames, document, picture, sound
from oneapi.dialects.bedrock_converse.reasoning import own
from oneapi.dialects.canonical import media
from oneapi.dialects.canonical.arguments import as_object
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.ids import legal_id
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.parts import (
    Audio,
    Base64,
    Document,
    Image,
    Link,
    Nested,
    Opaque,
    Part,
    Plain,
    Reasoning,
    Refusal,
    Stored,
    Text,
    ToolCall,
    ToolResult,
)

Block = dict[str, Any]
NO_OUTPUT, ATTACHED, ERROR = "(no output)", "[attached below]", "ERROR: "
WITH_STATUS = frozenset({"claude", "nova"})
_KNOWN = {"annotations": "annotations", "citations": "citations", "context": "document_context"}


class Blocks:
    """The blocks of one request's messages."""

    __slots__ = ("_names", "_sending", "points")

    def __init__(self, sending: Sending) -> None:
        self._sending = sending
        self._names = DocumentNames()
        self.points = CachePoints(sending)

    def system(self, parts: list[Part]) -> list[Block]:
        """Instructions: texts alone, and marks."""
        out: list[Block] = []
        for part in parts:
            if isinstance(part, Text | Opaque):
                out += self._encode(part)
            else:
                raise unsupported("system", "instructions are text here.")
        return out

    def assistant(self, parts: list[Part]) -> list[Block]:
        out: list[Block] = []
        foreign: list[Reasoning] = []
        mine = False
        for part in parts:
            if not isinstance(part, Reasoning):
                out += self._encode(part)
                continue
            block = own(part, self._sending.seal)
            if block is not None:
                mine = True
                out.append(block)
            elif part.texts or part.state is not None:
                foreign.append(part)
        # Beside a token, Chat Completions repeat the words that it stands for.
        if any(part.state is None or part.state.value or not mine for part in foreign):
            self._sending.losses.add("reasoning_history")
        return out

    def user(self, parts: list[Part], calls: list[str]) -> list[Block]:
        """A turn of the user's: results first, in the order of their calls. A document stands beside a text."""
        places = {call_id: place for place, call_id in enumerate(calls)}
        results = [part for part in parts if isinstance(part, ToolResult)]
        results.sort(key=lambda part: places.get(part.call_id, len(places)))
        attached: list[Block] = []
        out = [block for part in results for block in self._result(part, attached)] + attached
        for part in parts:
            if not isinstance(part, ToolResult):
                out += self._encode(part)
        if any("document" in block for block in out) and not any("text" in block for block in out):
            out.append({"text": ATTACHED.replace("below", "above")})
        return out

    def _encode(self, part: Part) -> list[Block]:
        """Raises GatewayError 400."""
        found = self._block(part)
        if not found:
            return []
        self._sending.losses.fields(part.rest, "content", _KNOWN)
        if isinstance(part, Text) and part.citations:
            self._sending.losses.add("annotations")
        return found + self.points.after(part.cache)

    def _block(self, part: Part) -> list[Block]:
        match part:
            case Text() | Refusal():
                return [{"text": part.text}] if part.text.strip() else []
            case Image():
                return [self._image(part)]
            case Document():
                return [self._document(part)]
            case Audio():
                return [sound(part)]
            case ToolCall():
                return [
                    {"toolUse": {"toolUseId": legal_id(part.id), "name": part.name, "input": as_object(part.arguments)}}
                ]
            case Opaque():
                self._sending.losses.opaque(part)
                return []
            case _:
                raise unsupported(type(part).__name__.lower(), "it has no place in a message of this format.")

    def _image(self, part: Image) -> Block:
        if part.detail and part.detail != "auto":
            self._sending.losses.add("detail")
        source = part.source
        if isinstance(source, Base64) and media.sniff(source) == media.PDF:
            return document(source, "", self._names)
        return picture(source)

    def _document(self, part: Document) -> Block:
        match part.source:
            case Base64() as source:
                return document(source, part.title, self._names)
            case Plain(text):
                return document(media.write_text(text), part.title, self._names)
            case Nested(parts):
                self._sending.losses.add("document_parts")
                text = "\n\n".join(inner.text for inner in parts if isinstance(inner, Text))
                return document(media.write_text(text), part.title, self._names)
            case Link():
                raise unsupported("file_url", "this model takes documents as bytes only.")
            case Stored():
                raise unsupported("file_id", "a stored file is known to another provider only.")

    def _result(self, part: ToolResult, attached: list[Block]) -> list[Block]:
        sending = self._sending
        sending.losses.fields(part.rest, "tool_result")
        inside: list[Block] = []
        mark = part.cache
        for inner in part.parts:
            for block in self._block(inner):
                sending.losses.fields(inner.rest, "content", _KNOWN)
                held = "text" in block or sending.profile.images_in_results
                (inside if held else attached).append(block)
            mark = mark or inner.cache
        content = inside or [{"text": ATTACHED if attached else NO_OUTPUT}]
        value: Block = {"toolUseId": legal_id(part.call_id), "content": content}
        if part.is_error and sending.profile.vendor_fields in WITH_STATUS:
            value["status"] = "error"
        elif part.is_error:
            sending.losses.add("tool_error")
            content.insert(0, {"text": ERROR.strip()})
        return [{"toolResult": value}, *self.points.after(mark)]
