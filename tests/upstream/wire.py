"""The bytes of each dialect as providers send them, written from recorded traffic and not with the gateway's code.

Every streamed token is the four bytes " tok".
"""

import json
from typing import Any

from tests.upstream.script import Script

TOKEN = " tok"
GEMINI = "/v1beta/models"
"""What Google's paths are called here, whatever model and verb are in them."""
CREATED = 1_767_225_600


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def data(value: Any) -> bytes:
    return b"data: " + _dump(value) + b"\n\n"


def event(name: str, value: dict[str, Any]) -> bytes:
    return f"event: {name}\n".encode() + data({"type": name, **value})


def chat_usage(s: Script) -> dict[str, Any]:
    """OpenAI's shape: cached inside prompt, reasoning inside completion."""
    return {
        "prompt_tokens": s.input,
        "completion_tokens": s.tokens + s.reasoning,
        "total_tokens": s.input + s.tokens + s.reasoning,
        "prompt_tokens_details": {"cached_tokens": s.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": s.reasoning, "audio_tokens": 0},
    }


def chat_body(model: str, s: Script) -> bytes:
    body = {
        "id": "chatcmpl-upstream1",
        "object": "chat.completion",
        "created": CREATED,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": TOKEN * s.tokens, "refusal": None},
                "logprobs": None,
                "finish_reason": "length" if s.capped else "stop",
            }
        ],
    }
    if s.usage:
        body["usage"] = chat_usage(s)
    return _dump(body)


def chat_stream(model: str, s: Script, *, wants_usage: bool) -> list[bytes]:
    """One element per chunk; the content chunks are the first `tokens` of them."""

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        head = {"id": "chatcmpl-upstream1", "object": "chat.completion.chunk", "created": CREATED, "model": model}
        choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
        return data({**head, "choices": choices, **more})

    extra = {"usage": None} if wants_usage else {}
    chunks = [
        chunk({"role": "assistant", "content": TOKEN} if i == 0 else {"content": TOKEN}, **extra)
        for i in range(s.tokens)
    ]
    chunks.append(chunk({}, "stop", **extra))
    if wants_usage and s.usage:
        head = {"id": "chatcmpl-upstream1", "object": "chat.completion.chunk", "created": CREATED, "model": model}
        chunks.append(data({**head, "choices": [], "usage": chat_usage(s)}))
    chunks.append(b"data: [DONE]\n\n")
    return chunks


def responses_usage(s: Script) -> dict[str, Any]:
    return {
        "input_tokens": s.input,
        "input_tokens_details": {"cached_tokens": s.cached, "cache_write_tokens": 0},
        "output_tokens": s.tokens + s.reasoning,
        "output_tokens_details": {"reasoning_tokens": s.reasoning},
        "total_tokens": s.input + s.tokens + s.reasoning,
    }


def response(model: str, s: Script, status: str) -> dict[str, Any]:
    text = TOKEN * s.tokens
    done = status == "completed"
    message = {
        "id": "msg_up1",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
    }
    return {
        "id": "resp_upstream1",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": model,
        "output": [message] if done else [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": responses_usage(s) if done and s.usage else None,
    }


def responses_body(model: str, s: Script) -> bytes:
    whole = response(model, s, "completed")
    if s.capped:
        whole |= {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    return _dump(whole)


def responses_stream(model: str, s: Script) -> list[bytes]:
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": response(model, s, "in_progress")}),
        ("response.in_progress", {"response": response(model, s, "in_progress")}),
        (
            "response.output_item.added",
            {
                "output_index": 0,
                "item": {
                    "id": "msg_up1",
                    "type": "message",
                    "status": "in_progress",
                    "role": "assistant",
                    "content": [],
                },
            },
        ),
        (
            "response.content_part.added",
            {
                "item_id": "msg_up1",
                "output_index": 0,
                "content_index": 0,
                "part": {"type": "output_text", "text": "", "annotations": [], "logprobs": []},
            },
        ),
    ]
    where = {"item_id": "msg_up1", "output_index": 0, "content_index": 0}
    events += [("response.output_text.delta", {**where, "delta": TOKEN, "logprobs": []}) for _ in range(s.tokens)]
    text = TOKEN * s.tokens
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"id": "msg_up1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    events += [
        ("response.output_text.done", {**where, "text": text, "logprobs": []}),
        ("response.content_part.done", {**where, "part": part}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": response(model, s, "completed")}),
    ]
    return [event(name, {"sequence_number": i, **value}) for i, (name, value) in enumerate(events)]


def messages_usage(s: Script) -> dict[str, Any]:
    """Anthropic's shape: cache reads are outside the input tokens."""
    return {
        "input_tokens": s.input - s.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": s.cached,
        "output_tokens": s.tokens + s.reasoning,
    }


def messages_body(model: str, s: Script) -> bytes:
    return _dump(
        {
            "id": "msg_upstream1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": TOKEN * s.tokens}],
            "stop_reason": "max_tokens" if s.capped else "end_turn",
            "stop_sequence": None,
            "usage": messages_usage(s) if s.usage else {"input_tokens": 0, "output_tokens": 0},
        }
    )


