"""Takes out of a request what the gateway once sealed for its client, where an upstream gets the request as it is.

A conversation may begin at one upstream, and go on at another that speaks the client's own format: that one never wrote
the tokens which are repeated, and would refuse the request for them. What the upstream itself once wanted back is put
back as it was. It decides which parts of a request are such tokens. It must not know how one is opened.
"""

import base64
from typing import Any

from oneapi.dialects.canonical.losses import Loss
from oneapi.dialects.canonical.seal import PREFIX, Seal
from oneapi.dialects.gemini_generate.signatures import NAME as GEMINI
from oneapi.dialects.gemini_generate.signatures import UNSIGNED

_IN_BASE64 = base64.b64encode(PREFIX.encode() + b"AA").decode()[:5]
"""How a token begins that Google's clients carry as bytes: as far as every one of them begins so."""
_MARK = b'"' + PREFIX.encode()
_GOOGLES_MARK = b'"' + _IN_BASE64.encode()
_CIPHERTEXT = "encrypted_content"
_RESPONSES = "openai_responses"
_CARRIERS = ("signature", "data", _CIPHERTEXT)
_GOOGLES_CARRIERS = frozenset({"thoughtSignature", "thought_signature"})
_LISTS = ("content", "reasoning_details")
_THINKS = frozenset({"enabled", "adaptive"})


def holds_tokens(body: bytes, dialect: str) -> bool:
    """Whether a body of this format may hold a token. Cheap: it is asked of every request."""
    return (_GOOGLES_MARK if dialect == GEMINI else _MARK) in body


def without_tokens(raw: dict[str, Any], seal: Seal, *, calls_signed: bool = False) -> tuple[dict[str, Any], list[Loss]]:
    """The request without tokens, and what that loses; `raw` itself isn't changed, and is the answer if nothing is.

    `seal` names the upstream: in a response's items that it wrote itself it finds what it wanted back. Messages wants a
    call's thoughts back as long as the model thinks, so it may not think where they are gone. Google wants the first
    call of a turn signed where `calls_signed`: there it is told that the signature is gone.
    """
    out = dict(raw)
    gone = changed = False
    for place in ("messages", "input"):
        turns = raw.get(place)
        if not isinstance(turns, list):
            continue
        restored = [_restored(turn, seal) for turn in turns] if place == "input" else turns
        kept = [_cleaned(turn) for turn in restored if not _is_token(turn)]
        kept = [turn for turn in kept if not (isinstance(turn, dict) and turn.get("content") == [] and len(turn) == 2)]
        gone = gone or kept != restored
        changed = changed or kept != turns
        out[place] = kept
    contents = raw.get("contents")
    if isinstance(contents, list):
        left = [_unsigned(content, calls_signed=calls_signed) for content in contents]
        if left != contents:
            gone = True
            out["contents"] = [content for content in left if content is not None]
    if not gone:
        return (out if changed else raw), []
    losses = [Loss("reasoning_history")]
    thinking = raw.get("thinking")
    if isinstance(thinking, dict) and thinking.get("type") in _THINKS:
        del out["thinking"]
        losses.append(Loss("thinking"))
    return out, losses


def _restored(turn: Any, seal: Seal) -> Any:
    """A response's item with what its upstream wants back, where this is that upstream."""
    if not _is_token(turn) or not isinstance(turn.get(_CIPHERTEXT), str):
        return turn
    state = seal.open(turn[_CIPHERTEXT])
    if state is None or not state.value.get(_CIPHERTEXT) or not seal.usable(state, _RESPONSES):
        return turn
    return {**turn, **{name: value for name, value in state.value.items() if value is not None}}


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


def _unsigned(content: Any, *, calls_signed: bool) -> Any:
    """One of Google's contents without the tokens on its parts; None when nothing else was in it."""
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list) or not any(map(_signed_here, parts)):
        return content
    kept: list[Any] = []
    called = False
    for part in parts:
        is_call = isinstance(part, dict) and ("functionCall" in part or "function_call" in part)
        if _signed_here(part):
            rest = {name: value for name, value in part.items() if name not in _GOOGLES_CARRIERS}
            if is_call and calls_signed and not called:
                rest["thoughtSignature"] = UNSIGNED
            if rest != {"text": ""}:
                kept.append(rest)
        else:
            kept.append(part)
        called = called or is_call
    return {**content, "parts": kept} if kept else None


def _signed_here(part: Any) -> bool:
    return isinstance(part, dict) and any(
        isinstance(value := part.get(name), str) and value.startswith(_IN_BASE64) for name in _GOOGLES_CARRIERS
    )
