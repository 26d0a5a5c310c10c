"""P-12 and D-04, D-06, D-07: bodies that are not JSON, mean two things, are too large or too much to read."""

from tests.security.table import Absent, Row
from tests.security.wire import (
    ADMIN_ITSELF,
    API_PLACE,
    BEHIND_THE_DOOR,
    CHAT_PLACE,
    GOOGLE_PLACE,
    MCP_ITSELF,
    MCP_PLACE,
    MESSAGES_PLACE,
    PROBLEM,
    RESPONSES_PLACE,
    Attack,
    Place,
    aimed,
    at,
    check,
    whole,
)
from tests.security.world import World

EVERYWHERE = (*BEHIND_THE_DOOR, MCP_ITSELF, ADMIN_ITSELF)
MODELS = (CHAT_PLACE, MESSAGES_PLACE, RESPONSES_PLACE)
MIB = 2**20


def with_field(place: Place, text: str) -> bytes:
    """The place's good body with one field more, as it is written."""
    return place.body[:-1] + b"," + text.encode("utf-8", "surrogatepass") + b"}"


def not_json(place: Place) -> list[Attack]:
    body = place.body
    sent = {
        "BOM": b"\xef\xbb\xbf" + body,
        "UTF-16": body.decode().encode("utf-16"),
        "UTF-32": body.decode().encode("utf-32-le"),
        "what follows it": body + b" x",
        "two documents": body + body,
        "list": b"[" + body + b"]",
        "text": b'"' + b"x" * 40 + b'"',
        "null": b"null",
        "comment": body[:-1] + b"/* x */}",
        "comma too many": body[:-1] + b",}",
        "single quotes": body.replace(b'"', b"'"),
        "NaN": with_field(place, '"x":NaN'),
        "Infinity": with_field(place, '"x":-Infinity'),
        "lone surrogate": with_field(place, '"x":"\\ud800"'),
        "bad UTF-8": body[:-1] + b',"x":"\xff\xfe"}',
        "overlong UTF-8": body[:-1] + b',"x":"\xc0\xaf"}',
        "surrogate in UTF-8": body[:-1] + b',"x":"\xed\xa0\x80"}',
        "line break in a text": with_field(place, '"x":"a\nb"'),
        "bad escape": with_field(place, '"x":"\\x41"'),
        "leading zero": with_field(place, '"x":01'),
        "hexadecimal": with_field(place, '"x":0x10'),
        "cut short": body[:-3],
        "pickle": b"\x80\x04\x95\x1f\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
        "YAML": b"!!python/object/apply:os.system ['true']",
    }
    # The management API reads any JSON, and then says which type a body must be.
    also = {name: (422,) for name in ("list", "text", "null") if place.shape == PROBLEM}
    return [aimed(place, name, whole(place, body=data), *also.get(name, (400,))) for name, data in sent.items()]


WRONG = {
    "stream as a text": '"stream":"false"',
    "stream as a number": '"stream":1',
    "model twice, of two types": '"model":7',
}
BOUNDS = ("true", "1.5", '"5"', "-1", "0", "9223372036854775808", "1e999", "[]", "{}")


def wrong_types(place: Place) -> list[Attack]:
    bound = {CHAT_PLACE: "max_completion_tokens", MESSAGES_PLACE: "max_tokens", RESPONSES_PLACE: "max_output_tokens"}
    # Anthropic's own bound may be 0: nothing is said then.
    bounds = [value for value in BOUNDS if value != "0" or place is not MESSAGES_PLACE]
    fields = {**WRONG, **{f"bound of {value}": f'"{bound[place]}":{value}' for value in bounds}}
    return [aimed(place, name, whole(place, body=with_field(place, text)), 400) for name, text in fields.items()]


