"""What a conversion could not carry, by names that stay: clients see them in a header, and may refuse them all.

It decides for each setting that a format may lack whether it is left out (a loss) or refused, because without it the
answer would mean something else. `LOSSES` and `REFUSED` are the whole list. It must not know which formats meet.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from oneapi.dialects.canonical.parts import Opaque
from oneapi.dialects.canonical.reading import RAW
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.request import refuse

LOSSES: dict[str, str] = {
    "annotations": "Citations that only the upstream's format can point to.",
    "audio_output": "Sound in an answer; its transcript is kept.",
    "built_in_tool": "A tool that the provider runs and this upstream doesn't have; the model could do without.",
    "cache_control": "Marks of what to cache, where the upstream caches by itself, not at all, no tools, not so long.",
    "choices": "Answers after the first.",
    "citations": "Whether a document may be cited.",
    "container": "A container of the provider's.",
    "context_management": "What the provider should forget by itself in long conversations.",
    "deferred_tools": "A tool that was to be found by a search is offered at once.",
    "detail": "The resolution of a picture.",
    "document_context": "Notes beside a document.",
    "document_parts": "A document made of parts became plain text.",
    "effort": "The effort of thinking, where the upstream's model can't be told, or not that much.",
    "forced_tool": "That a tool must be called, which this model can't be told, or not while it thinks.",
    "frequency_penalty": "Sampling: frequency penalty.",
    "include": "More to tell in the answer.",
    "inference_geo": "Where to compute.",
    "logit_bias": "Sampling: bias of tokens.",
    "max_tool_calls": "A bound on calls of tools that the provider runs.",
    "message_name": "The name of a message's author.",
    "message_order": "Text behind a tool call now stands before it.",
    "metadata": "The client's own labels, which stay at the gateway.",
    "moderation": "Moderation at the provider.",
    "parallel_tool_calls": "Whether calls may be parallel, where no tools are.",
    "prediction": "A predicted output.",
    "presence_penalty": "Sampling: presence penalty.",
    "prompt_cache_key": "Which requests share a cache.",
    "prompt_cache_options": "How the cache of prompts works.",
    "prompt_cache_retention": "How long the cache of prompts lasts.",
    "reasoning_context": "Which reasoning the provider should keep.",
    "reasoning_history": "Reasoning of earlier turns that belongs to another provider or format.",
    "reasoning_mode": "A provider's own mode of reasoning.",
    "schema_name": "Name and description of the output's schema.",
    "search_options": "Options of a search on the web that the upstream's format lacks.",
    "seed": "Sampling: seed.",
    "server_tool_history": "Calls of tools that another provider has run.",
    "service_tier": "A service tier that the upstream's vendor doesn't have.",
    "speed": "A faster mode.",
    "stop": "Stop sequences that are only white space.",
    "store": "That the answer should be stored: it could not be, or at the provider.",
    "stream_options": "Options of the stream.",
    "strict": "That a tool's arguments must follow its schema.",
    "temperature": "Sampling: temperature, or the part of it that is out of the upstream's range.",
    "thinking": "Thinking was turned off, as the token cap leaves no room or earlier thoughts are gone.",
    "tool_choice": "That no tool may be called, where there are calls already and the upstream can't be told.",
    "tool_error": "That a tool failed is now said in its text.",
    "tool_options": "Options of a tool that the upstream's format lacks.",
    "top_k": "Sampling: top_k.",
    "top_p": "Sampling: top_p, beside a temperature or where the model takes none.",
    "truncation": "How the provider should shorten long conversations.",
    "unknown_field": "A field that isn't known here; the detail names it.",
    "user": "The end user's id.",
    "verbosity": "How long answers should be.",
}

REFUSED: dict[str, str] = {
    "access_programs": "Programs of access are the provider's own.",
    "audio": "The upstream can't answer with sound.",
    "background": "Answers are not made in the background here.",
    "cachedContent": "A cached prompt is known to its own provider only.",
    "fallbacks": "Fallbacks at the provider need an upstream of the same format.",
    "functions": "Functions of the older form must be well formed.",
    "image": "Settings of pictures need an upstream of the same format.",
    "logprobs": "The upstream's format has no log probabilities.",
    "mcp_servers": "MCP servers that the provider calls need an upstream of the same format.",
    "modalities": "The upstream can only answer with text.",
    "n": "The upstream gives one answer to a request.",
    "personality": "Personalities need an upstream of the same format.",
    "prompt": "Stored prompts need an upstream of the same format.",
}

IGNORED = frozenset(
    {
        "anthropic_beta",
        "anthropic_version",
        "betas",
        "client_metadata",
        "diagnostics",
        "extra_headers",
        "object",
        "stream",
        "type",
        "workspace_id",
    }
)
"""Says nothing that an answer could show."""

_HARMLESS: dict[str, tuple[Any, ...]] = {
    "audio": (None,),
    "background": (False,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "presence_penalty": (0,),
    "store": (False, True),
    "truncation": ("disabled",),
    "include": ([],),
    "metadata": ({},),
    "speed": ("standard",),
    "stream_options": ({}, {"include_obfuscation": False}, {"include_obfuscation": True}),
}
"""Values that ask for what happens anyway. Storing is the gateway's own business."""


