"""Takes out of a request what the gateway once sealed for its client, where an upstream gets the request as it is.

A conversation may begin at an upstream of another format, and go on at one that speaks the client's own: that one never
wrote the tokens which the client repeats, and would refuse the request for them. It decides which parts of a request
are such tokens. It must not open one, nor know whose it is.
"""

from typing import Any

from oneapi.dialects.canonical.losses import Loss
from oneapi.dialects.canonical.seal import PREFIX

_MARK = b'"' + PREFIX.encode()
_CARRIERS = ("signature", "data", "encrypted_content")
_LISTS = ("content", "reasoning_details")
_THINKS = frozenset({"enabled", "adaptive"})


def holds_tokens(body: bytes) -> bool:
    """Whether a body may hold a token. Cheap: it is asked of every request."""
    return _MARK in body


def without_tokens(raw: dict[str, Any]) -> tuple[dict[str, Any], list[Loss]]:
    """The request without tokens, and what that loses; `raw` itself isn't changed.

    Messages wants a call's thoughts back as long as the model thinks, so it may not think where they are gone.
    """
    out = dict(raw)
    gone = False
    for place in ("messages", "input"):
        turns = raw.get(place)
        if not isinstance(turns, list):
            continue
        kept = [_cleaned(turn) for turn in turns if not _is_token(turn)]
        kept = [turn for turn in kept if not (isinstance(turn, dict) and turn.get("content") == [] and len(turn) == 2)]
        if kept != turns:
            gone = True
            out[place] = kept
    if not gone:
        return raw, []
    losses = [Loss("reasoning_history")]
    thinking = raw.get("thinking")
    if isinstance(thinking, dict) and thinking.get("type") in _THINKS:
        del out["thinking"]
        losses.append(Loss("thinking"))
    return out, losses


def _cleaned(turn: Any) -> Any:
    """A message without the tokens among its parts."""
    if not isinstance(turn, dict):
        return turn
    for place in _LISTS:
        parts = turn.get(place)
        if isinstance(parts, list) and any(map(_is_token, parts)):
            kept = [part for part in parts if not _is_token(part)]
            turn = {**turn, place: kept}
            if not kept and place != "content":
                del turn[place]
    return turn


def _is_token(part: Any) -> bool:
    return isinstance(part, dict) and any(
        isinstance(value := part.get(name), str) and value.startswith(PREFIX) for name in _CARRIERS
    )
