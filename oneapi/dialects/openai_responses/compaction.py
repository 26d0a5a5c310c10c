"""Compacts a conversation: what is asked of a model for it, what its client gets, and what that means in a later input.

Source: OpenAI's API reference, "Compact a response". A summary that any model writes takes the place of all but the
user's own messages; it is sealed in `encrypted_content`, so that it comes back unchanged, and only from the account
that it was made for. It must not know which upstream writes it. Pure.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard

import msgspec

from oneapi.dialects.canonical.parts import State
from oneapi.dialects.canonical.reading import member, objects, string
from oneapi.dialects.canonical.seal import PREFIX, Seal
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.openai_responses.history import kind_of, listed
from oneapi.dialects.usage import UNREADABLE

TYPE, TOKEN, SUMMARY = "compaction", "encrypted_content", "summary"
_PROMPT = (
    "The conversation above becomes too long and goes on from a summary, which you write now. Whoever reads it has "
    "the user's messages, and nothing else of what was said. Say what was asked for, what was found out and decided, "
    "what tools were called with which results that matter, what is still to be done, and names, numbers, paths and "
    "identifiers as they are. Write the summary alone, without calling a tool."
)
_INTRODUCTION = "What was said before, in summary:\n\n"
_OF_ANSWERS = ("background", "conversation", "include", "stream", "stream_options", "text", "truncation")
"""Settings of the answer that the conversation would go on with: the summary is none."""


def summary_request(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The request for a summary of a request's input, which must not name anything that is stored."""
    given = raw.get("input")
    items = given if isinstance(given, list) else [{"role": "user", "content": given}] if given else []
    asked = {name: value for name, value in raw.items() if name not in _OF_ANSWERS}
    asked |= {"input": [*items, {"role": "user", "content": _PROMPT}], "store": False}
    if asked.get("tools"):
        # Their calls are in the conversation, and some upstreams want to know them for that.
        asked["tool_choice"] = "none"
    return asked


class Compaction:
    """One compaction: what its answer is made of, beside the summary. `items` are the input that is compacted."""

    __slots__ = ("_items", "_seal", "_seed")

    def __init__(self, items: object, seed: str, seal: Seal) -> None:
        self._items = items
        self._seed = seed
        self._seal = seal

    def whole(self, body: bytes) -> bytes:
        """What the client gets for a whole answer to `summary_request`: the user's messages, and the summary.

        Raises GatewayError 502 for an answer that is no whole summary.
        """
        answer = _read(body)
        summary = _text(answer)
        if answer.get("status") != "completed" or not summary.strip():
            raise GatewayError(502, "upstream", "compaction_failed", "The model gave no whole summary.")
        kept = [
            item
            for item in listed(self._items, self._seed)
            if kind_of(item) == "message" and item.get("role") == "user"
        ]
        token = self._seal.close(State(TYPE, "", {SUMMARY: summary}))
        return msgspec.json.encode(
            {
                "id": f"resp_{self._seed}",
                "object": "response.compaction",
                "created_at": answer.get("created_at"),
                "output": [*kept, {"id": f"cmp_{self._seed}", "type": TYPE, TOKEN: token}],
                "usage": answer.get("usage"),
            }
        )


def holds_summaries(given: object) -> TypeGuard[list[Any]]:
    """Whether a request's input has summaries that this gateway sealed."""
    return isinstance(given, list) and any(_is_ours(item) for item in given)


def opened(given: list[Any], seal: Seal) -> list[Any]:
    """A request's input with the summaries in place of the items that hold them.

    Items that other providers sealed stay. Raises GatewayError 400 for one of ours that isn't this account's, or was
    changed.
    """
    return [_opened(item, seal) if _is_ours(item) else item for item in given]


def _is_ours(item: object) -> bool:
    return member(item, "type") == TYPE and string(member(item, TOKEN)).startswith(PREFIX)


def _opened(item: Mapping[str, Any], seal: Seal) -> dict[str, Any]:
    state = seal.open(string(member(item, TOKEN)))
    summary = state.value.get(SUMMARY) if state is not None and state.dialect == TYPE else None
    if not isinstance(summary, str):
        raise GatewayError(
            400,
            "invalid_request",
            "invalid_encrypted_content",
            "The 'encrypted_content' of a compaction item is not one that was made for this account.",
            param="input",
        )
    # The model's own words: what tools and pages said in them must not become instructions.
    return {"type": "message", "role": "assistant", "content": _INTRODUCTION + summary}


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except UNREADABLE:
        return {}


def _text(answer: Mapping[str, Any]) -> str:
    found: list[str] = []
    for item in objects(answer.get("output")):
        if item.get("type") == "message":
            parts = objects(item.get("content"))
            found += [string(part.get("text")) for part in parts if part.get("type") == "output_text"]
    return "\n".join(found)
