"""Items of a response's input or output, both ways: each is a message of the one model, with one kind of part.

Items of tools that ran at the provider are opaque. Where a conversation means nothing without one of them (a reference
to what the provider stored, a call that only this format's clients can run) it says so.

Rules for conversations of another format: results of tools stand before the text of the same turn; reasoning goes on
only to the upstream that it came from, and only in front of something of the model's.
"""

from typing import Any, cast, get_args

from oneapi.dialects.canonical.arguments import as_text
from oneapi.dialects.canonical.context import Sending
from oneapi.dialects.canonical.ids import legal_id
from oneapi.dialects.canonical.parts import Message, Opaque, Part, Reasoning, Role, State, Text, ToolCall, ToolResult
from oneapi.dialects.canonical.reading import RAW, Fields, member, objects, string
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.canonical.turns import INSTRUCTING, without_orphans
from oneapi.dialects.openai_responses.parts import NAME, decode_content, encode_part, repeat_content
from oneapi.dialects.request import refuse

ERROR = "ERROR: "
_RAN_AT_PROVIDER = frozenset(
    {
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_list_tools",
        "mcp_call",
        "tool_search_call",
        "tool_search_output",
        "additional_tools",
    }
)
_ROLES = frozenset(get_args(Role)) - {"tool"}
_KNOWN = {"name": "message_name"}


def decode_item(raw: dict[str, Any], seal: Seal | None) -> Message:
    """One item. `seal` is None for a provider's own answer. Raises GatewayError 400 for a message without a role."""
    kind = string(raw.get("type", "message"))
    if kind == "message" and (seal is not None or string(raw.get("role")) in _ROLES):
        return _message(raw)
    if kind in {"function_call", "custom_tool_call"} and isinstance(raw.get("name"), str):
        return Message(role="assistant", parts=[_call(raw, custom=kind == "custom_tool_call")])
    if kind in {"function_call_output", "custom_tool_call_output"}:
        return Message(role="tool", parts=[_result(raw, custom=kind == "custom_tool_call_output")])
    if kind == "reasoning":
        return Message(role="assistant", parts=[_reasoning(raw, seal)])
    return Message(role="assistant", parts=[_opaque(kind, raw)])


def _message(raw: dict[str, Any]) -> Message:
    role = string(raw.get("role"))
    if role not in _ROLES:
        raise refuse("An item of 'input' has an unknown role.", "input")
    fields = Fields(raw)
    del fields.rest["role"]
    parts, shape = decode_content(fields.rest.get("content"))
    if shape:
        del fields.rest["content"]
    return Message(role=cast(Role, role), parts=parts, shape=shape, rest=fields.rest)


def _call(raw: dict[str, Any], *, custom: bool) -> ToolCall:
    return ToolCall(
        id=string(raw.get("call_id")),
        name=string(raw.get("name")),
        arguments=as_text(raw.get("input" if custom else "arguments", "")),
        custom=custom,
        namespace=string(raw.get("namespace")),
        truncated=raw.get("status") == "incomplete",
        rest={RAW: raw},
    )


def _result(raw: dict[str, Any], *, custom: bool) -> ToolResult:
    parts, shape = decode_content(raw.get("output"))
    return ToolResult(call_id=string(raw.get("call_id")), parts=parts, shape=shape, custom=custom, rest={RAW: raw})


def _reasoning(raw: dict[str, Any], seal: Seal | None) -> Reasoning:
    texts = [string(part.get("text")) for part in objects(raw.get("summary"))]
    if not any(texts):
        texts = [string(part.get("text")) for part in objects(raw.get("content"))]
    texts = [text for text in texts if text]
    sealed = raw.get("encrypted_content")
    state: State | None = None
    if isinstance(sealed, str) and sealed:
        state = seal.open(sealed) if seal is not None else None
        state = state or State(NAME, value={"encrypted_content": sealed, "id": raw.get("id")})
    return Reasoning(texts=texts, id=string(raw.get("id")), state=state, rest={RAW: raw})


def _opaque(kind: str, raw: dict[str, Any]) -> Opaque:
    search: str | None = None
    if kind == "web_search_call":
        search = string(member(raw.get("action"), "query"))
    return Opaque(dialect=NAME, kind=kind or "item", value=raw, search=search, needed=kind not in _RAN_AT_PROVIDER)


