"""What a stored turn says to the next one: its items as they are listed, and as they are sent along again.

It decides the ids of items that came without one, which of an item's fields mean nothing to another upstream, and that
reasoning which a provider wants back unread is bound to the upstream that it came from. It must not know where items
are stored, nor for how long.
"""

import re
from collections.abc import Iterable
from typing import Any

from oneapi.dialects.canonical.parts import State
from oneapi.dialects.canonical.seal import PREFIX, Seal
from oneapi.dialects.openai_responses.parts import NAME
from oneapi.dialects.request import refuse

REFERENCE = "item_reference"
_PREFIXES = {
    "message": "msg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "custom_tool_call": "ctc_",
    "custom_tool_call_output": "ctco_",
}
_SAID = frozenset(_PREFIXES) - {"reasoning"}
_OF_ONE_UPSTREAM = ("id", "status")
FIRST_INPUT, FIRST_OUTPUT = 0x8000, 0x4000
"""The items of converted answers count from 0."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MADE_HERE = re.compile(r"[a-z]{2,5}_([0-9a-f]{32})[0-9a-f]{4}")


def listed(given: object, seed: str, *, taken: Iterable[str] = (), first: int = FIRST_INPUT) -> list[dict[str, Any]]:
    """Items, or a text, as items that can be listed and referred to.

    Those without an id get one, made from `seed`, and so do those whose id is taken: some upstreams count from one in
    each answer.
    """
    if isinstance(given, str):
        given = [{"role": "user", "content": given}] if given else []
    items = [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []
    known = set(taken)
    return [_listed(item, f"{seed}{first + place:04x}", known) for place, item in enumerate(items)]


def _listed(item: dict[str, Any], own: str, taken: set[str]) -> dict[str, Any]:
    kind = kind_of(item)
    item_id = item.get("id")
    if not isinstance(item_id, str) or not _ID.fullmatch(item_id) or item_id in taken:
        item_id = _PREFIXES.get(kind, "item_") + own
    taken.add(item_id)
    out: dict[str, Any] = {**item, "id": item_id, "type": kind}
    if kind in _SAID and not isinstance(item.get("status"), str):
        out["status"] = "completed"
    content = item.get("content")
    if kind == "message" and isinstance(content, str):
        out["content"] = [_text(content, output=item.get("role") == "assistant")]
    return out


def _text(text: str, *, output: bool) -> dict[str, Any]:
    if output:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "input_text", "text": text}


def kind_of(item: dict[str, Any]) -> str:
    """An item's type; one without is a message."""
    kind = item.get("type")
    return kind if isinstance(kind, str) else "message"


def referred(given: object) -> list[str]:
    """The ids that references in a request's input name, each once. Raises GatewayError 400 for one without an id."""
    found: dict[str, None] = {}
    for item in given if isinstance(given, list) else ():
        if isinstance(item, dict) and item.get("type") == REFERENCE:
            item_id = item.get("id")
            if not isinstance(item_id, str) or not _ID.fullmatch(item_id):
                raise refuse("A reference in 'input' needs the 'id' of an item.", "input")
            found[item_id] = None
    return list(found)


def seed_of(item_id: str) -> str:
    """What an item's id was made from; empty when it wasn't made here."""
    made = _MADE_HERE.fullmatch(item_id)
    return made[1] if made else ""


def replayed(items: Iterable[dict[str, Any]], origin: str, seal: Seal) -> list[dict[str, Any]]:
    """Stored items as a later request's input. `origin` names the upstream that wrote them, empty when none did."""
    return [_replayed(item, origin, seal) for item in items]


def _replayed(item: dict[str, Any], origin: str, seal: Seal) -> dict[str, Any]:
    kind = kind_of(item)
    if kind in _SAID:
        return {name: value for name, value in item.items() if name not in _OF_ONE_UPSTREAM}
    if kind == "reasoning":
        state = item.get("encrypted_content")
        if isinstance(state, str) and state.startswith(PREFIX):
            return item
        kept = {"encrypted_content": state, "id": item.get("id")} if isinstance(state, str) and state else {}
        sealed = seal.close(State(NAME, origin or "nobody", kept))
        return {name: value for name, value in item.items() if name != "status"} | {"encrypted_content": sealed}
    return item
