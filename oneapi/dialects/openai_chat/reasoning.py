"""What a chat's answer tells of reasoning: the text in `reasoning_content`, and the provider's state beside it.

`reasoning_details` is the field that aggregators use for state; clients that send messages back as they came return
it. State of the other formats has their known spellings in it, any other is sealed.
"""

from typing import Any

from oneapi.dialects.canonical.parts import State
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.openai_chat.content import NAME
from oneapi.dialects.openai_chat.messages import ANTHROPIC_FORMAT, RESPONSES_FORMAT, SEALED_FORMAT


def detail(text: str, state: State | None, index: int, seal: Seal) -> dict[str, Any] | None:
    """The entry of `reasoning_details` for a part of reasoning; None when there is no state to keep."""
    if state is None or state.dialect == NAME:
        return None
    value = state.value
    if state.dialect == "anthropic_messages" and isinstance(value.get("signature"), str):
        told = {"type": "reasoning.text", "text": text, "signature": value["signature"]}
        return {**told, "format": ANTHROPIC_FORMAT, "index": index}
    if state.dialect == "anthropic_messages" and isinstance(value.get("data"), str):
        return {"type": "reasoning.encrypted", "data": value["data"], "format": ANTHROPIC_FORMAT, "index": index}
    if state.dialect == "openai_responses" and isinstance(value.get("encrypted_content"), str):
        told = {"type": "reasoning.encrypted", "data": value["encrypted_content"], "id": value.get("id")}
        return {**told, "format": RESPONSES_FORMAT, "index": index}
    return {"type": "reasoning.encrypted", "data": seal.close(state), "format": SEALED_FORMAT, "index": index}