def messages_stream(model: str, s: Script) -> list[bytes]:
    start: dict[str, Any] = {
        "id": "msg_upstream1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**messages_usage(s), "output_tokens": 1},
    }
    opening = event("message_start", {"message": start})
    opening += event("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}})
    delta = {"index": 0, "delta": {"type": "text_delta", "text": TOKEN}}
    chunks = [event("content_block_delta", delta) for _ in range(s.tokens)]
    chunks[:1] = [opening, *chunks[:1]]
    chunks.append(event("content_block_stop", {"index": 0}))
    finish: dict[str, Any] = {"delta": {"stop_reason": "end_turn", "stop_sequence": None}}
    finish["usage"] = {"output_tokens": s.tokens + s.reasoning}
    chunks.append(event("message_delta", finish))
    chunks.append(event("message_stop", {}))
    return chunks


def gemini_usage(s: Script) -> dict[str, Any]:
    """Google's shape: cached inside the prompt, thoughts beside the candidates."""
    counts = {
        "promptTokenCount": s.input,
        "candidatesTokenCount": s.tokens,
        "totalTokenCount": s.input + s.tokens + s.reasoning,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": s.input}],
    }
    if s.cached:
        counts["cachedContentTokenCount"] = s.cached
    if s.reasoning:
        counts["thoughtsTokenCount"] = s.reasoning
    return counts


def gemini_answer(model: str, s: Script, parts: list[dict[str, Any]], *, last: bool) -> dict[str, Any]:
    """A whole answer, or one of a stream."""
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if last:
        candidate["finishReason"] = "MAX_TOKENS" if s.capped else "STOP"
    value: dict[str, Any] = {"candidates": [candidate]}
    if s.usage and last:
        value["usageMetadata"] = gemini_usage(s)
    return {**value, "modelVersion": model, "responseId": "upstream1"}


def gemini_body(model: str, s: Script) -> bytes:
    return json.dumps(gemini_answer(model, s, [{"text": TOKEN * s.tokens}], last=True), indent=2).encode()


def gemini_stream(model: str, s: Script) -> list[bytes]:
    chunks = [data(gemini_answer(model, s, [{"text": TOKEN}], last=False)) for _ in range(s.tokens)]
    chunks.append(data(gemini_answer(model, s, [{"text": "", "thoughtSignature": "c2lnbmVk"}], last=True)))
    # Google ends lines so.
    return [chunk.replace(b"\n", b"\r\n") for chunk in chunks]


def embeddings_body(model: str, s: Script, inputs: int) -> bytes:
    vectors = [{"object": "embedding", "index": i, "embedding": [0.5, -0.25, 0.125]} for i in range(inputs)]
    body: dict[str, Any] = {"object": "list", "data": vectors, "model": model}
    body["usage"] = {"prompt_tokens": s.input, "total_tokens": s.input}
    return _dump(body)


def error_body(path: str, status: int, *, bad_key: int = 0) -> bytes:
    kind = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error"}.get(status, "api_error")
    if path == GEMINI:
        words = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED"}
        google: dict[str, Any] = {"code": status, "message": "the upstream says no"}
        google["status"] = words.get(status, "INTERNAL")
        google["details"] = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "9s"}]
        if bad_key:
            info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            google["details"].append(info)
        return _dump({"error": google})
    if path.endswith("/messages"):
        error = {"type": kind, "message": "the upstream says no"}
        return _dump({"type": "error", "error": error, "request_id": "req_upstream1"})
    return _dump({"error": {"message": "the upstream says no", "type": kind, "param": None, "code": None}})


def error_event(path: str) -> bytes:
    if path == GEMINI:
        return data({"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}})
    error = {"type": "overloaded_error", "message": "Overloaded"}
    if path.endswith("/messages"):
        return event("error", {"error": error})
    if path.endswith("/responses"):
        return event("error", {"code": "server_error", "message": "Overloaded", "param": None, "sequence_number": 9})
    return data({"error": {**error, "param": None, "code": None}})
