"""Contents and the system instruction, both ways.

The model's turns and the user's alternate; instructions inside a conversation go into the user's next turn; results
come first, in the order of their calls, as a content of their own. A conversation begins and ends with the user: Google
refuses calls at its beginning, and has no continuation of a text.
"""

from typing import Any

from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.parts import Message, Role, ToolCall
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.canonical.turns import joined, leading, reminded
from oneapi.dialects.gemini_generate.part_encoder import encode_model, encode_part, encode_user
from oneapi.dialects.gemini_generate.parts import Pairs, decode_parts
from oneapi.dialects.gemini_generate.spelling import camel
from oneapi.dialects.request import refuse

CONTINUE = "Continue."
_ROLES: dict[Any, Role] = {"user": "user", "model": "assistant", "function": "user", None: "user", "": "user"}
_KNOWN = {"name": "message_name"}


def decode_contents(raw: list[Any], seal: Seal) -> list[Message]:
    """Raises GatewayError 400."""
    pairs = Pairs()
    messages: list[Message] = []
    for place, item in enumerate(raw):
        role = item.get("role") if isinstance(item, dict) else 0
        if not isinstance(item, dict) or not isinstance(role, str | None) or role not in _ROLES:
            raise refuse(f"'contents[{place}]' must be an object of the role 'user' or 'model'.", "contents")
        rest = {name: value for name, value in item.items() if name not in {"role", "parts"}}
        parts = decode_parts(item.get("parts"), pairs, seal)
        messages.append(Message(role=_ROLES[role], parts=parts, rest=rest))
    return messages


def decode_instruction(raw: object, seal: Seal) -> Message | None:
    """The system instruction: a content, whatever its role. Raises GatewayError 400."""
    if raw is not None and not isinstance(raw, dict):
        raise refuse("'systemInstruction' must be an object with 'parts'.", "systemInstruction")
    parts = decode_parts(camel(raw).get("parts"), Pairs(), seal)
    return Message(role="system", parts=parts, top=True) if parts else None


def encode_contents(messages: list[Message], sending: Sending) -> dict[str, Any]:
    """`systemInstruction` and `contents` of another format's messages. Raises GatewayError 400."""
    first = leading(messages)
    value: dict[str, Any] = {}
    system = [found for message in messages[:first] for part in message.parts for found in encode_part(part, sending)]
    if system:
        value["systemInstruction"] = {"parts": system}
    contents: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    for message in joined(reminded(messages[first:]), results_in_user=True):
        sending.losses.fields(message.rest, "message", _KNOWN)
        if message.role == "assistant":
            names |= {part.id: part.name for part in message.parts if isinstance(part, ToolCall)}
            parts = encode_model(message.parts, sending)
            if parts and not contents:
                contents.append(_user(CONTINUE))
            contents += [{"role": "model", "parts": parts}] if parts else []
        else:
            contents += [{"role": "user", "parts": found} for found in encode_user(message.parts, names, sending)]
    if not contents or contents[-1]["role"] == "model":
        contents.append(_user(CONTINUE))
    value["contents"] = contents
    return value


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": text}]}
