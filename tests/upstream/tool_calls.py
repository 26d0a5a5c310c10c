"""Answers that call a tool, in each dialect, as providers send them.

The first tool is called with `ARGUMENTS`; one that runs commands is called instead of it, with a command that says
`RAN`. Arguments come in two pieces where they are streamed.
"""

import json
from typing import Any

from tests.upstream import bedrock, cohere, wire
from tests.upstream.script import Script

ARGUMENTS = '{"city":"Paris"}'
RAN = "it is 42"
_COMMAND = "echo it is $((40 + 2))"
_SHELLS = {
    "Bash": {"command": _COMMAND, "description": "Says a number"},
    "exec_command": {"cmd": _COMMAND},
    "shell_command": {"command": _COMMAND},
    "shell": {"command": ["bash", "-c", _COMMAND]},
}
"""Tools of coding agents that run commands, and how each is called."""
CALL_ID = "call_up1"
_RESULTS = ('"role": "tool"', '"function_call_output"', '"tool_result"', '"toolResult"', '"functionResponse"')
SIGNATURE = "c2lnbmVkIGNhbGw="


def wanted(path: str, body: dict[str, Any]) -> str:
    """The tool to call: one that runs commands, else the first one that is offered; none when a call has its result."""
    tools = body.get("tools") or body.get("toolConfig", {}).get("tools") or []
    said = json.dumps(body.get("messages") or body.get("input") or body.get("contents"))
    if not tools or any(mark in said for mark in _RESULTS):
        return ""
    if path == wire.GEMINI:
        tools = tools[0]["functionDeclarations"]
    names = [str((tool.get("function") or tool.get("toolSpec") or tool).get("name", "")) for tool in tools]
    return next((name for name in names if name in _SHELLS), names[0])


def _arguments(tool: str) -> str:
    return json.dumps(_SHELLS[tool]) if tool in _SHELLS else ARGUMENTS


def _pieces(tool: str) -> tuple[str, str]:
    arguments = _arguments(tool)
    return arguments[:8], arguments[8:]


def whole(path: str, model: str, s: Script, tool: str) -> bytes:
    """The whole answer."""
    if path.endswith("/chat/completions"):
        body = json.loads(wire.chat_body(model, s))
        function = {"name": tool, "arguments": _arguments(tool)}
        body["choices"][0]["message"] |= {
            "content": None,
            "tool_calls": [{"id": CALL_ID, "type": "function", "function": function}],
        }
        body["choices"][0]["finish_reason"] = "tool_calls"
    elif path.endswith("/responses"):
        body = json.loads(wire.responses_body(model, s))
        body["output"] = [_item(tool, _arguments(tool), "completed")]
    elif path == wire.GEMINI:
        body = wire.gemini_answer(model, s, [_part(tool)], last=True)
    elif path.endswith(cohere.PATH):
        return cohere.whole(s, _cohere_call(tool))
    elif path.endswith(bedrock.WHOLE):
        return bedrock.whole(s, _converse_call(tool))
    else:
        body = json.loads(wire.messages_body(model, s))
        body["content"] = [{"type": "tool_use", "id": CALL_ID, "name": tool, "input": json.loads(_arguments(tool))}]
        body["stop_reason"] = "tool_use"
    return json.dumps(body).encode()


def stream(path: str, model: str, s: Script, tool: str) -> list[bytes]:
    """One element per chunk."""
    if path.endswith("/chat/completions"):
        return _chat(model, s, tool)
    if path.endswith(cohere.PATH):
        return cohere.stream(s, _cohere_call(tool), _pieces(tool))
    if path.endswith(bedrock.STREAM):
        return bedrock.stream(s, _converse_call(tool), _pieces(tool))
    if path == wire.GEMINI:
        ended = wire.gemini_answer(model, s, [{"text": ""}], last=True)
        return [wire.data(wire.gemini_answer(model, s, [_part(tool)], last=False)), wire.data(ended)]
    return _responses(model, s, tool) if path.endswith("/responses") else _messages(model, s, tool)


def _cohere_call(tool: str) -> dict[str, Any]:
    return {"id": CALL_ID, "type": "function", "function": {"name": tool, "arguments": _arguments(tool)}}


def _converse_call(tool: str) -> dict[str, Any]:
    return {"toolUseId": CALL_ID, "name": tool, "input": json.loads(_arguments(tool))}


def _chat(model: str, s: Script, tool: str) -> list[bytes]:
    head = {"id": "chatcmpl-upstream1", "object": "chat.completion.chunk", "created": wire.CREATED, "model": model}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return wire.data({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    function = {"name": tool, "arguments": ""}
    opening = {"index": 0, "id": CALL_ID, "type": "function", "function": function}
    chunks = [chunk({"role": "assistant", "content": None, "tool_calls": [opening]})]
    chunks += [chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}) for piece in _pieces(tool)]
    chunks.append(chunk({}, "tool_calls"))
    chunks.append(wire.data({**head, "choices": [], "usage": wire.chat_usage(s)}))
    return [*chunks, b"data: [DONE]\n\n"]


def _part(tool: str) -> dict[str, Any]:
    """Google's call: whole, without an id, and signed."""
    return {"functionCall": {"name": tool, "args": json.loads(_arguments(tool))}, "thoughtSignature": SIGNATURE}


def _item(tool: str, arguments: str, status: str) -> dict[str, Any]:
    return {
        "id": "fc_up1",
        "type": "function_call",
        "status": status,
        "call_id": CALL_ID,
        "name": tool,
        "arguments": arguments,
    }


def _responses(model: str, s: Script, tool: str) -> list[bytes]:
    begun = wire.response(model, s, "in_progress")
    ended = {**wire.response(model, s, "completed"), "output": [_item(tool, _arguments(tool), "completed")]}
    where = {"item_id": "fc_up1", "output_index": 0}
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": begun}),
        ("response.output_item.added", {"output_index": 0, "item": _item(tool, "", "in_progress")}),
        *(("response.function_call_arguments.delta", {**where, "delta": piece}) for piece in _pieces(tool)),
        ("response.function_call_arguments.done", {**where, "arguments": _arguments(tool)}),
        ("response.output_item.done", {"output_index": 0, "item": _item(tool, _arguments(tool), "completed")}),
        ("response.completed", {"response": ended}),
    ]
    return [wire.event(name, {"sequence_number": i, **value}) for i, (name, value) in enumerate(events)]


def _messages(model: str, s: Script, tool: str) -> list[bytes]:
    message = json.loads(wire.messages_body(model, s))
    message |= {"content": [], "stop_reason": None, "usage": {**wire.messages_usage(s), "output_tokens": 1}}
    block = {"type": "tool_use", "id": CALL_ID, "name": tool, "input": {}}
    finish = {"delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": s.tokens}}
    return [
        wire.event("message_start", {"message": message}),
        wire.event("content_block_start", {"index": 0, "content_block": block}),
        *(
            wire.event(
                "content_block_delta", {"index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}}
            )
            for piece in _pieces(tool)
        ),
        wire.event("content_block_stop", {"index": 0}),
        wire.event("message_delta", finish),
        wire.event("message_stop", {}),
    ]
