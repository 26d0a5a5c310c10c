"""What models thought, and what they want back of it: a signature of their words, or words that nobody may read.

The state in the one model is the block itself.
"""

from typing import Any

from oneapi.dialects.canonical.parts import Reasoning, State
from oneapi.dialects.canonical.reading import member, string
from oneapi.dialects.canonical.seal import Seal

NAME = "bedrock_converse"
TEXT, REDACTED = "reasoningText", "redactedContent"


def decode_reasoning(raw: Any) -> Reasoning | None:
    """A whole block."""
    told, redacted = member(raw, TEXT), string(member(raw, REDACTED))
    text, signature = string(member(told, "text")), string(member(told, "signature"))
    if not text and not signature and not redacted:
        return None
    return Reasoning(texts=[text] if text else [], state=state(text, signature, redacted))


def state(text: str, signature: str, redacted: str) -> State | None:
    """None for words that aren't signed: a model that doesn't sign them doesn't take them back."""
    if redacted:
        return State(NAME, value={REDACTED: redacted})
    return State(NAME, value={TEXT: {"text": text, "signature": signature}}) if signature else None


def own(part: Reasoning, seal: Seal) -> dict[str, Any] | None:
    """The block that goes back; None for what isn't of the upstream that is asked now."""
    if part.state is None or not seal.usable(part.state, NAME):
        return None
    value = part.state.value
    return {"reasoningContent": dict(value)} if value.keys() in ({TEXT}, {REDACTED}) else None
