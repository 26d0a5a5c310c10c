"""Mints, recognises and hashes relay keys and management tokens.

It decides their format: a prefix, 40 random base 62 characters (238 bits) and a checksum of 6, so that a scanner or an
edge can tell a fake one without asking anybody. Only hashes are ever stored. It must not know what a key may do.
"""

import hashlib
import hmac
import secrets
import string
import zlib
from collections.abc import Sequence

from oneapi.runtime.key_derivation import derive_key

RELAY_PREFIX = "sk-"
MANAGEMENT_PREFIX = "oat-"
RANDOM_CHARACTERS = 40
CHECKSUM_CHARACTERS = 6
VERSION_BYTES = 4

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BASE62_SET = frozenset(_BASE62)


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = ""
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits


def _mint(prefix: str) -> str:
    body = prefix + "".join(secrets.choice(_BASE62) for _ in range(RANDOM_CHARACTERS))
    return body + _checksum(body)


def _well_formed(text: str, prefix: str) -> bool:
    if len(text) != len(prefix) + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS or not text.startswith(prefix):
        return False
    if not _BASE62_SET.issuperset(text[len(prefix) :]):
        return False
    return _checksum(text[:-CHECKSUM_CHARACTERS]) == text[-CHECKSUM_CHARACTERS:]


def mint() -> str:
    """A new relay key, 49 characters: `sk-`, 40 random ones, 6 of checksum."""
    return _mint(RELAY_PREFIX)


def mint_management() -> str:
    """A new management token, 50 characters: `oat-`, 40 random ones, 6 of checksum."""
    return _mint(MANAGEMENT_PREFIX)


def well_formed(key: str) -> bool:
    """Whether this could be a relay key that `mint` made."""
    return _well_formed(key, RELAY_PREFIX)


def well_formed_management(token: str) -> bool:
    """Whether this could be a management token that `mint_management` made."""
    return _well_formed(token, MANAGEMENT_PREFIX)


def hint(key: str) -> str:
    """What may be shown of a key after its making: the prefix and the last four characters."""
    prefix = key[: key.find("-") + 1]
    return f"{prefix}…{key[-4:]}"


class KeyHasher:
    """Hashes keys with a pepper that only holders of the installation's secret key can derive.

    What is made is hashed with the current pepper; what is presented is hashed with each one, whatever it looks like.
    A fast hash is right here: the keys hold 238 random bits, and a slow one would let bad keys exhaust the edge.
    """

    def __init__(self, secret_key: str, previous: Sequence[str] = ()) -> None:
        secret_keys = (secret_key, *previous)
        self._peppers = tuple(derive_key(each, "relay key hash") for each in secret_keys)
        self._proof_key = derive_key(secret_key, "relay key rehash")
        self.versions = tuple(derive_key(each, "relay key hash id")[:VERSION_BYTES].hex() for each in secret_keys)
        """Which pepper each of `hashes` is made with, the current one first; says nothing about the pepper itself."""

    @property
    def version(self) -> str:
        """Which pepper `hash` uses."""
        return self.versions[0]

    def hash(self, key: str) -> str:
        """64 hexadecimal characters of HMAC-SHA256 with the current pepper. Any text is accepted."""
        return _hash(self._peppers[0], key.encode("utf-8", "surrogatepass"))

    def hashes(self, key: str) -> tuple[str, ...]:
        """The same with every pepper, the current one first: always as many, so that no key costs less."""
        data = key.encode("utf-8", "surrogatepass")
        return tuple([_hash(pepper, data) for pepper in self._peppers])

    def proof(self, old_hash: str, new_hash: str) -> bytes:
        """Shows that a holder of the current secret key found these two to be hashes of one key."""
        return hmac.digest(self._proof_key, f"{old_hash}:{new_hash}".encode(), hashlib.sha256)

    def proves(self, old_hash: str, new_hash: str, proof: bytes) -> bool:
        """Whether it is that proof, with our current secret key."""
        return hmac.compare_digest(self.proof(old_hash, new_hash), proof)


def _hash(pepper: bytes, data: bytes) -> str:
    return hmac.digest(pepper, data, hashlib.sha256).hex()
