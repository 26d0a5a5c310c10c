"""Derives the keys of each purpose from the one secret key of the installation.

It decides the derivation (HKDF-SHA256, one label per purpose), so that no two purposes ever use the same key. It must
not know what the keys are used for.
"""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_SALT = b"oneapi.v1"


def derive_key(secret_key: str, purpose: str) -> bytes:
    """32 bytes for this purpose. The same arguments give the same key in every process. Raises ValueError if empty."""
    if not secret_key:
        raise ValueError("the secret key is empty")
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=_SALT, info=purpose.encode()).derive(secret_key.encode())
