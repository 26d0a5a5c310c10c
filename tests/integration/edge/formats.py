"""The formats of conversations as a client sees them: how to ask, what an answer says, how it ends.

And those that only upstreams speak, as a channel has them.
"""

import json
from typing import Any

from tests.upstream import bedrock, wire

CHAT, RESPONSES, MESSAGES = "openai_chat", "openai_responses", "anthropic_messages"
GEMINI = "gemini_generate"
FORMATS = (CHAT, RESPONSES, MESSAGES, GEMINI)
PATHS = {CHAT: "/v1/chat/completions", RESPONSES: "/v1/responses", MESSAGES: "/v1/messages", GEMINI: wire.GEMINI}
"""What the upstream's record calls them; Google's paths have a model and a verb more."""
PROVIDERS = {
    CHAT: "openai-compatible",
    RESPONSES: "openai-compatible",
    MESSAGES: "anthropic-compatible",
    GEMINI: "gemini",
}
ENDPOINTS = {CHAT: "chat", RESPONSES: "responses", MESSAGES: "messages", GEMINI: "generate_content"}
COHERE, CONVERSE = "cohere_chat", "bedrock_converse"
UPSTREAMS = (*FORMATS, COHERE, CONVERSE)
SERVED_AT = {**PATHS, COHERE: "/v2/chat", CONVERSE: "/converse"}
"""What the paths of an upstream's formats end in, but for streams of Bedrock's."""
ACCESS_KEY = f"{bedrock.KEY_ID}:{bedrock.SECRET}"
HI = [{"role": "user", "content": "hi"}]


def channel_of(upstream: str) -> dict[str, Any]:
    """How a channel is configured whose upstream speaks this format."""
    if upstream == CONVERSE:
        return {"provider": "bedrock", "api_key": ACCESS_KEY, "config": {"region": "eu-west-1"}}
    return {"provider": "cohere" if upstream == COHERE else PROVIDERS[upstream], "dialects": (upstream,)}


def usage_of(upstream: str) -> dict[str, int]:
    """What the upstream bills for five tokens of an answer; Cohere bills what was cached like the rest."""
    return {"input": 11, "output": 5} if upstream == COHERE else {"input": 7, "cached_input": 4, "output": 5}


def path(client: str, model: str, *, stream: bool = False) -> str:
    """Where a client asks."""
    if client != GEMINI:
        return PATHS[client]
    return f"{PATHS[GEMINI]}/{model}:" + ("streamGenerateContent?alt=sse" if stream else "generateContent")


def asked(client: str, model: str, *, stream: bool = False, **more: Any) -> dict[str, Any]:
    """A client's request."""
    if client == GEMINI:
        return {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], **more}
    body: dict[str, Any] = {"model": model, "stream": stream, **more}
    if client == RESPONSES:
        return {"input": "hi", **body}
    return {"messages": HI, **({"max_tokens": 50} if client == MESSAGES else {}), **body}


def capped(client: str, cap: int) -> dict[str, Any]:
    """The fields that bound an answer."""
    if client == GEMINI:
        return {"generationConfig": {"maxOutputTokens": cap}}
    return {"max_output_tokens" if client == RESPONSES else "max_tokens": cap}


def cap_of(upstream: str, body: dict[str, Any]) -> int:
    """The bound in a request that an upstream got."""
    if upstream == GEMINI:
        return int(body["generationConfig"]["maxOutputTokens"])
    return int(body["max_output_tokens" if upstream == RESPONSES else "max_tokens"])


def events(text: str) -> list[dict[str, Any]]:
    """The data of a stream, but for the end mark of Chat Completions."""
    lines = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def said(client: str, answer: dict[str, Any]) -> str:
    """The text of a whole answer."""
    if client == CHAT:
        return str(answer["choices"][0]["message"]["content"])
    if client == RESPONSES:
        return "".join(part["text"] for item in answer["output"] for part in item["content"])
    if client == GEMINI:
        return "".join(part["text"] for candidate in answer["candidates"] for part in candidate["content"]["parts"])
    return "".join(block["text"] for block in answer["content"])


def streamed(client: str, text: str) -> str:
    """The text of a stream."""
    found = ""
    for event in events(text):
        if client == CHAT:
            found += "".join(choice["delta"].get("content") or "" for choice in event.get("choices", ()))
        elif client == RESPONSES:
            found += event["delta"] if event["type"] == "response.output_text.delta" else ""
        elif client == GEMINI:
            found += said(client, event) if "candidates" in event else ""
        else:
            found += event["delta"].get("text", "") if event["type"] == "content_block_delta" else ""
    return found


def complete(client: str, text: str) -> bool:
    """Whether a stream ends as one that succeeded."""
    if client == CHAT:
        return text.endswith("data: [DONE]\n\n")
    if client == GEMINI:
        return events(text)[-1]["candidates"][0]["finishReason"] in {"STOP", "MAX_TOKENS"}
    return bool(events(text)[-1]["type"] == ("response.completed" if client == RESPONSES else "message_stop"))


def broken(client: str, text: str) -> bool:
    """Whether a stream ends with its format's error."""
    last = events(text)[-1]
    if client == CHAT:
        return bool(last["error"]["message"]) and "[DONE]" not in text
    if client == RESPONSES:
        return last["type"] == "response.failed" and "response.completed" not in text
    if client == GEMINI:
        return last["error"]["code"] >= 500 and "finishReason" not in text
    return last["type"] == "error" and "message_stop" not in text


def error_of(client: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The error object of an answer, whose shape is the client's."""
    assert ("type" in answer) == (client == MESSAGES), answer
    error: dict[str, Any] = answer["error"]
    assert ("code" in error) == (client != MESSAGES), answer
    assert ("details" in error) == (client == GEMINI), answer
    return error


def code_of(client: str, answer: dict[str, Any]) -> str:
    """The gateway's own code; "" for Messages, which has no place for it."""
    error = error_of(client, answer)
    return str(error["details"][0]["reason"]).lower() if client == GEMINI else str(error.get("code", ""))