def too_complex(place: Place) -> list[Attack]:
    deep = place.body[:-1]
    sent = {
        "100,000 levels": (deep + b',"x":' + b"[" * 100_000, 400),
        "65 levels": (deep + b',"x":' + b"[" * 65 + b"]" * 65 + b"}", 400),
        "1,023 levels": (deep + b',"x":' + b"[" * 1_023 + b"]" * 1_023 + b"}", 400),
        "65 levels of objects": (deep + b',"x":' + b'{"a":' * 65 + b"1" + b"}" * 65 + b"}", 400),
        "200,001 values": (deep + b',"x":[' + b"0," * 200_001 + b"0]}", 400),
        "0.6 MB of {}": (deep + b',"x":[' + b"{}," * 200_000 + b"0]}", 400),
        "200,001 names": (deep + b',"x":{' + b",".join(b'"%d":0' % n for n in range(200_001)) + b"}}", 400),
        "1e999": (with_field(place, '"temperature":1e999'), 400),
    }
    # Where a body may have a MiB, that may be what is said.
    also = (413,) if LIMITS.get(place, MIB) == MIB else ()
    return [aimed(place, name, whole(place, body=body), status, *also) for name, (body, status) in sent.items()]


LIMITS = {CHAT_PLACE: 20 * MIB, MESSAGES_PLACE: 20 * MIB, RESPONSES_PLACE: 20 * MIB, GOOGLE_PLACE: 20 * MIB,
          MCP_PLACE: 4 * MIB, API_PLACE: MIB, MCP_ITSELF: 4 * MIB, ADMIN_ITSELF: MIB}  # fmt: skip


def too_large(world: World, given: tuple[Place, str]) -> None:
    """Refused by what is declared, and by what comes. Made only now: there would be a great many bytes of them."""
    place, how = given
    limit = LIMITS[place]
    if how == "declared":
        sent = at(place, f"content-length: {limit + 10**9}", body=b"{")
    elif how == "real":
        sent = whole(place, body=place.body[:-1] + b" " * limit + b"}")
    else:
        piece = b"%x\r\n%s\r\n" % (65_536, b" " * 65_536)
        sent = at(place, "transfer-encoding: chunked", body=piece * (limit // 65_536 + 2))
    # Who only forwards may wait for the end of the chunks, as long as bodies may take.
    also = (408,) if how == "in chunks without end" and place not in {*MODELS, GOOGLE_PLACE} else ()
    check(world, aimed(place, how, sent, 413, *also))


ENCODINGS = ("gzip", "br", "zstd", "deflate", "gzip, gzip", "x-gzip", "compress", "GZIP", "identity, gzip")


def compressed(place: Place) -> list[Attack]:
    # 20 MB of zeros in 20 KB, twice over: nobody may unpack it.
    bomb = b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + b"\xec\xc1\x01\x01" + bytes(20_000)
    found = [
        aimed(place, encoding, whole(place, f"content-encoding: {encoding}", body=bomb), 415) for encoding in ENCODINGS
    ]
    twice = whole(place, "content-encoding: identity", "content-encoding: gzip")
    return [*found, aimed(place, "two", twice, 400, 415)]


ROWS: list[Row | Absent] = [
    Row(
        "P-12",
        "bodies that are not JSON, or not of our types",
        check,
        [
            *(found for place in EVERYWHERE for found in not_json(place)),
            *(found for place in MODELS for found in wrong_types(place)),
        ],
    ),
    Row(
        "P-15",
        "names twice where money is decided",
        check,
        [
            aimed(place, name, whole(place, body=body), 400)
            for place in (API_PLACE, ADMIN_ITSELF)
            for name, body in {
                "same name twice": b'{"name":"x","name":"y"}',
                "twice inside": b'{"name":"x","limits":{"rpm":1,"rpm":2}}',
                "twice, once escaped": b'{"name":"x","n\\u0061me":"y"}',
                "NUL in a name": b'{"name":"a\\u0000b"}',
                "surrogate in a name": b'{"name":"\\ud800"}',
            }.items()
        ],
    ),
    Row(
        "D-04",
        "bodies that are too large",
        too_large,
        [(place, how) for place in EVERYWHERE for how in ("declared", "real", "in chunks without end")],
    ),
    Row("D-06", "JSON that is much work", check, [found for place in EVERYWHERE for found in too_complex(place)]),
    Row("D-07", "compressed bodies", check, [found for place in EVERYWHERE for found in compressed(place)]),
]
