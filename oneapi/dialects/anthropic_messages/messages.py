"""The messages and the system prompt of a Messages request, both ways.

Rules for conversations of another format: leading instructions become `system`; later ones stay in place where the
model takes them, else they go into the user's next turn. Roles alternate; results come first in a turn, in the order of
their calls; an assistant's blocks stay in their order. A conversation that ends with the assistant gets a turn of the
user, since Anthropic would continue that very text.
"""

from typing import Any

from oneapi.dialects.anthropic_messages.block_encoder import encode_block, repeat_block, repeat_content
from oneapi.dialects.anthropic_messages.blocks import NAME, decode_content
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.parts import Message, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from oneapi.dialects.canonical.reading import Fields, string
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.canonical.turns import INSTRUCTING, joined, leading, reminded
from oneapi.dialects.request import refuse

CONTINUE = "Continue."
_BILLING = "x-anthropic-billing-header:"
_ROLES = frozenset({"user", "assistant", "system"})
_KNOWN = {"name": "message_name"}


def decode_system(raw: object, seal: Seal) -> Message | None:
    """The system prompt. What Claude Code bills by changes in each request, so no other provider shall see it."""
    parts, shape = decode_content(raw, seal)
    if shape == "list" and parts and isinstance(parts[0], Text) and parts[0].text.startswith(_BILLING):
        block = repeat_block(parts[0])
        parts[0] = Opaque(dialect=NAME, kind="billing_header", value=block, silent=True)
    return Message(role="system", parts=parts, top=True, shape=shape) if shape else None


def decode_messages(raw: list[Any], seal: Seal) -> list[Message]:
    """Raises GatewayError 400."""
    messages: list[Message] = []
    for place, item in enumerate(raw):
        if not isinstance(item, dict) or string(item.get("role")) not in _ROLES:
            raise refuse(f"'messages[{place}]' must be an object with a known role.", "messages")
        fields = Fields(item)
        role = fields.rest.pop("role")
        parts, shape = decode_content(fields.rest.get("content"), seal)
        if shape:
            del fields.rest["content"]
        messages.append(Message(role=role, parts=parts, shape=shape, rest=fields.rest))
    return messages


def repeat_messages(messages: list[Message]) -> dict[str, Any]:
    """`system` and `messages` of this very format, as they were."""
    value: dict[str, Any] = {}
    if messages and messages[0].top:
        value["system"] = repeat_content(messages[0].parts, messages[0].shape)["content"]
        messages = messages[1:]
    value["messages"] = [
        {"role": message.role, **repeat_content(message.parts, message.shape), **message.rest} for message in messages
    ]
    return value


def encode_messages(messages: list[Message], sending: Sending) -> dict[str, Any]:
    """`system` and `messages` of another format. Raises GatewayError 400."""
    first = leading(messages)
    value: dict[str, Any] = {}
    system = _blocks([part for message in messages[:first] for part in message.parts], sending)
    if system:
        value["system"] = system if len(system) > 1 or len(system[0]) > 2 else system[0]["text"]
    later = messages[first:]
    if not sending.profile.inline_system:
        later = reminded(later)
    turns: list[dict[str, Any]] = []
    calls: list[str] = []
    for message in joined(later, results_in_user=True):
        sending.losses.fields(message.rest, "message", _KNOWN)
        blocks = _blocks(_results_first(message, calls) if message.role == "user" else message.parts, sending)
        calls = [part.id for part in message.parts if isinstance(part, ToolCall)]
        if not blocks:
            continue
        role = "system" if message.role in INSTRUCTING else message.role
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] = _listed(turns[-1]["content"]) + blocks
        else:
            turns.append({"role": role, "content": _short(blocks)})
    if turns and turns[-1]["role"] == "assistant":
        turns.append({"role": "user", "content": CONTINUE})
    value["messages"] = turns
    return value


def has_thoughts_for_calls(messages: list[Message], sending: Sending) -> bool:
    """Whether the last turn that called tools begins with thinking that its provider will take, if there is one."""
    for message in reversed(joined(messages, results_in_user=True)):
        if message.role == "assistant":
            called = any(isinstance(part, ToolCall) for part in message.parts)
            thoughts = [part for part in message.parts if isinstance(part, Reasoning)]
            usable = any(sending.seal.usable(part.state, NAME) for part in thoughts)
            return usable or not called
    return True


def _results_first(message: Message, calls: list[str]) -> list[Part]:
    """The parts of a user's turn, results in the order of their calls."""
    places = {call_id: place for place, call_id in enumerate(calls)}
    behind = len(places)
    return sorted(
        message.parts,
        key=lambda part: places.get(part.call_id, behind) if isinstance(part, ToolResult) else behind + 1,
    )


def _blocks(parts: list[Part], sending: Sending) -> list[dict[str, Any]]:
    return [block for block in (encode_block(part, sending) for part in parts) if block is not None]


def _short(blocks: list[dict[str, Any]]) -> Any:
    plain = len(blocks) == 1 and blocks[0].keys() == {"type", "text"}
    return blocks[0]["text"] if plain else blocks


def _listed(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
