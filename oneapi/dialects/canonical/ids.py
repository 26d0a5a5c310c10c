"""Ids and names that one format allows and another doesn't: made legal, and different ones stay different."""

import hashlib
import re

MAX_ID = 64
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")
_HASH_DIGITS = 8


def legal_id(call_id: str) -> str:
    """A tool call's id in letters and a length that every format takes."""
    return legal(call_id, MAX_ID)


def legal(name: str, limit: int) -> str:
    """The name itself if it is legal; else its beginning, with a hash of the whole."""
    plain = _ILLEGAL.sub("_", name)
    if plain == name and len(name) <= limit:
        return name
    digest = hashlib.sha1(name.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()[:_HASH_DIGITS]
    return f"{plain[: limit - _HASH_DIGITS - 1]}_{digest}"
