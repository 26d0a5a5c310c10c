"""Reads a request to the sandbox: what its format's own decoders say, and what the sandbox doesn't have.

It decides which requests are refused, and by what name the same request is known again. It must not know how it is
answered.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from oneapi.dialects import json_guard
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.canonical.tools import CustomTool, FunctionTool, Namespace, Tool
from oneapi.dialects.codec import CODECS
from oneapi.dialects.registry import DIALECTS
from oneapi.dialects.request import refuse
from services.edge.sandbox import scenarios
from services.edge.sandbox.scenarios import Scenario
from services.edge.state import asked as state_asked

RESPONSES = "openai_responses"
MAX_CHOICES = 4
MAX_VALUES = 10_000
"""In the request's JSON. Reading more of them would hold up everybody else for too long."""
_ID_LENGTH = 32
_SEALED_BY_NOBODY = Seal(b"")
"""Nothing that clients carry was ever given to them here."""


class Question(msgspec.Struct, frozen=True):
    """What is asked. `seed` is the same for the same request: hex digits, of which its answer's ids are made."""

    raw: dict[str, Any]
    stream: bool
    wants_usage: bool
    scenario: Scenario
    seed: str


def read(dialect: str, body: bytes) -> Question:
    """The question. Raises GatewayError 400."""
    try:
        json_guard.check(body, max_nodes=MAX_VALUES)
    except json_guard.JsonTooComplex as problem:
        raise refuse(f"{problem}.", code="json_too_complex") from None
    facts = DIALECTS[dialect].inspect(body)
    scenario, plain = scenarios.take(facts.raw)
    if dialect == RESPONSES:
        _check_state(plain)
    _check(CODECS[dialect].decode_request(plain, _SEALED_BY_NOBODY), facts.choices)
    said = msgspec.json.encode([dialect, facts.raw], order="sorted")
    seed = hashlib.sha256(said).hexdigest()[:_ID_LENGTH]
    return Question(facts.raw, facts.stream, facts.wants_usage, scenario, seed)


def _check_state(raw: dict[str, Any]) -> None:
    """A response is not stored, whether it says so or not; and there is nothing that it could go on from."""
    found = state_asked.read(raw)
    named = {
        "previous_response_id": found.previous,
        "conversation": found.conversation,
        "input": found.references,
        "prompt": raw.get("prompt"),
    }
    for field, value in named.items():
        if value:
            message = f"'{field}' names something stored, and the sandbox stores nothing."
            raise refuse(message, field, "unsupported_parameter")


def _check(request: Request, choices: int) -> None:
    if choices > MAX_CHOICES:
        raise refuse(f"'n' must be at most {MAX_CHOICES} in the sandbox.", "n")
    choice = request.tool_choice
    if choice is None:
        return
    offered = _names(request.tools)
    if choice.mode == "any" and not request.tools:
        raise refuse("'tool_choice' asks for a tool, and 'tools' offers none.", "tool_choice")
    if choice.mode == "one" and not choice.kind and not offered.issuperset(choice.names):
        raise refuse("'tool_choice' names a tool that 'tools' does not offer.", "tool_choice")


def _names(tools: Sequence[Tool]) -> set[str]:
    """The names of the client's own tools."""
    found: set[str] = set()
    for tool in tools:
        if isinstance(tool, Namespace):
            found |= _names(tool.tools)
        elif isinstance(tool, FunctionTool | CustomTool):
            found.add(tool.name)
    return found
