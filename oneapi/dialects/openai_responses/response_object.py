"""The response object itself: every field of it, as strict clients want them, with what the client asked echoed.

It decides the values that a client sees where it said nothing. It must not know how its output came to be.
"""

from typing import Any

from oneapi.dialects.canonical.context import Answering
from oneapi.dialects.canonical.reading import member, objects
from oneapi.dialects.canonical.responses import Stop
from oneapi.dialects.openai_responses.usage_encoder import encode_usage
from oneapi.dialects.usage import Usage

_NUMBERS = {"temperature": 1.0, "top_p": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0, "top_logprobs": 0}
_OPTIONAL = ("instructions", "max_output_tokens", "max_tool_calls", "prompt_cache_key", "safety_identifier", "user")
_INCOMPLETE = {"length": "max_output_tokens", "context_window": "max_output_tokens", "content_filter": "content_filter"}


def begun(answering: Answering) -> dict[str, Any]:
    """The response while it is in progress, without any output."""
    body = answering.body
    text = body.get("text")
    reasoning = body.get("reasoning")
    value: dict[str, Any] = {
        "id": answering.id("resp_"),
        "object": "response",
        "created_at": answering.created,
        "completed_at": None,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": answering.model,
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": None,
        "reasoning": {"effort": member(reasoning, "effort"), "summary": member(reasoning, "summary")},
        "service_tier": body.get("service_tier") or "auto",
        "store": False,
        "text": {"format": {"type": "text"}, **(text if isinstance(text, dict) else {})},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": [_tool(tool) for tool in objects(body.get("tools"))],
        "truncation": body.get("truncation") or "disabled",
        "usage": None,
        "metadata": body.get("metadata") or {},
    }
    value |= {name: default if body.get(name) is None else body[name] for name, default in _NUMBERS.items()}
    return value | {name: body.get(name) for name in _OPTIONAL}


def ended(
    response: dict[str, Any],
    answering: Answering,
    stop: Stop,
    output: list[dict[str, Any]],
    usage: Usage | None,
    service_tier: str | None,
) -> dict[str, Any]:
    """The same response when it is over."""
    reason = _INCOMPLETE.get(stop.reason)
    return {
        **response,
        "status": "completed" if reason is None else "incomplete",
        "completed_at": answering.created if reason is None else None,
        "incomplete_details": None if reason is None else {"reason": reason},
        "output": output,
        "service_tier": service_tier or ("default" if response["service_tier"] == "auto" else response["service_tier"]),
        "usage": encode_usage(usage or {"input": answering.input_tokens}),
        **_tools_used(usage),
    }


def _tools_used(usage: Usage | None) -> dict[str, Any]:
    searches = (usage or {}).get("search")
    return {"tool_usage": {"web_search": {"num_requests": searches}}} if searches else {}


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    if tool.get("type") != "function":
        return tool
    return {"description": None, "parameters": None, **tool, "strict": bool(tool.get("strict"))}
