"""Command lines that work when they are pasted into a shell: one for each format.

It decides what they ask and with which model, and that no name of a model can say anything to the shell. It must not
know HTML.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.admin.public.site import Public

SANDBOX_MODEL = "sandbox"
CHAT = "chat"
HELLO = "Say hello."
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A wire format: what it is called, its path below a prefix such as `/v1`, how its key is sent, a small request."""

    name: str
    path: str
    key_header: str
    request: Mapping[str, Any]


CHAT_COMPLETIONS = Format(
    name="Chat Completions",
    path="/chat/completions",
    key_header="Authorization: Bearer $ONEAPI_KEY",
    request={"messages": [{"role": "user", "content": HELLO}]},
)
RESPONSES = Format(
    name="Responses",
    path="/responses",
    key_header="Authorization: Bearer $ONEAPI_KEY",
    request={"input": HELLO},
)
MESSAGES = Format(
    name="Messages",
    path="/messages",
    key_header="x-api-key: $ONEAPI_KEY",
    request={"max_tokens": 200, "messages": [{"role": "user", "content": HELLO}]},
)
FORMATS = (CHAT_COMPLETIONS, RESPONSES, MESSAGES)


def model_of(public: Public) -> str:
    """A model that can be talked to: the built-in one, else the first."""
    talking = [
        offer.model for offer in public.view.offers if CHAT in offer.endpoints and len(offer.model) <= LONGEST_NAME
    ]
    return SANDBOX_MODEL if SANDBOX_MODEL in talking or not talking else talking[0]


def with_key(public: Public, form: Format) -> str:
    """A request with a relay key, which the shell takes from ONEAPI_KEY."""
    return _curl(public, "/v1", form, model_of(public), (form.key_header,))


def without_key(public: Public, form: Format) -> str:
    """The same to the sandbox."""
    return _curl(public, "/sandbox/v1", form, SANDBOX_MODEL, ())


def _curl(public: Public, prefix: str, form: Format, model: str, headers: tuple[str, ...]) -> str:
    body = json.dumps({"model": model, **form.request})
    parts = [
        f"curl {shlex.quote(public.site.url(prefix + form.path))}",
        *(f'-H "{header}"' for header in headers),
        "-H 'Content-Type: application/json'",
        f"-d {shlex.quote(body)}",
    ]
    return " \\\n  ".join(parts)
