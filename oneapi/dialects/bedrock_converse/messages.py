"""Messages and instructions of a request.

Turns of the user's and the model's alternate, and the first and the last one are the user's: Bedrock refuses the one
and continues the other. Instructions inside a conversation stay where the model takes that, else they go into the
user's next turn.
"""

from typing import Any

from oneapi.dialects.bedrock_converse.blocks import Block, Blocks
from oneapi.dialects.bedrock_converse.reasoning import own
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.parts import Message, Reasoning, ToolCall
from oneapi.dialects.canonical.turns import INSTRUCTING, joined, leading, reminded

CONTINUE = "Continue."
_KNOWN = {"name": "message_name"}


def encode_messages(messages: list[Message], blocks: Blocks, sending: Sending) -> dict[str, Any]:
    """`system` and `messages`. Raises GatewayError 400."""
    first = leading(messages)
    value: dict[str, Any] = {}
    system = [block for message in messages[:first] for block in blocks.system(message.parts)]
    if system:
        value["system"] = system
    later = messages[first:]
    if not sending.profile.inline_system:
        later = reminded(later)
    turns: list[dict[str, Any]] = []
    calls: list[str] = []
    for message in joined(later, results_in_user=True):
        sending.losses.fields(message.rest, "message", _KNOWN)
        role, content = _turn(message, calls, blocks)
        calls = [part.id for part in message.parts if isinstance(part, ToolCall)]
        if not content:
            continue
        if not turns and role == "assistant":
            turns.append(_user())
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += content
        else:
            turns.append({"role": role, "content": content})
    if not turns or turns[-1]["role"] == "assistant":
        turns.append(_user())
    value["messages"] = turns
    return value


def _turn(message: Message, calls: list[str], blocks: Blocks) -> tuple[str, list[Block]]:
    if message.role in INSTRUCTING:
        return "system", blocks.system(message.parts)
    if message.role == "assistant":
        return "assistant", blocks.assistant(message.parts)
    return "user", blocks.user(message.parts, calls)


def _user() -> dict[str, Any]:
    return {"role": "user", "content": [{"text": CONTINUE}]}


def has_thoughts_for_calls(messages: list[Message], sending: Sending) -> bool:
    """Whether the last turn that called tools has thoughts that its provider will take, if there is one."""
    for message in reversed(joined(messages, results_in_user=True)):
        if message.role == "assistant":
            called = any(isinstance(part, ToolCall) for part in message.parts)
            thoughts = [part for part in message.parts if isinstance(part, Reasoning)]
            return not called or any(own(part, sending.seal) for part in thoughts)
    return True
