"""The bounds on JSON, against a scan that counts one byte at a time and knows nothing of the guard's shortcuts."""

import json
import math
from typing import Any

import msgspec

from oneapi.dialects import json_guard
from oneapi.dialects.json_guard import JsonTooComplex
from tests.fuzz.targets.target import Target

_DEPTH, _NODES = 6, 30


def _scan(body: bytes) -> tuple[int, int]:
    """The deepest level and the number of values, as brackets and commas outside strings."""
    depth = deepest = nodes = 0
    inside = escaped = False
    for byte in body:
        if inside:
            if escaped:
                escaped = False
            elif byte == ord("\\"):
                escaped = True
            elif byte == ord('"'):
                inside = False
        elif byte == ord('"'):
            inside = True
        elif byte in b"[{":
            depth += 1
            nodes += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
        elif byte == ord(","):
            nodes += 1
    return deepest, nodes


def _refused(body: bytes, depth: int, nodes: int) -> bool:
    try:
        json_guard.check(body, depth, nodes)
    except JsonTooComplex:
        return True
    return False


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) or isinstance(theirs, float):
        return math.isclose(ours, theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_same(ours[name], theirs[name]) for name in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    return type(ours) is type(theirs) and bool(ours == theirs)


def check(data: bytes) -> None:
    deepest, nodes = _scan(data)
    refused = _refused(data, _DEPTH, _NODES)
    if nodes > _NODES:
        assert refused
    try:
        value = json_guard.decode(data, _DEPTH, _NODES)
    except JsonTooComplex:
        assert deepest > _DEPTH or nodes > _NODES
        return
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    # It is JSON, so both readings must agree on everything.
    assert not refused
    assert deepest <= _DEPTH
    assert nodes <= _NODES
    assert _same(value, json.loads(data))
    for depth in range(1, deepest + 1):
        assert _refused(data, depth, _NODES) == (deepest > depth)


TARGETS = {
    "json guard": Target(
        [
            b'{"a":[1,{"b":[[]]},"x,[\\"]"]}',
            b"[[[[[[[]]]]]]]",
            b"[" + b"1," * 31 + b"1]",
            b'["\\\\",["a"],{}]',
            b'{"\xc3\xa9":1.5e3,"a":-0,"a":null}',
            b"]]][[[",
            b'[[["[[[[[[[[',
        ],
        check,
        3,
    )
}
