"""Pieces of requests and answers of Gemini, written short, for tests of conversions."""

from typing import Any

FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def user(*parts: dict[str, Any] | str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": part} if isinstance(part, str) else part for part in parts]}


def model(*parts: dict[str, Any] | str) -> dict[str, Any]:
    return {**user(*parts), "role": "model"}


def call(name: str = "f", call_id: str = "", signature: str = "", **args: Any) -> dict[str, Any]:
    value: dict[str, Any] = {"functionCall": {**({"id": call_id} if call_id else {}), "name": name, "args": args}}
    return value | ({"thoughtSignature": signature} if signature else {})


def result(name: str = "f", call_id: str = "", **response: Any) -> dict[str, Any]:
    return {"functionResponse": {**({"id": call_id} if call_id else {}), "name": name, "response": response}}


def answer(*parts: dict[str, Any] | str, reason: str = "STOP", **more: Any) -> dict[str, Any]:
    content = model(*parts)
    return {"candidates": [{"content": content, "finishReason": reason, **more}], "responseId": "r"}


def chat_call(call_id: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
