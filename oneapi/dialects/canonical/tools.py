"""Tools that a request offers, and which of them the model may or must call. It must not know any format's fields."""

from typing import Any, Literal

import msgspec

from oneapi.dialects.canonical.parts import Cache


class FunctionTool(msgspec.Struct, kw_only=True):
    """The client runs it. `schema` is None when the format left it out."""

    name: str
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    namespace: str = ""
    cache: Cache | None = None
    shape: str = ""
    rest: dict[str, Any] = {}


class CustomTool(msgspec.Struct, kw_only=True):
    """The client runs it, and its input is any text, perhaps of a grammar."""

    name: str
    description: str | None = None
    syntax: str = ""
    grammar: str = ""
    namespace: str = ""
    rest: dict[str, Any] = {}


class Namespace(msgspec.Struct, kw_only=True):
    """Tools under one name."""

    name: str
    tools: "list[FunctionTool | CustomTool | ProviderTool]"
    rest: dict[str, Any] = {}


class WebSearch(msgspec.Struct, kw_only=True):
    """What formats have in common of a search on the web that the provider runs."""

    allowed_domains: list[str] = []
    blocked_domains: list[str] = []
    location: dict[str, Any] | None = None
    max_uses: int | None = None


class ProviderTool(msgspec.Struct, kw_only=True):
    """The provider runs it, or the client in a way that only this format knows. `value` is all of it."""

    kind: str
    value: dict[str, Any]
    search: WebSearch | None = None


Tool = FunctionTool | CustomTool | Namespace | ProviderTool


class ToolChoice(msgspec.Struct, kw_only=True):
    """`one` and `some` name tools: the model must call that one, or may (`must`: has to) call only those.

    A `kind` that is not empty is a provider's tool that must be called.
    """

    mode: Literal["auto", "none", "any", "one", "some"]
    names: list[str] = []
    must: bool = False
    kind: str = ""
