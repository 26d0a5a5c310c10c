"""A part's `thoughtSignature`, which Google wants back on the part that it came with.

In the one model it is the state of a part of reasoning that stands before the signed part, or behind the text where it
came with an empty one. State of another provider is a signature too, so that Google's SDKs repeat it: base64, as they
read it as bytes and write it in the other alphabet.
"""

import base64
import binascii

from oneapi.dialects.canonical.parts import State
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.gemini_generate.spelling import standard_base64

NAME = "gemini_generate"
ON_CALL, ON_TEXT, ON_END = "call", "text", "end"

UNSIGNED = base64.b64encode(b"skip_thought_signature_validator").decode()
"""What Google documents for calls that another model made, or whose signature is gone."""

_PLACEHOLDERS = frozenset({"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"})

_SIGNATURE, _ON = "thoughtSignature", "on"


def read_signature(signature: str, on: str, seal: Seal | None) -> State | None:
    """The state, None where a placeholder says that there is none; `seal` is None for a provider's own answer."""
    if not signature:
        return None
    plain = _plain(signature)
    if plain in _PLACEHOLDERS or signature in _PLACEHOLDERS:
        return None
    found = seal.open(plain) if seal is not None else None
    return found or State(NAME, value={_SIGNATURE: signature, _ON: on})


def _plain(signature: str) -> str:
    plain = standard_base64(signature).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


def write_signature(state: State | None, seal: Seal) -> str:
    """For a client: Google's own as it was, any other one sealed; empty when there is nothing to keep."""
    if state is None:
        return ""
    own = own_signature(state)
    return own[0] if own else base64.b64encode(seal.close(state).encode()).decode()


def own_signature(state: State | None) -> tuple[str, str] | None:
    """Google's signature and where it was; None for state of another format."""
    if state is None or state.dialect != NAME or not isinstance(state.value.get(_SIGNATURE), str):
        return None
    return state.value[_SIGNATURE], str(state.value.get(_ON))
