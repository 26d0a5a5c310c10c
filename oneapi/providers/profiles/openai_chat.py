"""Quirks of those who speak Chat Completions. A new one is one row here, with its reason.

Decides what is known of each family; it must not know how a body is edited.
"""

import re

from oneapi.providers.profiles.quirk import Quirk

_ANY = re.compile(r".*", re.DOTALL)
_DIALECT = "openai_chat"

QUIRKS = (
    Quirk(
        providers=frozenset({"openai", "azure-openai", "github-models"}),
        models=re.compile(r"(?:openai/|ft:)?(?:o[1-9]|gpt-[5-9]|codex).*", re.IGNORECASE | re.DOTALL),
        dialect=_DIALECT,
        renamed={"max_tokens": "max_completion_tokens"},
        reason="Reasoning models answer 400 to `max_tokens` and name `max_completion_tokens` instead.",
    ),
    Quirk(
        providers=frozenset({"mistral"}),
        models=_ANY,
        dialect=_DIALECT,
        renamed={"max_completion_tokens": "max_tokens"},
        reason="It answers 422 to fields that it doesn't know, and knows the token cap by its old name only.",
    ),
    Quirk(
        providers=frozenset({"mistral"}),
        models=_ANY,
        dialect=_DIALECT,
        dropped=frozenset({"stream_options"}),
        include_usage=False,
        reason="It answers 422 to `stream_options`, and tells usage in a stream's last chunk without being asked.",
    ),
    Quirk(
        providers=frozenset({"groq"}),
        models=_ANY,
        dialect=_DIALECT,
        refused=frozenset({"logprobs", "top_logprobs", "logit_bias"}),
        reason="It answers 400 when one of these is there at all; some clients send them with nothing in them.",
    ),
    Quirk(
        providers=frozenset({"cerebras"}),
        models=_ANY,
        dialect=_DIALECT,
        refused=frozenset({"frequency_penalty", "presence_penalty", "logit_bias", "service_tier"}),
        reason="It answers 400 when one of these is there at all; some clients send them with nothing in them.",
    ),
    Quirk(
        providers=frozenset({"xai"}),
        models=re.compile(r"grok-(?:3-mini|[4-9]|code).*", re.IGNORECASE | re.DOTALL),
        dialect=_DIALECT,
        refused=frozenset({"frequency_penalty", "presence_penalty"}),
        reason="Its reasoning models answer 400 when one of these is there; many clients send them as zero.",
    ),
)
