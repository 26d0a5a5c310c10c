"""Good requests of each format to the sandbox, and how their answers are read."""

import json
from typing import Any

import httpx2

CANARY = "sk-canary-of-the-sandbox-0123456789"
CHAT, RESPONSES, MESSAGES = "/sandbox/v1/chat/completions", "/sandbox/v1/responses", "/sandbox/v1/messages"
TURNS = [{"role": "user", "content": "Hello"}]
GOOD: dict[str, dict[str, Any]] = {
    CHAT: {"model": "any/model:1", "messages": TURNS},
    RESPONSES: {"model": "any/model:1", "input": "Hello"},
    MESSAGES: {"model": "any/model:1", "messages": TURNS, "max_tokens": 200},
}
PATHS = list(GOOD)
SAID = "This is the sandbox of One API. You said: Hello"


def error_of(path: str, answer: httpx2.Response) -> dict[str, Any]:
    """The error, which is of the path's own format."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert answer.headers["access-control-allow-origin"] == "*"
    error: dict[str, Any] = body["error"]
    if path == MESSAGES:
        assert set(body) == {"type", "error", "request_id"}
        assert (body["type"], set(error)) == ("error", {"type", "message"})
        assert body["request_id"] == answer.headers["x-request-id"] == answer.headers["request-id"]
    else:
        assert set(body) == {"error"}
        assert set(error) == {"message", "type", "param", "code"}
    return error


def events(answer: httpx2.Response) -> list[tuple[str, Any]]:
    """The events' names and data."""
    found = []
    for block in answer.text.removesuffix("\n\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        found.append(
            (lines.get("event", ""), lines["data"] if lines["data"] == "[DONE]" else json.loads(lines["data"]))
        )
    return found


async def ask(http: httpx2.AsyncClient, path: str, *, stream: bool = False, **more: Any) -> httpx2.Response:
    return await http.post(path, json={**GOOD[path], **({"stream": True} if stream else {}), **more})
