"""Validators of answers: a tag made of the bytes, and whether a reader has them already.

Source: RFC 9110, sections 8.8.3 and 13.1.2. It must not know what is answered.
"""

import hashlib


def tag_of(body: bytes) -> bytes:
    """The strong entity tag of these bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()


def has(if_none_match: bytes | None, tag: bytes) -> bool:
    """Whether `If-None-Match` names this tag; weakly, as it is compared."""
    if if_none_match is None:
        return False
    tags = [given.strip().removeprefix(b"W/") for given in if_none_match.split(b",")]
    return tag in tags or tags == [b"*"]
