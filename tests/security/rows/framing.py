"""P-01 to P-06: where a message ends. Two readers must never find two ends, or one client writes another's request."""

import random
import re

from tests.security.table import Absent, Row
from tests.security.wire import (
    AUTHORIZED,
    BEHIND_THE_DOOR,
    CHAT_PLACE,
    JSON_RPC,
    LISTENERS,
    Attack,
    Place,
    aimed,
    at,
    attack,
    check,
    chunks,
    filled,
    get,
    request,
    send,
    sized,
    whole,
)
from tests.security.world import World

SMUGGLED = b"GET /v1/models HTTP/1.1\r\nhost: gw\r\nauthorization: Bearer %KEY%\r\n\r\n"
CHUNKED = "transfer-encoding: chunked"


def lengths(place: Place) -> list[Attack]:
    size, body = len(place.body), chunks(place.body)
    sent = {
        "length and encoding": at(place, CHUNKED, "content-length: 3", body=body),
        "encoding and length": at(place, "content-length: 3", CHUNKED, body=body),
        "two lengths": at(place, "content-length: 3", f"content-length: {size}"),
        "two equal lengths": at(place, f"content-length: {size}", f"content-length: {size}"),
        "list of lengths": at(place, f"content-length: {size}, {size}"),
        "signed length": at(place, f"content-length: +{size}"),
        "negative length": at(place, "content-length: -1"),
        "hexadecimal length": at(place, f"content-length: {size:#x}"),
        "length with underscore": at(place, "content-length: 6_3"),
        "length with a point": at(place, f"content-length: {size}.0"),
        "length in Arabic digits": at(place, "content-length: ٦٣".encode()),
        "empty length": at(place, "content-length:"),
        "huge length": at(place, "content-length: 99999999999999999999999"),
        "length of 5,000 digits": at(place, "content-length: " + "0" * 5_000 + str(size)),
    }
    return [aimed(place, name, data, 400) for name, data in sent.items()]


def encodings(place: Place) -> list[Attack]:
    body = chunks(place.body)
    in_http_1_0 = at(place, CHUNKED, body=body).replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\n", 1)
    sent = {
        "unknown encoding": at(place, "transfer-encoding: xchunked", body=body),
        "identity": whole(place, "transfer-encoding: identity"),
        "chunked is not the last": at(place, "transfer-encoding: chunked, identity", body=body),
        "gzip and chunked": at(place, "transfer-encoding: gzip, chunked", body=body),
        "chunked twice in a list": at(place, "transfer-encoding: chunked, chunked", body=body),
        "two encodings": at(place, CHUNKED, CHUNKED, body=body),
        "encoding and none": at(place, CHUNKED, "transfer-encoding: identity", body=body),
        "space before the colon": at(place, "transfer-encoding : chunked", body=body),
        "tab before the colon": at(place, "transfer-encoding\t: chunked", body=body),
        "quoted": at(place, 'transfer-encoding: "chunked"', body=body),
        "vertical tab": at(place, b"transfer-encoding: \x0bchunked", body=body),
        "empty encoding": at(place, "transfer-encoding:", body=body),
        "in HTTP/1.0": in_http_1_0,
    }
    return [aimed(place, name, data, 400) for name, data in sent.items()]


def lines(place: Place) -> list[Attack]:
    sent = {
        "bare LF": whole(place).replace(b"\r\n", b"\n"),
        "bare CR": whole(place, "x: a\rb"),
        "bare LF in one header": whole(place, "x: a\nb: c"),
        "folded header": whole(place, "x: a\r\n b"),
        "folded credential": whole(place, "y: z").replace(b"authorization: Bearer ", b"authorization: Bearer\r\n\t"),
        "NUL in a value": whole(place, b"x: a\0b"),
        "NUL in a name": whole(place, b"x\0y: a"),
        "control character in a value": whole(place, b"x: a\x01b"),
        "header without a colon": whole(place, "nothing"),
        "header without a name": whole(place, ": x"),
        "space in a name": whole(place, "x y: a"),
        "space before the first header": whole(place).replace(b"\r\nhost:", b"\r\n host:", 1),
    }
    return [aimed(place, name, data, 400) for name, data in sent.items()]


def pieces(place: Place) -> list[Attack]:
    good = chunks(place.body)
    sent = {
        "hexadecimal prefix": b"0x" + good,
        "negative": b"-1\r\n" + good,
        "plus": b"+" + good,
        "leading space": b" " + good,
        "underscore": b"1_0\r\n" + good,
        "no size": b"\r\n" + good,
        "size of 1,000 digits": b"f" * 1_000 + b"\r\n",
        "size beyond 64 bits": b"10000000000000000\r\n" + good,
        "bare LF": good.replace(b"\r\n", b"\n"),
        "bare CR": good.replace(b"\r\n", b"\r", 1),
        "extension with bare LF": good.replace(b"\r\n", b";a=\n", 1),
        "extension with NUL": good.replace(b"\r\n", b";a=\0\r\n", 1),
        "bad end": good.replace(place.body + b"\r\n", place.body + b"XX"),
        "too short": good.replace(place.body, place.body[:-2]),
        "too long": good.replace(place.body, place.body + b"  "),
        "trailer of length": good[:-2] + b"content-length: 4\r\n\r\n",
        "trailer of encoding": good[:-2] + b"transfer-encoding: chunked\r\n\r\n",
        "trailer without a colon": good[:-2] + b"nothing\r\n\r\n",
    }
    # A last chunk that lies about its size can leave the reader waiting for more, which is refused in time.
    return [aimed(place, f"chunk, {name}", at(place, CHUNKED, body=body), 400, 408) for name, body in sent.items()]


