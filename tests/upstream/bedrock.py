"""Amazon Bedrock's Converse as it answers, written from its documents and not with the gateway's code.

Requests that are signed must be signed right, by an access key that everybody knows.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tests.upstream import frames, wire
from tests.upstream.script import Script

KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
EVENT_STREAM = "application/vnd.amazon.eventstream"
WHOLE, STREAM = "/converse", "/converse-stream"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>\w+)/(?P<scope>\d{8}/[\w-]+/bedrock/aws4_request), "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


def usage(s: Script) -> dict[str, Any]:
    """The cache is beside the input."""
    output = s.tokens + s.reasoning
    told = {"inputTokens": s.input - s.cached, "outputTokens": output, "totalTokens": s.input + output}
    return {**told, "cacheReadInputTokens": s.cached, "cacheWriteInputTokens": 0}


def whole(s: Script, call: dict[str, Any] | None = None) -> bytes:
    content = {"text": wire.TOKEN * s.tokens} if call is None else {"toolUse": call}
    value = {
        "output": {"message": {"role": "assistant", "content": [content]}},
        "stopReason": "end_turn" if call is None else "tool_use",
        "metrics": {"latencyMs": 1},
    }
    return json.dumps({**value, **({"usage": usage(s)} if s.usage else {})}).encode()


def stream(s: Script, call: dict[str, Any] | None = None, pieces: tuple[str, ...] = ()) -> list[bytes]:
    """One element per chunk; those of a text's tokens come first."""

    def delta(told: dict[str, Any]) -> bytes:
        return frames.frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": told, "p": "abc"})

    opening = frames.frame("messageStart", {"role": "assistant", "p": "abcdef"})
    closing = frames.frame("contentBlockStop", {"contentBlockIndex": 0})
    closing += frames.frame("messageStop", {"stopReason": "end_turn" if call is None else "tool_use"})
    metadata: dict[str, Any] = {"metrics": {"latencyMs": 1}, **({"usage": usage(s)} if s.usage else {})}
    last = [closing, frames.frame("metadata", metadata)]
    if call is not None:
        used = {name: value for name, value in call.items() if name != "input"}
        start = {"contentBlockIndex": 0, "start": {"toolUse": used}}
        opening += frames.frame("contentBlockStart", start)
        return [opening, *(delta({"toolUse": {"input": piece}}) for piece in pieces), *last]
    chunks = [delta({"text": wire.TOKEN}) for _ in range(s.tokens)]
    return [opening + b"".join(chunks[:1]), *chunks[1:], *last]


def error_body() -> bytes:
    return b'{"message":"the upstream says no"}'


def error_event() -> bytes:
    return frames.frame("serviceUnavailableException", {"message": "Overloaded"}, "exception")


def signed_wrong(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a request claims a signature that isn't right; `path` is as it was sent."""
    given = headers.get("authorization", "")
    if not given.startswith("AWS4"):
        return False
    found = _AUTHORIZATION.fullmatch(given)
    if found is None or found["id"] != KEY_ID or not {"host", "x-amz-date"} <= set(found["names"].split(";")):
        return True
    lines = "".join(f"{name}:{headers[name]}\n" for name in found["names"].split(";"))
    digest = hashlib.sha256(body).hexdigest()
    request = f"{method}\n{quote(path, safe='/-_.~')}\n\n{lines}\n{found['names']}\n{digest}"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    key = b"AWS4" + SECRET.encode()
    for part in found["scope"].split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{found['scope']}\n{hashed}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest() != found["signature"]
