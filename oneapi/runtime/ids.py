"""Makes identifiers that sort by the time of their making.

It decides their shape (RFC 9562 version 7) and must not know what they identify.
"""

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_LOW_30 = (1 << 30) - 1
_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_62 = (1 << 62) - 1


def _uuid7_number() -> int:
    now_ns = time.time_ns()
    milliseconds, rest_ns = divmod(now_ns, 1_000_000)
    # The 12 bits after the version hold the part of the millisecond, so ids of one millisecond sort too.
    fraction = (rest_ns << 12) // 1_000_000
    random = int.from_bytes(os.urandom(8)) & _RANDOM_62
    return (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | _VERSION_7 | fraction << 64 | _VARIANT | random


def uuid7() -> str:
    """A new UUID of version 7 in its usual text form, 36 characters."""
    digits = f"{_uuid7_number():032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def new_id(prefix: str) -> str:
    """`<prefix>_` and 26 characters of lower-case Crockford base 32; later ones sort after earlier ones."""
    number = _uuid7_number()
    # Every request has some: numbers of 30 bits are those that Python shifts fast.
    a, b, c, d, e = number >> 100, number >> 70 & _LOW_30, number >> 40 & _LOW_30, number >> 10 & _LOW_30, number & 1023
    return (
        f"{prefix}_{_PAIRS[a >> 20]}{_PAIRS[a >> 10 & 1023]}{_PAIRS[a & 1023]}"
        f"{_PAIRS[b >> 20]}{_PAIRS[b >> 10 & 1023]}{_PAIRS[b & 1023]}"
        f"{_PAIRS[c >> 20]}{_PAIRS[c >> 10 & 1023]}{_PAIRS[c & 1023]}"
        f"{_PAIRS[d >> 20]}{_PAIRS[d >> 10 & 1023]}{_PAIRS[d & 1023]}{_PAIRS[e]}"
    )
