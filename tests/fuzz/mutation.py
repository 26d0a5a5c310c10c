"""Changes bytes and values at random, from a seed: the same seed gives the same inputs."""

import random
import string
from typing import Any

_INTERESTING = [
    b"\0", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b":", b",", b'"', b"\\", b"{", b"}", b"[", b"]", b"-1",
    b"0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"99999999999999999999", b"1e999", b"NaN", b"null", b"chunked",
    b"0x10",
]  # fmt: skip
_VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2**31, 2**53, 2**63, 2**64, -(2**63), 0.5, 1e308, -0.0, "", "a", "0", "\0", "\u202e",
    "é" * 40, "x" * 3_000, [], {}, [[]], [{}], [None], {"type": "text"}, {"a": {"b": []}}, "data:image/png;base64,AAAA",
]  # fmt: skip


def mutated(data: bytes, choose: random.Random, others: list[bytes]) -> bytes:
    """The data with one to six changes; some take a part of another seed."""
    changed = bytearray(data)
    for _ in range(choose.randint(1, 6)):
        at = choose.randrange(len(changed) + 1)
        match choose.randrange(7):
            case 0 if at < len(changed):
                changed[at] ^= 1 << choose.randrange(8)
            case 1:
                changed[at:at] = choose.choice(_INTERESTING)
            case 2:
                del changed[at : at + choose.randint(1, 16)]
            case 3:
                part = changed[at : at + choose.randint(1, 32)]
                changed[at:at] = part * choose.randint(1, 4)
            case 4:
                other = choose.choice(others)
                start = choose.randrange(len(other) + 1)
                changed[at : at + choose.randint(0, 32)] = other[start : start + choose.randint(1, 64)]
            case 5 if at < len(changed):
                changed[at] = choose.randrange(256)
            case _:
                changed[at:] = b"" if choose.random() < 0.2 else changed[at:]
    return bytes(changed)


def mutated_value(value: Any, choose: random.Random) -> Any:
    """A copy of a JSON value in which a few places hold something else, are gone, are there twice, or are new."""
    if choose.random() < 0.12:
        return choose.choice(_VALUES)
    if isinstance(value, dict):
        changed = {name: mutated_value(item, choose) for name, item in value.items() if choose.random() > 0.05}
        if choose.random() < 0.1:
            changed["".join(choose.choices(string.printable, k=5))] = choose.choice(_VALUES)
        return changed
    if isinstance(value, list):
        changed_list = [mutated_value(item, choose) for item in value if choose.random() > 0.05]
        return changed_list * 2 if choose.random() < 0.05 else changed_list
    return value
