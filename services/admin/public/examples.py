"""Requests that a reader may copy: a body for each format, and the command that sends it.

It decides that no name of others can leave its place in a command: bodies are JSON in ASCII, quoted for a shell. It
must not know the documents in which they stand.
"""

import json
import shlex
from typing import Any

from oneapi.catalog.public.view import PublicView
from services.admin.public.routes import Format, Route
from services.admin.public.site import Site

CHAT, EMBEDDINGS = "chat", "embeddings"
NO_MODEL = "MODEL"
KEY = "$ONEAPI_KEY"
_QUESTION = "Say hello."
_TURN = {"role": "user", "content": _QUESTION}


def models_for(view: PublicView, format_: Format) -> tuple[str, ...]:
    """Public models that can be asked in this format, sorted."""
    wanted = EMBEDDINGS if format_ is Format.EMBEDDINGS else CHAT
    return tuple(sorted({offer.model for offer in view.offers if wanted in (offer.endpoints or (CHAT,))}))


def model_for(view: PublicView, format_: Format) -> str:
    """One of them, or a word that stands for one."""
    return next(iter(models_for(view, format_)), NO_MODEL)


def body(route: Route, model: str) -> dict[str, Any]:
    """The smallest good body of a route that makes or counts something."""
    if route.format is Format.CHAT:
        return {"model": model, "messages": [_TURN]}
    if route.format is Format.RESPONSES:
        return {"model": model, "input": _QUESTION}
    if route.format is Format.MESSAGES:
        counts = route.path.endswith("count_tokens")
        return {"model": model, **({} if counts else {"max_tokens": 64}), "messages": [_TURN]}
    if route.format is Format.EMBEDDINGS:
        return {"model": model, "input": _QUESTION}
    if route.format is Format.GEMINI:
        return {"contents": [{"role": "user", "parts": [{"text": _QUESTION}]}]}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def curl(site: Site, route: Route, given: dict[str, Any]) -> str:
    """The command, with the key from the environment where one is needed."""
    lines = [f"curl {shlex.quote(site.url(route.path))}", "-H 'Content-Type: application/json'"]
    if route.format is Format.MCP:
        lines.append("-H 'Accept: application/json, text/event-stream'")
    if route.key:
        lines.append(f'-H "Authorization: Bearer {KEY}"')
    return " \\\n  ".join([*lines, f"-d {shlex.quote(json.dumps(given))}"])
