"""Writes messages of the one model as a chat's messages.

Rules for conversations of another format:

1. Neighbouring assistant messages are one. Text that stood behind a call now stands before it, which is a loss.
2. Results come first, each a message of its own; pictures and documents in them follow in the user's next message,
   since most servers take only text from a tool.
3. Reasoning goes on only where it came from an upstream of this format.
"""

from typing import Any

from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.parts import (
    Audio,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from oneapi.dialects.canonical.turns import INSTRUCTING, joined, leading, reminded
from oneapi.dialects.openai_chat.content import FOREIGN, NAME, encode_part
from oneapi.dialects.openai_chat.messages import LEGACY

ATTACHED = "[image attached below]"
NO_OUTPUT = "(no output)"
ERROR = "ERROR: "
_KNOWN = {"name": "message_name"}


def repeat(message: Message) -> dict[str, Any]:
    """A message of this very format, as it was."""
    if message.role == "tool":
        result = message.parts[0]
        if not isinstance(result, ToolResult):
            return dict(message.rest)
        role = {"role": "function"} if message.shape == "function" else {"role": "tool", "tool_call_id": result.call_id}
        return {**role, **_repeated_content(result.parts, result.shape), **message.rest}
    value: dict[str, Any] = {"role": message.role}
    content: list[Part] = []
    calls: list[dict[str, Any]] = []
    for part in message.parts:
        if part.shape == FOREIGN:
            content.append(part)
        elif isinstance(part, ToolCall) and part.shape == LEGACY:
            value[LEGACY] = {"arguments": part.arguments, "name": part.name}
        elif isinstance(part, ToolCall):
            calls.append(_call(part) | part.rest)
        elif isinstance(part, Reasoning):
            value |= part.rest
        elif isinstance(part, Refusal) and part.shape == "field":
            value["refusal"] = part.text
        else:
            content.append(part)
    value |= _repeated_content(content, message.shape)
    if calls:
        value["tool_calls"] = calls
    return {**value, **message.rest}


def encode_messages(messages: list[Message], sending: Sending) -> list[dict[str, Any]]:
    """Messages of another format. Raises GatewayError 400."""
    first = leading(messages)
    if sending.profile.system_first:
        messages = [*messages[:first], *reminded(messages[first:])]
    out: list[dict[str, Any]] = []
    for message in _turns(messages):
        sending.losses.fields(message.rest, "message", _KNOWN)
        if message.role in INSTRUCTING:
            out += _instructions(message, sending)
        elif message.role == "assistant":
            out += encode_assistant(message, sending)
        else:
            out += _user(message, sending)
    return out


def _turns(messages: list[Message]) -> list[Message]:
    """Neighbouring assistant messages are joined, and results with the user's message that follows them."""
    out: list[Message] = []
    for message in messages:
        last = out[-1] if out else None
        after_results = last is not None and isinstance(last.parts[-1] if last.parts else None, ToolResult)
        if last is not None and (
            (message.role == last.role == "assistant") or (message.role in {"tool", "user"} and after_results)
        ):
            out[-1] = joined([last, message], results_in_user=True)[0]
        else:
            out.append(message)
    return out


def _instructions(message: Message, sending: Sending) -> list[dict[str, Any]]:
    role = "developer" if sending.profile.developer_role else "system"
    content = _content(message.parts, sending)
    return [{"role": role, "content": content}] if content else []


def encode_assistant(message: Message, sending: Sending) -> list[dict[str, Any]]:
    """One assistant message; none when nothing of it can be said."""
    content: list[Part] = []
    calls: list[dict[str, Any]] = []
    thoughts: list[str] = []
    details: list[dict[str, Any]] = []
    for part in message.parts:
        match part:
            case ToolCall():
                sending.losses.fields(part.rest, "tool_call", {"cache_control": "cache_control"})
                if part.cache is not None:
                    sending.losses.add("cache_control")
                calls.append(_call(part))
            case Reasoning():
                if sending.profile.reasoning_replay and sending.seal.usable(part.state, NAME):
                    thoughts += part.texts
                    details += part.state.value.get("details", []) if part.state is not None else []
                elif part.texts or part.state is not None:
                    sending.losses.add("reasoning_history")
            case Opaque():
                sending.losses.opaque(part)
            case _:
                if calls and isinstance(part, Text) and part.text:
                    sending.losses.add("message_order")
                content.append(part)
    said = _content(content, sending)
    if not said and not calls and not thoughts:
        return []
    value: dict[str, Any] = {"role": "assistant", "content": said or (None if calls else "")}
    if thoughts:
        value["reasoning_content"] = "\n\n".join(thoughts)
    elif calls and sending.profile.reasoning_required:
        value["reasoning_content"] = " "
    if details:
        value["reasoning_details"] = details
    if calls:
        value["tool_calls"] = calls
    return [value]


def _user(message: Message, sending: Sending) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    pictures: list[Part] = []
    others: list[Part] = []
    for part in message.parts:
        if isinstance(part, ToolResult):
            out.append(_result(part, pictures, sending))
        elif isinstance(part, Opaque):
            sending.losses.opaque(part)
        else:
            others.append(part)
    content = _content([*pictures, *others], sending)
    if content:
        out.append({"role": "user", "content": content})
    return out


def _result(part: ToolResult, pictures: list[Part], sending: Sending) -> dict[str, Any]:
    inside: list[Part] = []
    for inner in part.parts:
        if isinstance(inner, Opaque):
            sending.losses.opaque(inner)
        elif isinstance(inner, Image | Document | Audio) and not sending.profile.images_in_results:
            pictures.append(inner)
        else:
            inside.append(inner)
    if part.cache is not None and not sending.profile.cache_marks:
        sending.losses.add("cache_control")
    elif part.cache is not None and inside:
        inside[-1].cache = inside[-1].cache or part.cache
    content = _content(inside, sending) or (ATTACHED if len(inside) < len(part.parts) else NO_OUTPUT)
    if part.is_error:
        sending.losses.add("tool_error")
        content = _as_error(content)
    sending.losses.fields(part.rest, "tool_result")
    return {"role": "tool", "tool_call_id": part.call_id, "content": content}


def _as_error(content: str | list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return content if content.upper().startswith("ERROR") else ERROR + content
    return [{"type": "text", "text": ERROR.strip()}, *content]


def _content(parts: list[Part], sending: Sending) -> str | list[dict[str, Any]]:
    """A text where there is only one; empty when nothing is left."""
    encoded: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, Text) and not part.text.strip() and (not part.text or len(parts) > 1):
            continue
        if isinstance(part, Opaque):
            sending.losses.opaque(part)
            continue
        sending.losses.fields(part.rest, "content", {"citations": "citations", "context": "document_context"})
        if isinstance(part, Text) and part.citations:
            sending.losses.add("annotations")
        value = encode_part(part, sending)
        if value is None:
            raise unsupported(type(part).__name__.lower(), "it has no place in a message of this format.")
        encoded.append(value)
    if len(encoded) == 1 and encoded[0].keys() == {"type", "text"}:
        return str(encoded[0]["text"])
    return encoded


def _call(part: ToolCall) -> dict[str, Any]:
    if part.custom:
        return {"id": part.id, "type": "custom", "custom": {"name": part.name, "input": part.arguments}}
    value = {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}
    if part.shape == "untyped":
        del value["type"]
    return value


def _repeated_content(parts: list[Part], shape: str) -> dict[str, Any]:
    if shape == "text" and parts and isinstance(parts[0], Text):
        return {"content": parts[0].text}
    if shape == "list":
        return {"content": [_repeated(part) for part in parts]}
    return {}


def _repeated(part: Part) -> dict[str, Any]:
    value = encode_part(part, None)
    if value is None:
        raise TypeError(type(part).__name__)
    return value