def smuggled(place: Place) -> list[Attack]:
    """A whole request where a body should be: whoever reads it as one answers twice."""
    body = chunks(place.body)
    inner = SMUGGLED.replace(b"\r\n\r\n", b"\r\nx: ")
    sent = {
        "after a length of 0": at(place, "content-length: 0", CHUNKED, body=b"0\r\n\r\n" + SMUGGLED),
        "after the last chunk, by length": at(place, f"content-length: {len(body)}", CHUNKED, body=body + SMUGGLED),
        "in a header's value": whole(place, b"x: a\r\n\r" + inner),
        "in an upgrade's body": whole(place, "upgrade: h2c", "connection: upgrade", body=SMUGGLED),
        "behind Expect": whole(place, "expect: 100-continue", CHUNKED, body=body + SMUGGLED),
        "after a refused head": at(place, "content-length: x", body=SMUGGLED),
        "after a bad chunk": at(place, CHUNKED, body=b"zz\r\n" + SMUGGLED),
    }
    return [aimed(place, name, data, 400) for name, data in sent.items()]


MUTATIONS = 100
_PIECES = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"0",
    b"-",
    b"%",
    b"chunked",
    b"x: y\r\n",
    b"\xff",
)


def mutated(world: World, given: tuple[Place, int]) -> None:
    """A request that can only be refused, changed at random in a few places: refused, or cut off, and never a 500."""
    place, seed = given
    source = random.Random(seed)
    refused = b'{"model":"none","jsonrpc":"2.0","id":1,"method":"none","messages":[{"role":"user","content":"hi"}]}'
    seeds = [whole(place, body=refused), at(place, CHUNKED, body=chunks(refused))]
    for _ in range(MUTATIONS):
        sent = bytearray(source.choice(seeds))
        for _ in range(source.randint(1, 4)):
            where = source.randrange(len(sent))
            how = source.randrange(4)
            if how == 0:
                sent[where] = source.randrange(256)
            elif how == 1:
                sent[where:where] = source.choice(_PIECES)
            elif how == 2:
                del sent[where : where + source.randint(1, 8)]
            else:
                sent[where:where] = sent[where : where + source.randint(1, 40)]
        answer = send(world.ports[place.listener], filled(world, bytes(sent)), ends=True)
        for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer):
            assert int(status) < 500, (bytes(sent), answer[:300])
            assert int(status) >= 400 or place.shape == JSON_RPC, (bytes(sent), answer[:300])


def _all(make: object, places: tuple[Place, ...]) -> list[Attack]:
    return [found for place in places for found in make(place)]  # type: ignore[operator]


FEW = ("length and encoding", "two lengths", "unknown encoding", "two encodings", "bare LF", "folded header")
"""Tried on every path, as the errors must be in each one's own format."""


def _few(place: Place) -> list[Attack]:
    found = [*lengths(place), *encodings(place), *lines(place)]
    return [one for one in found if one.name.partition(": ")[2] in FEW]


ELSEWHERE = [place for place in BEHIND_THE_DOOR if place is not CHAT_PLACE]

ROWS: list[Row | Absent] = [
    Row("P-01", "lengths that two readers take differently", check, _all(lengths, LISTENERS)),
    Row("P-02", "encodings that are none of ours", check, _all(encodings, LISTENERS)),
    Row("P-04", "lines that end in other ways", check, _all(lines, LISTENERS)),
    Row("P-05", "chunks that are none", check, _all(pieces, LISTENERS)),
    Row("P-06", "a request inside of another", check, _all(smuggled, LISTENERS)),
    Row("P-21", "the same in each path's own format", check, [one for place in ELSEWHERE for one in _few(place)]),
    Row("P-20", "mutations", mutated, [(place, seed) for place in LISTENERS for seed in range(4)]),
    Row(
        "P-22",
        "what ends too early, and what comes after the end",
        check,
        [
            attack("body cut short", sized()[:-5], 0, 408),
            attack("head cut short", b"GET /v1/models HTTP/1.1\r\nhost: g", 0, 408),
            attack("chunks cut short", at(CHAT_PLACE, CHUNKED, body=b"ff\r\nabc"), 0, 408),
            attack("after the end", get("/v1/models", "x: y") + SMUGGLED, 401),
            attack("body of a GET", request("GET /v1/models HTTP/1.1", "content-length: 5", body=b"GET /"), 401),
            attack("no length", request("POST /v1/chat/completions HTTP/1.1", AUTHORIZED, body=SMUGGLED), 400, 415),
        ],
    ),
]