MAX_TOLD = 32
_PLAIN = re.compile(r"[A-Za-z0-9_.:\-]{0,64}")
"""Details may be the client's own words."""


class Loss(msgspec.Struct, frozen=True, order=True):
    """`name` is one of `LOSSES`; `detail` says where, in the client's own terms."""

    name: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.name}({self.detail})" if self.detail else self.name


def told(losses: Iterable[Loss]) -> list[str]:
    """The losses as clients are told: each once, with its detail where that is short and plain, and not too many."""
    shown = {str(loss) if _PLAIN.fullmatch(loss.detail) else loss.name: None for loss in losses}
    return list(shown)[:MAX_TOLD]


class Losses:
    """Collects the losses of one conversion, each once."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[Loss, None] = {}

    def add(self, name: str, detail: str = "") -> None:
        if name not in LOSSES:
            raise KeyError(name)
        self._found[Loss(name, detail)] = None

    @property
    def found(self) -> list[Loss]:
        return list(self._found)

    def settings(self, rest: Mapping[str, Any], beyond: Iterable[str] = ()) -> None:
        """What a request asks beyond the model. Raises GatewayError 400 for what must not be left out."""
        for name in beyond:
            self.add(name)
        for name, value in rest.items():
            if value is None or name in IGNORED or value in _HARMLESS.get(name, ()):
                continue
            if name in REFUSED:
                raise unsupported(name)
            if name in LOSSES:
                self.add(name)
            else:
                self.add("unknown_field", name)

    def fields(self, rest: Mapping[str, Any], where: str, known: Mapping[str, str] = {}) -> None:
        """What a part of a request says beyond the model; `known` are fields that have a loss of their own."""
        for name, value in rest.items():
            if value is None or value == [] or name in _SILENT or name == RAW:
                continue
            if name in known:
                self.add(known[name])
            else:
                self.add("unknown_field", f"{where}.{name}")

    def opaque(self, part: Opaque) -> None:
        """A part that only its own format knows is left out of a request. Raises GatewayError 400 if it is needed."""
        if part.needed:
            raise unsupported(part.kind, "it means something to another provider only.")
        if not part.silent:
            self.add("server_tool_history", part.kind)


_SILENT = frozenset({"id", "status", "type", "role", "index", "object", "phase", "caller", "is_error", "cache_control"})
"""Fields of parts that mean something only inside their own format, or that were read and stayed."""


def unsupported(param: str, message: str | None = None) -> GatewayError:
    """A 400 for what can't be asked of this upstream."""
    why = message or REFUSED[param]
    return refuse(f"'{param}' is not supported for this model here: {why}", param, "unsupported_parameter")
