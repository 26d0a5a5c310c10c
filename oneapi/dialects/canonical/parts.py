"""What messages are made of, whatever the format: text, media, reasoning, tool calls and their results.

A part keeps what its format says beyond the model in `rest`, and how it was spelled in `shape`: only an encoder of that
same format may read either. A message is not a turn: formats that list items (Responses) have one message for each, and
those that alternate (Messages) join them when they encode. It must not know any format's field names.
"""

from typing import Any, Literal

import msgspec

Role = Literal["system", "developer", "user", "assistant", "tool"]


class Cache(msgspec.Struct, kw_only=True):
    """A mark up to which the prompt shall be cached. `value` is the mark as its format wrote it."""

    long: bool = False
    value: Any = None


class Base64(msgspec.Struct):
    """Bytes that are sent along, in base64."""

    media_type: str
    data: str


class Link(msgspec.Struct):
    """Bytes at an address."""

    url: str


class Stored(msgspec.Struct):
    """Bytes that one provider keeps under an id of its own: no other provider knows it."""

    id: str


class Plain(msgspec.Struct):
    """A document that is text."""

    text: str


class Nested(msgspec.Struct):
    """A document that is made of parts."""

    parts: "list[Part]"


Source = Base64 | Link | Stored | Plain | Nested


class State(msgspec.Struct):
    """What a provider wants back unread in the next turn: signatures, ciphertexts.

    `dialect` is whose it is, `origin` which upstream's (empty: it came in that format itself), `value` its fields.
    """

    dialect: str
    origin: str = ""
    value: dict[str, Any] = {}


class Citation(msgspec.Struct, kw_only=True):
    """Where a passage comes from. `url` is empty for what no other format can point to; `value` is as written."""

    url: str = ""
    title: str = ""
    start: int = 0
    end: int = 0
    value: dict[str, Any] = {}


class _Part(msgspec.Struct, kw_only=True):
    cache: Cache | None = None
    shape: str = ""
    rest: dict[str, Any] = {}


class Text(_Part):
    text: str = ""
    citations: list[Citation] = []
    logprobs: list[Any] = []


class Refusal(_Part):
    """The model's own sentence that it won't."""

    text: str = ""


class Image(_Part):
    source: Source
    detail: str = ""


class Document(_Part):
    source: Source
    title: str = ""


class Audio(_Part):
    data: str = ""
    format: str = ""


class Reasoning(_Part):
    """What the model thought, as far as it is told: `texts` are its passages, `state` is what it needs back."""

    texts: list[str] = []
    id: str = ""
    state: State | None = None

    @property
    def text(self) -> str:
        return "\n\n".join(self.texts)


class ToolCall(_Part):
    """A call that the client runs. `arguments` is JSON text as the model wrote it, or any text for a custom tool.

    `id` pairs it with its result; `truncated` says that the model was cut off inside it.
    """

    id: str
    name: str
    arguments: str = ""
    custom: bool = False
    namespace: str = ""
    truncated: bool = False


class ToolResult(_Part):
    call_id: str
    parts: "list[Part]" = []
    custom: bool = False
    is_error: bool = False


class Opaque(_Part):
    """A part that only its own format knows, above all of tools that ran at the provider. `value` is the whole of it.

    `search` is the query of a search on the web, which formats can tell each other about. `needed` says that a
    conversation means nothing without it, `silent` that nobody misses it.
    """

    dialect: str
    kind: str
    value: dict[str, Any] = {}
    search: str | None = None
    needed: bool = False
    silent: bool = False


Part = Text | Refusal | Image | Document | Audio | Reasoning | ToolCall | ToolResult | Opaque


class Message(msgspec.Struct, kw_only=True):
    """`top` marks instructions that stand outside the conversation (`system`, `instructions`)."""

    role: Role
    parts: list[Part] = []
    top: bool = False
    shape: str = ""
    rest: dict[str, Any] = {}
