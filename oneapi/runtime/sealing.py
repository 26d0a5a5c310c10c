"""Seals upstream secrets for storage and for the bus, each bound to the place where it belongs.

It decides the format: every secret has its own data key (AES-256-GCM), wrapped by a key derived from the
installation's secret key; both layers authenticate `bound_to`, so a sealed secret copied to another record does not
open. It must not know where sealed texts are kept.

Format: `v1.<id of the wrapping key>.<nonce and wrapped data key>.<nonce and ciphertext>`, base64url without padding. A
record, which may be large, has its last part as bytes.
"""

import base64
import binascii
import os
from collections.abc import Sequence

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
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SealError("the sealed text is malformed") from None
    # Other characters can decode to the same bytes; only what `seal` wrote is taken.
    if _to_text(data) != text:
        raise SealError("the sealed text is malformed")
    return data


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


def _split_record(sealed: bytes) -> tuple[str, bytes]:
    """The parts of a sealed record: its text up to the third dot, and the ciphertext. Raises SealError."""
    *head, ciphertext = sealed.split(b".", 3)
    if len(head) != 3 or not all(part.isascii() for part in head):
        raise SealError("the sealed record has an unknown format")
    return b".".join((*head, b"")).decode(), ciphertext


def _key_id(secret_key: str) -> str:
    return derive_key(secret_key, "secret sealing key id")[:4].hex()


class Sealer:
    """Seals with the current secret key, and opens what was sealed with it or a previous one.

    Holds key material; never log it.
    """

    def __init__(self, secret_key: str, previous: Sequence[str] = ()) -> None:
        self._wrapping_keys = {_key_id(each): derive_key(each, "secret sealing") for each in (secret_key, *previous)}
        self._key_id = _key_id(secret_key)

    @property
    def previous_beginnings(self) -> tuple[str, ...]:
        """How texts begin that were sealed with a previous secret key."""
        return tuple(f"{VERSION}.{key_id}." for key_id in self._wrapping_keys if key_id != self._key_id)

    def seal(self, plaintext: str, *, bound_to: str) -> str:
        """The sealed text of a secret that belongs at `bound_to`, such as `channel/<id>/api_key`."""
        data_key = os.urandom(KEY_BYTES)
        ciphertext = _encrypt(data_key, plaintext.encode(), b"secret:" + bound_to.encode())
        return self._sealed(data_key, _to_text(ciphertext), bound_to)

    def open(self, sealed: str, *, bound_to: str) -> str:
        """The secret. Raises SealError, whose text holds nothing of it."""
        data_key, ciphertext = self._unwrapped(sealed, bound_to)
        return _decrypt(data_key, _to_bytes(ciphertext), b"secret:" + bound_to.encode()).decode()

    def seal_record(self, plaintext: bytes, *, bound_to: str) -> bytes:
        """The sealed bytes of a record that belongs at `bound_to`."""
        data_key = os.urandom(KEY_BYTES)
        ciphertext = _encrypt(data_key, plaintext, b"record:" + bound_to.encode())
        return self._sealed(data_key, "", bound_to).encode() + ciphertext

    def open_record(self, sealed: bytes, *, bound_to: str) -> bytes:
        """The record. Raises SealError, whose text holds nothing of it."""
        head, ciphertext = _split_record(sealed)
        data_key, _ = self._unwrapped(head, bound_to)
        return _decrypt(data_key, ciphertext, b"record:" + bound_to.encode())

    def depends_on_previous(self, sealed: str) -> bool:
        """Whether this opens with a previous secret key only. What no key opens, and the empty text, does not."""
        return sealed.startswith(self.previous_beginnings)

    def rewrap(self, sealed: str, *, bound_to: str) -> str:
        """The same secret under the current secret key. Raises SealError."""
        return self._sealed(*self._unwrapped(sealed, bound_to), bound_to)

    def _sealed(self, data_key: bytes, ciphertext: str, bound_to: str) -> str:
        wrapped = _encrypt(self._wrapping_keys[self._key_id], data_key, b"data key:" + bound_to.encode())
        return ".".join((VERSION, self._key_id, _to_text(wrapped), ciphertext))

    def _unwrapped(self, sealed: str, bound_to: str) -> tuple[bytes, str]:
        """The data key, and the ciphertext as it stands."""
        parts = sealed.split(".")
        if len(parts) != 4 or parts[0] != VERSION:
            raise SealError("the sealed text has an unknown format")
        wrapping_key = self._wrapping_keys.get(parts[1])
        if wrapping_key is None:
            raise SealError("it was sealed with another ONEAPI_SECRET_KEY")
        return _decrypt(wrapping_key, _to_bytes(parts[2]), b"data key:" + bound_to.encode()), parts[3]
