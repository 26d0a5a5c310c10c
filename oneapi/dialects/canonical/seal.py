"""Carries what one provider wants back through a client of another format, in a field which that client repeats.

A token holds whose state it is, which upstream's, and the state; its code, made with the gateway's secret, shows that
nobody wrote it but a gateway. What can't be opened belongs to someone else and is never sent on. Pure.
"""

import base64
import binascii
import hashlib
import hmac

import msgspec

from oneapi.dialects.canonical.parts import State

PREFIX = "oa1-"
_CODE_BYTES = 16

_decoder = msgspec.json.Decoder(State)


class Seal:
    """Makes and opens tokens under one secret. `origin` names the upstream whose state is sealed now."""

    __slots__ = ("_secret", "origin")

    def __init__(self, secret: bytes, origin: str = "") -> None:
        self._secret = secret
        self.origin = origin

    def close(self, state: State) -> str:
        """A token of URL-safe characters."""
        origin = state.origin or self.origin
        payload = msgspec.json.encode(State(state.dialect, origin, state.value))
        return PREFIX + base64.urlsafe_b64encode(self._code(payload) + payload).decode().rstrip("=")

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
        if not hmac.compare_digest(code, self._code(payload)):
            return None
        try:
            return _decoder.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def usable(self, state: State | None, dialect: str) -> bool:
        """Whether the upstream that is called now understands this state."""
        return state is not None and state.dialect == dialect and state.origin in {"", self.origin}

    def _code(self, payload: bytes) -> bytes:
        return hmac.new(self._secret, payload, hashlib.sha256).digest()[:_CODE_BYTES]
