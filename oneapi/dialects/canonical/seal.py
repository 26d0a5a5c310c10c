"""Carries what one provider wants back through a client of another format, in a field which that client repeats.

A token holds whose state it is, which upstream's, and the state; its code, made with the gateway's secret, shows that
nobody wrote it but a gateway. What can't be opened belongs to someone else and is never sent on. Pure.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence

import msgspec

from oneapi.dialects.canonical.parts import State

PREFIX = "oa1-"
_CODE_BYTES = 16

_decoder = msgspec.json.Decoder(State)


class Seal:
    """Makes tokens under one secret, and opens those made under it or a previous one.

    `origin` names the upstream whose state is sealed now.
    """

    __slots__ = ("_previous", "_secret", "origin")

    def __init__(self, secret: bytes, origin: str = "", previous: Sequence[bytes] = ()) -> None:
        self._secret = secret
        self._previous = previous
        self.origin = origin

    def close(self, state: State) -> str:
        """A token of URL-safe characters."""
        origin = state.origin or self.origin
        payload = msgspec.json.encode(State(state.dialect, origin, state.value))
        return PREFIX + base64.urlsafe_b64encode(_code(self._secret, payload) + payload).decode().rstrip("=")

    def open(self, token: str) -> State | None:
        """The state, or None for what isn't a token of this gateway's."""
        if not token.startswith(PREFIX):
            return None
        text = token[len(PREFIX) :]
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            return None
        code, payload = raw[:_CODE_BYTES], raw[_CODE_BYTES:]
        if not any(hmac.compare_digest(code, _code(secret, payload)) for secret in (self._secret, *self._previous)):
            return None
        try:
            return _decoder.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def usable(self, state: State | None, dialect: str) -> bool:
        """Whether the upstream that is called now understands this state."""
        return state is not None and state.dialect == dialect and state.origin in {"", self.origin}


def _code(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, payload, "sha256")[:_CODE_BYTES]
