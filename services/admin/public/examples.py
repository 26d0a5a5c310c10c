"""Requests that a reader may copy: a body for each format, and the command that sends it.

It decides which model they name, and that no name of others can leave its place in a command: bodies are JSON in
ASCII without markup, quoted for a shell. It must not know the documents in which they stand.
"""

import json
import shlex
from typing import Any

from oneapi.catalog.public.view import PublicOffer, PublicView
from services.admin.public.routes import Format, Group, Route
from services.admin.public.site import Public, Site

CHAT, EMBEDDINGS = "chat", "embeddings"
SANDBOX_MODEL = "sandbox"
NO_MODEL = "MODEL"
KEY = "$ONEAPI_KEY"
MAX_TOKENS = 200
_QUESTION = "Say hello."
_TURN = {"role": "user", "content": _QUESTION}


def models_for(view: PublicView, format_: Format) -> tuple[str, ...]:
    """Public models that can be asked in this format, sorted."""
    return tuple(sorted({offer.model for offer in _offers_for(view, format_)}))


def model_for(view: PublicView, format_: Format) -> str:
    """The one that most readers can ask, or a word that stands for one: the built-in one, else the first with a price.

    A model without a price is only for accounts that pay nothing in advance.
    """
    priced = {offer.model for offer in _offers_for(view, format_) if offer.price is not None}
    models = models_for(view, format_)
    return min(models, key=lambda model: (model != SANDBOX_MODEL, model not in priced), default=NO_MODEL)


def _offers_for(view: PublicView, format_: Format) -> list[PublicOffer]:
    wanted = EMBEDDINGS if format_ is Format.EMBEDDINGS else CHAT
    return [offer for offer in view.offers if wanted in (offer.endpoints or (CHAT,))]


_ASKED = "Which models are there?"
_MESSAGE = {"message": {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": _ASKED}]}}
_BODIES: dict[str, dict[str, Any]] = {
    "askByPost": {"query": {"text": _ASKED}},
    "callAgent": {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": _MESSAGE},
    "sendMessage": _MESSAGE,
    "streamMessage": _MESSAGE,
    "createConversation": {"items": [_TURN], "metadata": {"topic": "greetings"}},
    "updateConversation": {"metadata": {"topic": "greetings"}},
    "addItems": {"items": [_TURN]},
}
"""By the operation's id, where the format alone doesn't tell."""


def body(route: Route, model: str) -> dict[str, Any]:
    """The smallest good body of a route that takes one."""
    if route.operation_id in _BODIES:
        return _BODIES[route.operation_id]
    if route.format is Format.CHAT:
        return {"model": model, "messages": [_TURN]}
    if route.format is Format.RESPONSES:
        return {"model": model, "input": _QUESTION}
    if route.format is Format.MESSAGES:
        counts = route.path.endswith("count_tokens")
        return {"model": model, **({} if counts else {"max_tokens": MAX_TOKENS}), "messages": [_TURN]}
    if route.format is Format.EMBEDDINGS:
        return {"model": model, "input": _QUESTION}
    if route.format is Format.GEMINI:
        return {"contents": [{"role": "user", "parts": [{"text": _QUESTION}]}]}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def command(public: Public, route: Route) -> str:
    """The smallest request of a route as a command. The sandbox is asked for its own model."""
    model = SANDBOX_MODEL if route.group is Group.SANDBOX else model_for(public.view, route.format)
    return curl(public.site, route, body(route, model))


def curl(site: Site, route: Route, given: dict[str, Any]) -> str:
    """The command, with the key from the environment where one is needed."""
    lines = [f"curl {shlex.quote(site.url(route.path))}", "-H 'Content-Type: application/json'"]
    if route.format is Format.MCP:
        lines.append("-H 'Accept: application/json, text/event-stream'")
    if route.key:
        header = f"x-api-key: {KEY}" if route.format is Format.MESSAGES else f"Authorization: Bearer {KEY}"
        lines.append(f'-H "{header}"')
    return " \\\n  ".join([*lines, f"-d {shlex.quote(_json(given))}"])


def _json(value: dict[str, Any]) -> str:
    """In ASCII, and without what begins markup."""
    return json.dumps(value).replace("<", r"\u003c").replace(">", r"\u003e")
