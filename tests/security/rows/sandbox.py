"""S-13 and D-22 to D-24: what is served without a key. Keys that come all the same, bombs, and too much."""

import json
from typing import Any

from tests.security.rows.bodies import MIB, compressed, not_json, too_complex
from tests.security.table import Absent, Row
from tests.security.wire import (
    ANTHROPIC,
    ASK_MESSAGES,
    BODY,
    NONE,
    OPENAI,
    TYPED,
    Attack,
    Place,
    aimed,
    at,
    check,
    filled,
    request,
    send,
    whole,
)
from tests.security.world import World

NOBODY = "x: y"
CHAT = Place("sandbox chat", "/sandbox/v1/chat/completions", OPENAI, NOBODY, BODY)
RESPONSES = Place("sandbox responses", "/sandbox/v1/responses", OPENAI, NOBODY, b'{"model":"m","input":"hi"}')
MESSAGES = Place("sandbox messages", "/sandbox/v1/messages", ANTHROPIC, NOBODY, ASK_MESSAGES)
PLACES = (CHAT, RESPONSES, MESSAGES)

CREDENTIALS: tuple[tuple[str, ...], ...] = (
    ("authorization: Bearer %KEY%",), ("authorization: Bearer %ADMIN%",), ("x-api-key: %KEY%",), ("api-key: sk-other",),
    ("x-goog-api-key: %ADMIN%",), ("authorization: Basic eDp5",), ("authorization: Bearer",),
    ("cookie: session=%ADMIN%",),
    ("authorization: Bearer %KEY%", "x-api-key: sk-other"), ("authorization: Bearer %KEY%", "authorization: Bearer x"),
    ("authorization: Bearer " + "a" * 4_000,), ("authorization: Bearer \xff\xfe",),
)  # fmt: skip
"""The world looks afterwards whether a good key was billed, or a credential is in a log."""


def _keys(place: Place) -> list[Attack]:
    found = [aimed(place, f"{given[0][:30]} of {len(given)}", whole(place, *given), 200, shape=NONE)
             for given in CREDENTIALS]  # fmt: skip
    length = f"content-length: {len(place.body)}"
    for query in ("key=%KEY%", "api_key=%ADMIN%", "key=%KEY%&key=sk-other", "access_token=%KEY%"):
        sent = request(f"POST {place.target}?{query} HTTP/1.1", TYPED, length, body=place.body)
        found.append(aimed(place, query, sent, 200, shape=NONE))
    return [
        *found,
        aimed(place, "a web page of elsewhere", whole(place, "origin: https://evil.example"), 200, shape=NONE),
        aimed(place, "elsewhere by GET", request(f"GET {place.target} HTTP/1.1", NOBODY), 405),
        aimed(place, "below it", request(f"GET {place.target}/x HTTP/1.1", NOBODY), 404),
        aimed(place, "two hosts", whole(place, "host: other"), 400),
    ]


def _large(place: Place) -> list[Attack]:
    return [
        aimed(place, "declared", at(place, f"content-length: {MIB + 10**9}", body=b"{"), 413),
        aimed(place, "real", whole(place, body=place.body[:-1] + b" " * MIB + b"}"), 413),
    ]


GREEDY: dict[str, Any] = {
    "text of a million letters": {"const": "x" * 900_000},
    "lists of lists": {"type": "array", "minItems": 100, "items": {"type": "array", "minItems": 100, "items": {
        "type": "string", "minLength": 1_000}}},
    "itself": {"type": "array", "minItems": 100, "items": {"$ref": "#"}},
    "a tree": {"type": "object", "properties": {str(number): {"$ref": "#"} for number in range(50)}},
}  # fmt: skip


def much_for_little(world: World, given: tuple[str, bool]) -> None:
    """A few lines of schema, or many choices, may ask for much: what comes is bounded."""
    name, stream = given
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": GREEDY[name]}}
    asked = {**json.loads(BODY), "response_format": form, "n": 4, "stream": stream, "max_tokens": 2**30}
    answer = send(world.ports["edge"], filled(world, whole(CHAT, body=json.dumps(asked).encode())))
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:300]
    assert len(answer) < 4 * MIB, len(answer)
    check(world, aimed(CHAT, "many choices", whole(CHAT, body=json.dumps({**asked, "n": 128}).encode()), 400))


def without_end(world: World, place: Place) -> None:
    """One network asks on and on: it is told to wait, and others are served."""
    number = PLACES.index(place)
    sent = whole(place)
    for _ in range(2_000):
        answer = send(world.ports["edge"], sent, source=f"127.9.{number}.1")
        if b" 429 " in answer.partition(b"\r\n")[0]:
            break
        assert answer.startswith(b"HTTP/1.1 200 "), answer[:300]
    else:
        raise AssertionError("nobody was told to wait")
    assert b"retry-after: " in answer
    check(world, aimed(place, "another one", sent, 200, shape=NONE))


ROWS: list[Row | Absent] = [
    Row("S-13", "keys where none is asked for", check, [found for place in PLACES for found in _keys(place)]),
    Row(
        "D-22",
        "bodies without a key",
        check,
        [
            found
            for place in PLACES
            for found in (*not_json(place), *too_complex(place), *compressed(place), *_large(place))
        ],
    ),
    Row(
        "D-23",
        "much for little, without a key",
        much_for_little,
        [(name, stream) for name in GREEDY for stream in (False, True)],
    ),
    Row("D-24", "requests without end, without a key", without_end, PLACES),
]
