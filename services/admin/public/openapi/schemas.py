"""Schemas of what clients send to the routes that speak vendors' formats, and of the errors that they get.

Sources: the vendors' API references; the errors are those of `oneapi.dialects`, against which a test holds them. It
says what a request must have, and leaves the rest open: the formats grow. Models are examples, never all that there
may be.
"""

from collections.abc import Sequence
from typing import Any

from services.admin.public.routes import Format, Route

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
OBJECT: Schema = {"type": "object"}
_TURNS: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "object", "required": ["role"], "properties": {"role": TEXT}},
}
_ITEMS: Schema = {"anyOf": [TEXT, {"type": "array", "items": OBJECT}]}
_CONTENTS: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "object", "properties": {"role": TEXT, "parts": {"type": "array", "items": OBJECT}}},
}
_STREAM: Schema = {"type": "boolean", "default": False}
_TOKENS: Schema = {"type": "integer", "minimum": 1}
_TOOLS: Schema = {"type": "array", "items": OBJECT}
_SCENARIO: Schema = {
    "type": "object",
    "properties": {"sandbox": {"type": "string", "description": "What the sandbox shall do, see /sandbox"}},
}

ERRORS = {
    Format.CHAT: "OpenAIError",
    Format.RESPONSES: "OpenAIError",
    Format.EMBEDDINGS: "OpenAIError",
    Format.OPENAI: "OpenAIError",
    Format.MESSAGES: "AnthropicError",
    Format.GEMINI: "GoogleError",
    Format.MCP: "JsonRpcError",
    Format.MANAGEMENT: "Problem",
}
"""The name of the schema of a format's errors. Routes of other formats have none."""


def errors() -> dict[str, Schema]:
    """What errors look like, but for the management API's."""
    return {
        "OpenAIError": _holding(
            {"message": TEXT, "type": TEXT, "param": {"type": ["string", "null"]}, "code": TEXT}, details=OBJECT
        ),
        "AnthropicError": {
            "type": "object",
            "required": ["type", "error"],
            "properties": {
                "type": {"const": "error"},
                "error": having(type=TEXT, message=TEXT),
                "request_id": {"type": ["string", "null"]},
                "details": OBJECT,
            },
        },
        "GoogleError": _holding(
            {
                "code": {"type": "integer"},
                "message": TEXT,
                "status": TEXT,
                "details": {"type": "array", "items": OBJECT},
            }
        ),
        "JsonRpcError": {
            "type": "object",
            "required": ["jsonrpc", "error"],
            "properties": {
                "jsonrpc": {"const": "2.0"},
                "id": {"type": ["string", "integer", "null"]},
                "error": having(code={"type": "integer"}, message=TEXT),
            },
        },
    }


def model(examples: Sequence[str]) -> Schema:
    """The name of a model."""
    return {"type": "string", "minLength": 1, **({"examples": list(examples)} if examples else {})}


def request(route: Route, examples: Sequence[str]) -> Schema | None:
    """What a route takes; None when it takes no body."""
    if route.method != "POST":
        return None
    if route.format is Format.JSON:
        return OBJECT
    needed, fields = _fields(route, examples)
    if not fields:
        return None
    return {"type": "object", "properties": fields, **({"required": needed} if needed else {})}


def _fields(route: Route, examples: Sequence[str]) -> tuple[list[str], Schema]:
    """The fields that must be there, and those that are worth naming."""
    named = {"model": model(examples)}
    scenario = {"metadata": _SCENARIO} if route.path.startswith("/sandbox/") else {}
    if route.format is Format.CHAT:
        return ["model", "messages"], {**named, "messages": _TURNS, "stream": _STREAM, "tools": _TOOLS, **scenario}
    if route.format is Format.MESSAGES:
        counts = route.path.endswith("count_tokens")
        more: Schema = {} if counts else {"max_tokens": _TOKENS, "stream": _STREAM}
        needed = ["model", "messages"] + ([] if counts else ["max_tokens"])
        return needed, {**named, "messages": _TURNS, **more, "tools": _TOOLS, **scenario}
    if route.format is Format.EMBEDDINGS:
        texts = {"anyOf": [TEXT, {"type": "array", "minItems": 1, "items": {}}]}
        return ["model", "input"], {**named, "input": texts, "dimensions": _TOKENS}
    if route.format is Format.GEMINI:
        needed = [] if route.path.endswith("countTokens") else ["contents"]
        return needed, {"contents": _CONTENTS, "generationConfig": OBJECT, "tools": _TOOLS}
    if route.format is Format.MCP:
        return ["jsonrpc", "method"], {"jsonrpc": {"const": "2.0"}, "id": {}, "method": TEXT, "params": OBJECT}
    if "/conversations" in route.path:
        adds = route.path.endswith("/items")
        items: Schema = {"items": {"type": "array", "items": OBJECT}}
        return (["items"], items) if adds else ([], {"metadata": OBJECT, **({} if route.parameters else items)})
    if route.format is Format.RESPONSES and not route.parameters:
        more = {"stream": _STREAM, "store": {"type": "boolean"}} if route.path.endswith("/responses") else {}
        return ["model"], {**named, "input": _ITEMS, **more, "tools": _TOOLS, **scenario}
    return [], {}


def having(**fields: Schema) -> Schema:
    """An object that has all of these, and perhaps more."""
    return {"type": "object", "required": list(fields), "properties": fields}


def _holding(fields: Schema, **beside: Schema) -> Schema:
    return {"type": "object", "required": ["error"], "properties": {"error": having(**fields), **beside}}
