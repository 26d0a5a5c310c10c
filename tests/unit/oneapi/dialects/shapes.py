"""Pieces of requests and answers, written short, for tests of conversions."""

import base64
from typing import Any

import pytest

from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.errors import GatewayError
from tests.unit.oneapi.dialects.dialogues import (
    CHAT,
    convert,
)

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
PDF = base64.b64encode(b"%PDF-1.7" + bytes(20)).decode()
BUDGET = Profile(thinking="budget")


def refused(client: str, upstream: str, body: dict[str, Any], **options: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        convert(client, upstream, body, **options)
    assert caught.value.status == 400
    return caught.value


def call(call_id: str = "call_a", name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def called(*calls: dict[str, Any], content: Any = None) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


def result(call_id: str = "call_a", content: Any = "21C") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def tool_use(call_id: str = "toolu_a", name: str = "f", **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def tool_result(call_id: str = "toolu_a", content: Any = "21C", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def message(content: list[dict[str, Any]], stop: str, **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 1, "output_tokens": 1}
    return {"id": "m", "type": "message", "content": content, "stop_reason": stop, "usage": usage, **more}


def message_of_answer(client: str, answer: dict[str, Any]) -> dict[str, Any]:
    if client == CHAT:
        [choice] = answer["choices"]
        calls = choice["message"].get("tool_calls", [])
        found = [(one["id"], one["function"]["name"], one["function"]["arguments"]) for one in calls]
        return {"text": choice["message"]["content"], "calls": found, "stop": choice["finish_reason"]}
    said = "".join(part["text"] for item in answer["output"] if item["type"] == "message" for part in item["content"])
    calls = [item for item in answer["output"] if item["type"] == "function_call"]
    found = [(one["call_id"], one["name"], one["arguments"]) for one in calls]
    return {"text": said, "calls": found, "stop": answer["status"]}
