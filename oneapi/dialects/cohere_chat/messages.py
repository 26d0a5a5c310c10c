"""Messages of a request.

Instructions stand anywhere; a conversation ends with the user or a result, since Cohere continues no text. A result is
a text, or a document for each of its texts, which the model can cite one by one. Pictures in results follow in the
user's message. Documents are text: Cohere reads no files.
"""

from typing import Any

from oneapi.dialects.canonical import media
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.losses import unsupported
from oneapi.dialects.canonical.parts import (
    Audio,
    Base64,
    Document,
    Image,
    Link,
    Message,
    Nested,
    Opaque,
    Part,
    Plain,
    Reasoning,
    Refusal,
    Stored,
    Text,
    ToolCall,
    ToolResult,
)
from oneapi.dialects.canonical.turns import INSTRUCTING, joined
from oneapi.dialects.cohere_chat.thoughts import PLAN, own
from oneapi.dialects.request import refuse

CONTINUE = "Continue."
ATTACHED, NO_OUTPUT, ERROR = "[attached below]", "(no output)", "ERROR: "
_MESSAGE = {"name": "message_name"}
_PART = {"annotations": "annotations", "citations": "citations", "context": "document_context"}


def encode_messages(messages: list[Message], sending: Sending) -> list[dict[str, Any]]:
    """Raises GatewayError 400."""
    out: list[dict[str, Any]] = []
    for message in joined(messages, results_in_user=True):
        sending.losses.fields(message.rest, "message", _MESSAGE)
        if message.role in INSTRUCTING:
            content = _content(message.parts, sending)
            out += [{"role": "system", "content": content}] if content else []
        elif message.role == "assistant":
            out += _assistant(message, sending)
        else:
            out += _user(message, sending)
    if not out or out[-1]["role"] in {"assistant", "system"}:
        out.append({"role": "user", "content": CONTINUE})
    return out


def _assistant(message: Message, sending: Sending) -> list[dict[str, Any]]:
    thoughts: list[dict[str, Any]] = []
    said: list[Part] = []
    calls: list[dict[str, Any]] = []
    plans: list[str] = []
    foreign: list[Reasoning] = []
    for part in message.parts:
        match part:
            case Reasoning():
                field, words = own(part, sending.seal)
                if field == PLAN:
                    plans.append(words)
                elif field:
                    thoughts.append({"type": "thinking", "thinking": words})
                elif part.texts or part.state is not None:
                    foreign.append(part)
            case ToolCall():
                sending.losses.fields(part.rest, "tool_call")
                _marked(part, sending)
                function = {"name": part.name, "arguments": part.arguments if part.arguments.strip() else "{}"}
                calls.append({"id": part.id, "type": "function", "function": function})
            case _:
                if calls and isinstance(part, Text) and part.text:
                    sending.losses.add("message_order")
                said.append(part)
    if thoughts or plans:
        # Beside a token, Chat Completions repeat the words that it stands for.
        foreign = [part for part in foreign if part.state is None or part.state.value]
    if foreign:
        sending.losses.add("reasoning_history")
    content = _content(said, sending)
    if thoughts:
        content = [
            *thoughts,
            *([{"type": "text", "text": content}] if isinstance(content, str) and content else content),
        ]
    value: dict[str, Any] = {"role": "assistant"}
    if content:
        value["content"] = content
    if calls:
        value["tool_calls"] = calls
        if plans:
            value["tool_plan"] = "".join(plans)
    return [value] if content or calls else []


def _user(message: Message, sending: Sending) -> list[dict[str, Any]]:
    attached: list[Part] = []
    results = [_result(part, attached, sending) for part in message.parts if isinstance(part, ToolResult)]
    others = [part for part in message.parts if not isinstance(part, ToolResult)]
    content = _content([*attached, *others], sending)
    return [*results, {"role": "user", "content": content}] if content else results


def _result(part: ToolResult, attached: list[Part], sending: Sending) -> dict[str, Any]:
    sending.losses.fields(part.rest, "tool_result")
    _marked(part, sending)
    texts: list[str] = []
    for inner in part.parts:
        if isinstance(inner, Text | Document):
            texts += [value["text"] for value in _encode(inner, sending)]
        elif isinstance(inner, Opaque):
            sending.losses.opaque(inner)
        else:
            attached.append(inner)
    texts = texts or [ATTACHED if attached else NO_OUTPUT]
    if part.is_error:
        sending.losses.add("tool_error")
        texts[0] = texts[0] if texts[0].upper().startswith("ERROR") else ERROR + texts[0]
    content: Any = texts[0]
    if len(texts) > 1:
        content = [{"type": "document", "document": {"data": {"content": text}}} for text in texts]
    return {"role": "tool", "tool_call_id": part.call_id, "content": content}


def _content(parts: list[Part], sending: Sending) -> Any:
    """A text where there is only one; empty when nothing is left."""
    encoded = [value for part in parts for value in _encode(part, sending)]
    return encoded[0]["text"] if len(encoded) == 1 and encoded[0]["type"] == "text" else encoded


def _encode(part: Part, sending: Sending) -> list[dict[str, Any]]:
    """Raises GatewayError 400."""
    if isinstance(part, Opaque):
        sending.losses.opaque(part)
        return []
    sending.losses.fields(part.rest, "content", _PART)
    _marked(part, sending)
    match part:
        case Text() | Refusal():
            if isinstance(part, Text) and part.citations:
                sending.losses.add("annotations")
            return [{"type": "text", "text": part.text}] if part.text else []
        case Image():
            return [_image(part)]
        case Document():
            return [{"type": "text", "text": _text(part, sending)}]
        case Audio():
            raise unsupported("input_audio", "this model takes no sound.")
        case _:
            raise unsupported(type(part).__name__.lower(), "it has no place in a message of this format.")


def _image(part: Image) -> dict[str, Any]:
    match part.source:
        case Link(url):
            shown = {"url": url}
        case Base64() as source:
            shown = {"url": media.write_url(Base64(media.sniff(source), source.data))}
        case Stored():
            raise unsupported("file_id", "a stored file is known to another provider only.")
        case _:
            raise unsupported("image", "a picture is bytes or a link.")
    return {"type": "image_url", "image_url": shown | ({"detail": part.detail} if part.detail else {})}


def _text(part: Document, sending: Sending) -> str:
    match part.source:
        case Plain(text):
            found: str | None = text
        case Nested(parts):
            sending.losses.add("document_parts")
            found = "\n".join(value["text"] for inner in parts for value in _encode(inner, sending) if "text" in value)
        case Base64() as source:
            found = None if media.sniff(source) == media.PDF else media.read_text(source)
        case Stored():
            raise unsupported("file_id", "a stored file is known to another provider only.")
        case _:
            raise unsupported("file_url", "this model reads no documents at an address.")
    if found is None:
        raise refuse("This model reads documents of plain text only.")
    return f"{part.title}\n{found}" if part.title else found


def _marked(part: Part, sending: Sending) -> None:
    if part.cache is not None:
        sending.losses.add("cache_control")
