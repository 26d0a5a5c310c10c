"""Reasoning of another format as a thinking block, whose signature carries what the other provider wants back."""

from typing import Any

from oneapi.dialects.anthropic_messages.block_encoder import state_block
from oneapi.dialects.anthropic_messages.blocks import NAME
from oneapi.dialects.canonical.parts import State
from oneapi.dialects.canonical.seal import Seal

UNKNOWN = "unknown"
"""Whose the state is when there is none: nobody's."""


def signature(state: State | None, seal: Seal) -> str:
    """Clients require one, so that even reasoning without state has one."""
    if state is not None and state.dialect == NAME and isinstance(state.value.get("signature"), str):
        return str(state.value["signature"])
    return seal.close(state or State(UNKNOWN))


def encode_reasoning(text: str, state: State | None, seal: Seal) -> dict[str, Any]:
    """Without any text the block is a redacted one."""
    if state is not None and state.dialect == NAME:
        block = state_block(state.value)
        if block is not None:
            return block
    token = signature(state, seal)
    if text:
        return {"type": "thinking", "thinking": text, "signature": token}
    return {"type": "redacted_thinking", "data": token}
