"""Small conversations, answers and streams of each format, and what a client reads of a converted stream."""

import json
from collections.abc import Sequence
from typing import Any

from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.conversion import Conversion, StreamConverter, Upstream, read_request
from tests.unit.oneapi.dialects import grammars

SECRET = b"a secret of the gateway's"
CHAT, RESPONSES, MESSAGES = "openai_chat", "openai_responses", "anthropic_messages"
GEMINI = "gemini_generate"
NAMES = (CHAT, RESPONSES, MESSAGES, GEMINI)
PAIRS = [(client, upstream) for client in NAMES for upstream in NAMES if client != upstream]


def request(client: str, messages: Any = None, **fields: Any) -> dict[str, Any]:
    """A request of a format with these messages (items, for Responses)."""
    body: dict[str, Any] = {"model": "alias"}
    if client == GEMINI:
        said = [{"role": "user", "parts": [{"text": "hi"}]}] if messages is None else messages
        shown = {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}
        return {**body, "contents": said, **shown, **fields}
    said = [{"role": "user", "content": "hi"}] if messages is None else messages
    body["input" if client == RESPONSES else "messages"] = said
    if client == MESSAGES:
        body["max_tokens"] = 4096
    return {**body, **fields}


def convert(
    client: str, upstream: str, body: dict[str, Any] | None = None, *, profile: Profile | None = None, **options: Any
) -> Conversion:
    asked = read_request(client, request(client) if body is None else body, SECRET)
    to = Upstream(upstream, "upstream-model", options.pop("origin", "here"), profile or Profile())
    return Conversion(asked, to, **{"secret": SECRET, "seed": "5eed", "created": 1_700_000_000, **options})


def sent(client: str, upstream: str, body: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What the upstream is asked."""
    return dict(json.loads(convert(client, upstream, body, **options).body))


def lost(client: str, upstream: str, body: dict[str, Any], **options: Any) -> list[str]:
    return [str(loss) for loss in convert(client, upstream, body, **options).losses]


def answered(client: str, upstream: str, answer: dict[str, Any], body: Any = None, **options: Any) -> dict[str, Any]:
    """A whole answer as the client gets it."""
    return dict(json.loads(convert(client, upstream, body, **options).response(json.dumps(answer).encode()).body))


def chat_chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}


def sse(events: Sequence[Any], *, done: bool = False) -> bytes:
    """Events of any format as bytes: those that have a type have it as their name too."""
    found = []
    for event in events:
        name = f"event: {event['type']}\n" if isinstance(event, dict) and "type" in event else ""
        found.append(f"{name}data: {json.dumps(event)}\n\n")
    return "".join(found).encode() + (b"data: [DONE]\n\n" if done else b"")


def fed(conversion: Conversion, pieces: Sequence[bytes]) -> tuple[bytes, StreamConverter]:
    converter = conversion.stream()
    assert isinstance(converter, StreamConverter)
    return b"".join([converter.feed(piece) for piece in pieces]) + converter.end(), converter


def streamed(
    client: str, upstream: str, data: bytes, body: dict[str, Any] | None = None, **options: Any
) -> tuple[list[grammars.Sse], StreamConverter]:
    """The client's events. They fit its grammar, and are the same when the upstream's bytes come one by one."""
    if body is None and client == CHAT:
        body = request(client, stream_options={"include_usage": True})
    options = {"prompt_tokens": 10, **options}
    out, converter = fed(convert(client, upstream, body, **options), [data])
    bytewise = [data[place : place + 1] for place in range(len(data))]
    single, other = fed(convert(client, upstream, body, **options), bytewise)
    assert single == out
    assert (other.usage, other.finished, other.error) == (converter.usage, converter.finished, converter.error)
    usage = bool((body or {}).get("stream_options", {}).get("include_usage"))
    ended = grammars.chat(out, usage=usage) if client == CHAT else grammars.GRAMMARS[client](out)
    assert ended == ("done" if converter.finished else "open")
    return grammars.events(out), converter


def message_of(client: str, events: list[grammars.Sse]) -> dict[str, Any]:
    """What a client has at the end of a stream, in few words: texts, thoughts, calls, stop, usage."""
    readers = {CHAT: _chat, RESPONSES: _response, MESSAGES: _message, GEMINI: gemini_message}
    return readers[client]([event for _, event in events])


def _chat(chunks: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"text": "", "thought": "", "refusal": "", "calls": [], "stop": None, "usage": None}
    for chunk in chunks:
        if chunk == "[DONE]" or "error" in chunk:
            continue
        found["usage"] = chunk.get("usage") or found["usage"]
        for choice in chunk["choices"]:
            delta = choice["delta"]
            found["text"] += delta.get("content") or ""
            found["thought"] += delta.get("reasoning_content") or ""
            found["refusal"] += delta.get("refusal") or ""
            for call in delta.get("tool_calls", ()):
                inner = call.get("function") or call.get("custom")
                if "id" in call:
                    found["calls"].append([call["id"], inner["name"], ""])
                found["calls"][call["index"]][2] += inner.get("arguments", inner.get("input", ""))
            found["stop"] = choice["finish_reason"] or found["stop"]
    return found


def _response(events: list[Any]) -> dict[str, Any]:
    response = events[-1]["response"]
    found: dict[str, Any] = {"text": "", "thought": "", "refusal": "", "calls": [], "usage": response["usage"]}
    for item in response["output"]:
        if item["type"] == "message":
            found["text"] += "".join(part.get("text", "") for part in item["content"])
            found["refusal"] += "".join(part.get("refusal", "") for part in item["content"])
        elif item["type"] == "reasoning":
            found["thought"] += "".join(part["text"] for part in item["summary"])
        elif item["type"] in {"function_call", "custom_tool_call"}:
            found["calls"].append([item["call_id"], item["name"], item.get("arguments", item.get("input"))])
    found["stop"] = (response["incomplete_details"] or {}).get("reason", response["status"])
    return found


def _message(events: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"text": "", "thought": "", "refusal": "", "calls": [], "stop": None, "usage": None}
    for event in events:
        if event["type"] == "content_block_start" and event["content_block"]["type"] == "tool_use":
            found["calls"].append([event["content_block"]["id"], event["content_block"]["name"], ""])
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            found["text"] += delta.get("text", "")
            found["thought"] += delta.get("thinking", "")
            if "partial_json" in delta:
                found["calls"][-1][2] += delta["partial_json"]
        elif event["type"] == "message_delta":
            found["stop"], found["usage"] = event["delta"]["stop_reason"], event["usage"]
    return found


def gemini_message(answers: list[Any]) -> dict[str, Any]:
    """The same of whole answers, or of a stream's."""
    found: dict[str, Any] = {"text": "", "thought": "", "refusal": "", "calls": [], "stop": None, "usage": None}
    for answer in answers:
        found["usage"] = answer.get("usageMetadata") or found["usage"]
        for candidate in answer.get("candidates", ()):
            found["stop"] = candidate.get("finishReason") or found["stop"]
            for part in candidate["content"]["parts"]:
                found["thought" if part.get("thought") else "text"] += part.get("text", "")
                if "functionCall" in part:
                    call = part["functionCall"]
                    found["calls"].append([call["id"], call["name"], json.dumps(call["args"])])
    return found
