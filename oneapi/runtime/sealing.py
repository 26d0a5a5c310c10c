"""Seals upstream secrets for storage and for the bus, each bound to the place where it belongs.

It decides the format: every secret has its own data key (AES-256-GCM), wrapped by a key derived from the
installation's secret key; both layers authenticate `bound_to`, so a sealed secret copied to another record does not
open. It must not know where sealed texts are kept.

Format: `v1.<id of the wrapping key>.<nonce and wrapped data key>.<nonce and ciphertext>`, base64url without padding.
"""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from oneapi.runtime.key_derivation import KEY_BYTES, derive_key

VERSION = "v1"
_NONCE_BYTES = 12


class SealError(Exception):
    """A sealed text that can't be opened: malformed, changed, of another place or another secret key."""


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _to_bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SealError("the sealed text is malformed") from None


def _encrypt(key: bytes, plaintext: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to)


def _decrypt(key: bytes, data: bytes, bound_to: bytes) -> bytes:
    if len(data) <= _NONCE_BYTES:
        raise SealError("the sealed text is too short")
    try:
        return AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], bound_to)
    except InvalidTag:
        raise SealError("the sealed text was changed, or belongs to another place") from None


class Sealer:
    """Seals and opens with one secret key. Holds key material; never log it."""

    def __init__(self, secret_key: str) -> None:
        self._wrapping_key = derive_key(secret_key, "secret sealing")
        self._key_id = derive_key(secret_key, "secret sealing key id")[:4].hex()

    def seal(self, plaintext: str, *, bound_to: str) -> str:
        """The sealed text of a secret that belongs at `bound_to`, such as `channel/<id>/api_key`."""
        data_key = os.urandom(KEY_BYTES)
        wrapped = _encrypt(self._wrapping_key, data_key, b"data key:" + bound_to.encode())
        ciphertext = _encrypt(data_key, plaintext.encode(), b"secret:" + bound_to.encode())
        return ".".join((VERSION, self._key_id, _to_text(wrapped), _to_text(ciphertext)))

    def open(self, sealed: str, *, bound_to: str) -> str:
        """The secret. Raises SealError, whose text holds nothing of it."""
        parts = sealed.split(".")
        if len(parts) != 4 or parts[0] != VERSION:
            raise SealError("the sealed text has an unknown format")
        if parts[1] != self._key_id:
            raise SealError("it was sealed with another ONEAPI_SECRET_KEY")
        data_key = _decrypt(self._wrapping_key, _to_bytes(parts[2]), b"data key:" + bound_to.encode())
        return _decrypt(data_key, _to_bytes(parts[3]), b"secret:" + bound_to.encode()).decode()
