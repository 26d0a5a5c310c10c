"""The tools of the public MCP server: what each is called, takes and gives.

All of them read. It decides what is listed at a time, and must not know the protocol. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oneapi.catalog.public.view import PublicOffer, PublicTool
from services.admin.public.ask.answer import Answer, Asking, of_model, of_tool
from services.admin.public.site import Public
from services.admin.public.text import line

VIEW_URI = "ui://gateway/public-discovery.html"
DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_ARGUMENT = 2_000


class BadArgument(ValueError):
    """An argument can't be used; the message says which."""


@dataclass(frozen=True, slots=True)
class Told:
    """A tool's result: for people, and as data."""

    text: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PublicMcpTool:
    """`shown` tells that its results look better in the view."""

    name: str
    title: str
    description: str
    properties: Mapping[str, Mapping[str, Any]]
    required: tuple[str, ...]
    run: Callable[[Mapping[str, Any], Public, Asking], Told]
    shown: bool = False

    def described(self) -> dict[str, Any]:
        """As `tools/list` has it."""
        schema = {"type": "object", "properties": dict(self.properties), "additionalProperties": False}
        if self.required:
            schema["required"] = list(self.required)
        found: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": schema,
            "annotations": {
                "title": self.title,
                "readOnlyHint": True,
                "destructiveHint": False,
                "idempotentHint": True,
                "openWorldHint": False,
            },
        }
        if self.shown:
            found["_meta"] = {"ui": {"resourceUri": VIEW_URI, "visibility": ["model", "app"]}}
        return found

    def call(self, arguments: Mapping[str, Any], public: Public, asking: Asking) -> Told:
        """Its result. Raises BadArgument."""
        unknown = [name for name in arguments if name not in self.properties]
        if unknown:
            raise BadArgument(f"{self.name} takes no {line(unknown[0], 40)}.")
        missing = [name for name in self.required if name not in arguments]
        if missing:
            raise BadArgument(f"{missing[0]} is missing.")
        return self.run(arguments, public, asking)


def _ask(arguments: Mapping[str, Any], public: Public, asking: Asking) -> Told:
    answer = asking.answer(_text(arguments, "query"), public)
    return Told(_read_out(answer), as_data(answer, public))


def as_data(answer: Answer, public: Public) -> dict[str, Any]:
    """An answer as agents read it."""
    results = [
        {"kind": found.kind.value, "name": found.name, "url": found.url, "description": found.description}
        for found in answer.results
    ]
    return {
        "question": answer.question,
        "answer": answer.text,
        "results": results,
        "catalogRevision": public.view.revision,
    }


def _read_out(answer: Answer) -> str:
    found = [f"- {result.name}: {result.description} ({result.url})" for result in answer.results]
    return "\n".join([answer.text, "", *found])


def _list_models(arguments: Mapping[str, Any], public: Public, _asking: Asking) -> Told:
    wanted = _text(arguments, "contains").lower()
    models = [model for model in public.view.models if wanted in model.lower()]
    begin, end = _range(arguments)
    page = models[begin:end]
    offers = {model: public.view.by_model[model] for model in page}
    lines = [f"- {line(model)}: {of_model(offers[model])}" for model in page]
    text = "\n".join([f"{len(models)} models, {len(page)} of them here.", *lines])
    listed = [{"id": model, "offers": [_offer(offer) for offer in offers[model]]} for model in page]
    return Told(text, {"models": listed, "total": len(models), "catalogRevision": public.view.revision})


def _list_tools(arguments: Mapping[str, Any], public: Public, _asking: Asking) -> Told:
    wanted = _text(arguments, "contains").lower()
    tools = [tool for tool in public.view.tools if wanted in tool.name.lower()]
    begin, end = _range(arguments)
    page = tools[begin:end]
    text = "\n".join(
        [f"{len(tools)} tools, {len(page)} of them here.", *(f"- {line(tool.name)}: {of_tool(tool)}" for tool in page)]
    )
    listed = [_tool(tool) for tool in page]
    return Told(text, {"tools": listed, "total": len(tools), "catalogRevision": public.view.revision})


def _offer(offer: PublicOffer) -> dict[str, Any]:
    price = None
    if offer.price is not None:
        rates = offer.price.now
        price = {"usd_per_million_tokens": dict(rates.per_million), "usd_each": dict(rates.per_unit)}
    return {"channel": line(offer.channel), "endpoints": list(offer.endpoints), "price": price}


def _tool(tool: PublicTool) -> dict[str, Any]:
    return {"name": line(tool.name), "server": line(tool.server), "usd_per_call": tool.usd_per_call}


def _text(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_ARGUMENT:
        raise BadArgument(f"{name} must be a text of at most {MAX_ARGUMENT} characters.")
    return value


def _range(arguments: Mapping[str, Any]) -> tuple[int, int]:
    begin = _whole(arguments, "offset", 0, 0, 1_000_000)
    return begin, begin + _whole(arguments, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)


def _whole(arguments: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = arguments.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadArgument(f"{name} must be a whole number from {low} to {high}.")
    return value


_PAGING = {
    "contains": {"type": "string", "maxLength": MAX_ARGUMENT, "description": "Only those whose name contains this."},
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    "offset": {"type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 0},
}
_QUERY = {
    "type": "string",
    "maxLength": MAX_ARGUMENT,
    "description": "A question in plain words; 500 characters count.",
}
TOOLS = {
    tool.name: tool
    for tool in (
        PublicMcpTool(
            "ask",
            "Ask about this gateway",
            "Answers a question about this gateway's endpoints, models, tools, prices and keys from its live catalog.",
            {"query": _QUERY},
            ("query",),
            _ask,
            shown=True,
        ),
        PublicMcpTool(
            "list_models",
            "List models",
            "Lists the models that this gateway offers, with the price on each channel in USD.",
            _PAGING,
            (),
            _list_models,
            shown=True,
        ),
        PublicMcpTool(
            "list_tools",
            "List tools of the gateway",
            "Lists the tools that callers with a key find on /mcp, with the price of a call in USD.",
            _PAGING,
            (),
            _list_tools,
        ),
    )
}
