"""Reads a chat's messages into the one model.

An assistant's message becomes parts in the order in which it was thought and said: reasoning, content, refusal, calls.
The older form with one `function_call` has no ids, so its calls are numbered.
"""

from typing import Any, cast, get_args

from oneapi.dialects.canonical.arguments import as_text
from oneapi.dialects.canonical.parts import Message, Part, Reasoning, Refusal, Role, State, Text, ToolCall, ToolResult
from oneapi.dialects.canonical.reading import Fields, all_objects, objects, string
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.openai_chat.content import NAME, decode_content
from oneapi.dialects.request import refuse

LEGACY = "function_call"
REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_details")
ANTHROPIC_FORMAT = "anthropic-claude-v1"
RESPONSES_FORMAT = "openai-responses-v1"
SEALED_FORMAT = "oneapi-v1"
_ROLES = frozenset(get_args(Role))


def decode_messages(raw: list[Any], seal: Seal) -> list[Message]:
    """Raises GatewayError 400."""
    messages: list[Message] = []
    legacy = 0
    for place, item in enumerate(raw):
        if not isinstance(item, dict):
            raise refuse(f"'messages[{place}]' must be an object.", "messages")
        role = string(item.get("role"))
        if role == "function":
            messages.append(_function(item, f"call_{legacy}"))
        elif role not in _ROLES:
            raise refuse(f"'messages[{place}].role' is unknown.", "messages")
        elif role == "tool":
            messages.append(_tool(item))
        elif role == "assistant":
            legacy += isinstance(item.get(LEGACY), dict)
            messages.append(decode_assistant(item, seal, f"call_{legacy}"))
        else:
            fields = Fields(item)
            del fields.rest["role"]
            parts, shape = _content(fields)
            messages.append(Message(role=cast(Role, role), parts=parts, shape=shape, rest=fields.rest))
    return messages


def decode_assistant(raw: dict[str, Any], seal: Seal | None, legacy_id: str = "call_0") -> Message:
    """An assistant's message of a request; or the message of a provider's answer, with `seal` None."""
    fields = Fields(raw)
    fields.rest.pop("role", None)
    parts = reasoning_parts(fields, seal)
    content, shape = _content(fields)
    parts += content
    refusal = fields.rest.get("refusal")
    if isinstance(refusal, str):
        parts.append(Refusal(text=refusal, shape="field"))
        del fields.rest["refusal"]
    calls = fields.rest.get("tool_calls")
    if isinstance(calls, list) and calls:
        parts += [_call(call) for call in all_objects(calls, "tool_calls")]
        del fields.rest["tool_calls"]
    function = fields.object(LEGACY)
    if function is not None:
        parts.append(
            ToolCall(
                id=legacy_id,
                name=string(function.get("name")),
                arguments=as_text(function.get("arguments", "")),
                shape=LEGACY,
            )
        )
    return Message(role="assistant", parts=parts, shape=shape, rest=fields.rest)


def reasoning_parts(fields: Fields, seal: Seal | None) -> list[Part]:
    """Reasoning in the three fields that vendors use; a text that two of them tell is one."""
    texts = [fields.rest[name] for name in REASONING_FIELDS[:2] if isinstance(fields.rest.get(name), str)]
    details = objects(fields.rest.get("reasoning_details"))
    if not texts and not details:
        return []
    kept = {name: fields.rest.pop(name) for name in REASONING_FIELDS if fields.rest.get(name) is not None}
    found = [part for part in (_detail(detail, seal) for detail in details) if part is not None]
    if texts and not any(part.texts for part in found):
        found.insert(0, Reasoning(texts=[texts[0]], state=State(NAME)))
    if not found:
        found.append(Reasoning(texts=[texts[0]] if texts else [], state=State(NAME)))
    # All of it is one thing in this format, so its spelling hangs on the first part.
    found[0].rest = kept
    return list(found)


def _detail(detail: dict[str, Any], seal: Seal | None) -> Reasoning | None:
    """A provider's own details are its state in this format; a client's may be what it was told of another's."""
    kind, form = detail.get("type"), detail.get("format")
    text = string(detail.get("text")) or string(detail.get("summary"))
    data, signature = detail.get("data"), detail.get("signature")
    stateful = isinstance(data, str) or isinstance(signature, str)
    state: State | None = State(NAME, value={"details": [detail]} if stateful else {})
    if seal is None:
        pass
    elif form == ANTHROPIC_FORMAT and isinstance(signature, str):
        state = State("anthropic_messages", value={"thinking": text, "signature": signature})
    elif form == ANTHROPIC_FORMAT and isinstance(data, str):
        state = State("anthropic_messages", value={"data": data})
    elif form == RESPONSES_FORMAT and isinstance(data, str):
        state = State("openai_responses", value={"encrypted_content": data, "id": detail.get("id")})
    elif form == SEALED_FORMAT and isinstance(data, str):
        state = seal.open(data)
    elif kind not in ("reasoning.text", "reasoning.summary", "reasoning.encrypted"):
        return None
    return Reasoning(texts=[text] if text else [], state=state)


def _content(fields: Fields) -> tuple[list[Part], str]:
    content = fields.rest.get("content")
    if isinstance(content, str):
        del fields.rest["content"]
        return [Text(text=content)], "text"
    if isinstance(content, list):
        del fields.rest["content"]
        return decode_content(content), "list"
    return [], ""


def _tool(raw: dict[str, Any]) -> Message:
    fields = Fields(raw)
    del fields.rest["role"]
    call_id = fields.text("tool_call_id")
    if call_id is None:
        raise refuse("A message of the role 'tool' needs a 'tool_call_id'.", "messages")
    parts, shape = _content(fields)
    return Message(role="tool", parts=[ToolResult(call_id=call_id, parts=parts, shape=shape)], rest=fields.rest)


def _function(raw: dict[str, Any], call_id: str) -> Message:
    fields = Fields(raw)
    del fields.rest["role"]
    parts, shape = _content(fields)
    result = ToolResult(call_id=call_id, parts=parts, shape=shape)
    return Message(role="tool", parts=[result], shape="function", rest=fields.rest)


def _call(raw: dict[str, Any]) -> ToolCall:
    fields = Fields(raw)
    call_id = fields.text("id") or ""
    custom = raw.get("type") == "custom"
    kind = fields.rest.pop("type", None)
    inner = fields.object("custom" if custom else "function") or {}
    text = inner.get("input" if custom else "arguments", "")
    call = ToolCall(
        id=call_id,
        name=string(inner.get("name")),
        arguments=as_text({} if text is None else text),
        custom=custom,
        rest=fields.rest,
    )
    if kind is None:
        call.shape = "untyped"
    extra = {name: value for name, value in inner.items() if name not in {"name", "arguments", "input"}}
    if extra or not isinstance(text, str):
        call.rest["custom" if custom else "function"] = inner
    return call