def repeat_item(message: Message) -> dict[str, Any]:
    """An item of this very format, as it was."""
    part = message.parts[0] if message.parts else None
    if isinstance(part, Opaque) and not message.shape:
        return dict(part.value)
    if part is not None and RAW in part.rest and not message.shape:
        return dict(part.rest[RAW])
    content = {"content": repeat_content(message.parts, message.shape)} if message.shape else {}
    return {"role": message.role, **content, **message.rest}


def encode_items(messages: list[Message], sending: Sending) -> list[dict[str, Any]]:
    """Items of a conversation of another format. Raises GatewayError 400."""
    items: list[dict[str, Any]] = []
    usable, dropped = without_orphans(messages)
    if dropped:
        sending.losses.add("reasoning_history")
    for message in usable:
        sending.losses.fields(message.rest, "message", _KNOWN)
        if message.role == "assistant":
            items += _assistant(message, sending)
        else:
            items += _other(message, sending)
    return items


def _other(message: Message, sending: Sending) -> list[dict[str, Any]]:
    results = [_encode_result(part, sending) for part in message.parts if isinstance(part, ToolResult)]
    rest: list[Part] = [part for part in message.parts if not isinstance(part, ToolResult)]
    role = message.role if message.role in INSTRUCTING else "user"
    content = _content(rest, sending, output=False)
    if message.role in INSTRUCTING and message.top:
        role = "developer"
    return [*results, *([{"type": "message", "role": role, "content": content}] if content else [])]


def _assistant(message: Message, sending: Sending) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    said: list[Part] = []
    for part in [*message.parts, None]:
        if part is None or isinstance(part, ToolCall | Reasoning):
            content = _content(said, sending, output=True)
            items += [{"type": "message", "role": "assistant", "content": content}] if content else []
            said = []
        if isinstance(part, ToolCall):
            if part.cache is not None:
                sending.losses.add("cache_control")
            items.append(encode_call(part))
        elif isinstance(part, Reasoning):
            items += _encode_reasoning(part, sending)
        elif part is not None:
            said.append(part)
    return items


def _content(parts: list[Part], sending: Sending, *, output: bool) -> list[dict[str, Any]]:
    return [value for value in (encode_part(part, sending, output=output) for part in parts) if value is not None]


def encode_call(part: ToolCall) -> dict[str, Any]:
    call_id = legal_id(part.id)
    if part.custom:
        return {"type": "custom_tool_call", "call_id": call_id, "name": part.name, "input": part.arguments}
    value = {"type": "function_call", "call_id": call_id, "name": part.name, "arguments": part.arguments or "{}"}
    return value | ({"namespace": part.namespace} if part.namespace else {})


def _encode_result(part: ToolResult, sending: Sending) -> dict[str, Any]:
    sending.losses.fields(part.rest, "tool_result")
    parts = list(part.parts)
    if part.is_error:
        sending.losses.add("tool_error")
        first = parts[0] if parts else Text()
        if not (isinstance(first, Text) and first.text.upper().startswith("ERROR")):
            said = f"{ERROR}{first.text}" if isinstance(first, Text) else ERROR.strip()
            parts = [Text(text=said), *(parts[1:] if isinstance(first, Text) else parts)]
    if part.cache is not None and parts:
        parts[-1] = _marked(parts[-1], part)
    content = _content(parts, sending, output=False)
    plain = all(value.keys() == {"type", "text"} for value in content)
    output: Any = content[0]["text"] if plain and len(content) == 1 else content or ""
    kind = "custom_tool_call_output" if part.custom else "function_call_output"
    return {"type": kind, "call_id": legal_id(part.call_id), "output": output}


def _marked(part: Part, result: ToolResult) -> Part:
    return Text(text=part.text, cache=result.cache) if isinstance(part, Text) and part.cache is None else part


def _encode_reasoning(part: Reasoning, sending: Sending) -> list[dict[str, Any]]:
    sealed = part.state.value.get("encrypted_content") if part.state is not None else None
    if not sending.seal.usable(part.state, NAME) or part.state is None or not sealed:
        if part.texts or part.state is not None:
            sending.losses.add("reasoning_history")
        return []
    own_id = part.state.value.get("id")
    summary = [{"type": "summary_text", "text": text} for text in part.texts]
    item: dict[str, Any] = {"type": "reasoning", "summary": summary, "encrypted_content": sealed}
    return [item | ({"id": own_id} if isinstance(own_id, str) else {})]
