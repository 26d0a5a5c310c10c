"""P-03 and P-08 to P-18: request lines, hosts, sizes of heads, what they say about others."""

from tests.security.rows.paths import PLACES_OF_PATHS
from tests.security.table import Absent, Row
from tests.security.wire import (
    ADMIN_ITSELF,
    AUTHORIZED,
    BEHIND_THE_DOOR,
    LISTENERS,
    MCP_ITSELF,
    NONE,
    PROBLEM,
    Attack,
    Place,
    aimed,
    attack,
    check,
    filled,
    get,
    request,
    send,
    sized,
    whole,
)
from tests.security.world import World

HOSTS = {
    "none": None,
    "empty": "host: ",
    "with a user": "host: a@b",
    "with a path": "host: gw/v1/models?",
    "with a fragment": "host: gw/healthz#",
    "with a space": "host: a b",
    "with a backslash": "host: a\\b",
    "with a quote": 'host: "gw"',
    "list": "host: gw, other",
    "not ASCII": "host: ｇｗ".encode(),
    "with NUL": b"host: g\0w",
}


def hosts(place: Place) -> list[Attack]:
    found = [aimed(place, f"host {name}", whole(place, host=host), 400) for name, host in HOSTS.items()]  # type: ignore[arg-type]
    return [*found, aimed(place, "two hosts", whole(place, "host: other"), 400)]


def first_lines(place: Place) -> list[Attack]:
    line = f"POST {place.target} HTTP/1.1"
    good = whole(place)

    def changed(text: str) -> bytes:
        return good.replace(line.encode(), text.encode(), 1)

    sent = {
        "HTTP/9.9": changed(f"POST {place.target} HTTP/9.9"),
        "HTTP/1.2": changed(f"POST {place.target} HTTP/1.2"),
        "HTTP/1.1x": changed(f"POST {place.target} HTTP/1.1x"),
        "lower case": changed(f"POST {place.target} http/1.1"),
        "no version": changed(f"POST {place.target}"),
        "tabs": changed(f"POST\t{place.target}\tHTTP/1.1"),
        "two targets": changed(f"POST {place.target} {place.target} HTTP/1.1"),
        "method in lower case": changed(f"post {place.target} HTTP/1.1"),
        "method that is none": changed(f"P()ST {place.target} HTTP/1.1"),
        "fragment": changed(f"POST {place.target}#x HTTP/1.1"),
        "space in the target": changed(f"POST {place.target} x HTTP/1.1"),
    }
    found = [aimed(place, name, data, 400, shape=NONE) for name, data in sent.items()]
    others = {
        "HTTP/0.9": b"GET /healthz\r\n\r\n",
        "HTTP/2 in clear": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        "CONNECT": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: gw\r\n\r\n",
        "SSH": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "Redis": b"*1\r\n$4\r\nPING\r\n\r\n",
        "NATS": b"CONNECT {}\r\nPING\r\n\r\n",
        "PROXY protocol": b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + good,
        "PROXY protocol 2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12),
        "gRPC": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9) + b"\0\0\4\1\4",
    }
    return [*found, *(aimed(place, name, data, 400, shape=NONE) for name, data in others.items())]


def sizes(place: Place) -> list[Attack]:
    sent = {
        "70 KB header": (whole(place, "x: " + "a" * 70_000), 431),
        "33 KB of headers": (whole(place, *["x: " + "a" * 990] * 33), 431),
        "101 headers": (whole(place, *["x: y"] * 101), 431),
        "5,000 headers": (whole(place, *["x: y"] * 5_000), 431),
        "name of 40 KB": (whole(place, "x" * 40_000 + ": y"), 431),
        "9 KB address": (whole(place).replace(b" HTTP/1.1", b"?" + b"a" * 9_000 + b" HTTP/1.1", 1), 414),
        "40 KB address": (whole(place).replace(b" HTTP/1.1", b"?" + b"a" * 40_000 + b" HTTP/1.1", 1), 414, 431),
        "cookie of 40 KB": (whole(place, "cookie: " + "a=b; " * 8_000), 431),
        "Last-Event-ID of 1 MB": (whole(place, "last-event-id: " + "1" * 2**20), 431),
    }
    return [aimed(place, name, data[0], *data[1:]) for name, data in sent.items()]  # type: ignore[arg-type]


TWINS = (
    ("Authorization_", "Bearer %KEY%"),
    ("X_Api_Key", "%KEY%"),
    ("api_key", "%KEY%"),
    ("X_Forwarded_For", "127.0.0.1"),
)


def _content_types(place: Place) -> list[Attack]:
    given = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx",
             "text/json", "application/xml", "", "application/json, text/plain", "application/octet-stream",
             "multipart/form-data; boundary=" + "-" * 4_000)  # fmt: skip
    found = []
    for value in given:
        sent = whole(place).replace(b"content-type: application/json", b"content-type: " + value.encode(), 1)
        found.append(aimed(place, f"content type {value[:40]!r}", sent, 415))
    twice = whole(place, "content-type: text/plain")
    return [*found, aimed(place, "two content types", twice, 400)]


def forwarded(world: World, headers: list[str]) -> None:
    """A key for one address only: what the client says about its address is not believed."""
    key = world.gateway.create("keys", name="elsewhere", allowed_ips=["198.51.100.7"])["key"]
    for place in ("GET /v1/models HTTP/1.1", "POST /mcp HTTP/1.1"):
        answer = send(world.gateway.port, request(place, f"authorization: Bearer {key}", *headers))
        assert answer.startswith(b"HTTP/1.1 401 "), answer[:200]


SAID = "198.51.100.7"
FORWARDED = [
    [f"x-forwarded-for: {SAID}"],
    ["x-forwarded-for: " + ", ".join([SAID] * 100)],
    [f"x-forwarded-for: {SAID}", f"x-forwarded-for: {SAID}"],
    [f"x-forwarded-for: {SAID}%eth0"],
    [f"x-forwarded-for: ::ffff:{SAID}"],
    [f"x-real-ip: {SAID}", f"true-client-ip: {SAID}", f"cf-connecting-ip: {SAID}"],
    [f"forwarded: for={SAID};by=127.0.0.1"],
    [f"x-forwarded-for: {SAID}", "connection: x-forwarded-for"],
    [f"x-forwarded-for: {SAID}", "x-oneapi-internal: 1", "x-forwarded-user: root"],
]


def ignored(world: World, headers: list[str]) -> None:
    """What a proxy or a framework may take for another request is taken for nothing."""
    sent = get("/v1/models", AUTHORIZED, *headers)
    answer = send(world.gateway.port, filled(world, sent))
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
    assert b'"sandbox"' in answer


IGNORED = [
    ["last-event-id: " + "1" * 1_000],
    ["x-http-method-override: DELETE", "x-method-override: DELETE"],
    ["x-original-url: /api/keys", "x-rewrite-url: /api/keys"],
    ["x-forwarded-host: evil.example", "x-forwarded-prefix: /api", "x-forwarded-port: 1"],
    ["x-forwarded-proto: gopher"],
    ["x-request-id: " + "a" * 5_000],
    ["x-request-id: ../../etc/passwd"],
    ["traceparent: 00-" + "0" * 32 + "-" + "0" * 16 + "-01"],
    ["traceparent: " + "f" * 4_000, "tracestate: " + "a=b," * 500],
    ["baggage: " + "a=b," * 500],
    ["range: bytes=0-1," + "1-2," * 2_000],
    ["if-none-match: *", "if-modified-since: x", "accept-encoding: " + "gzip;q=1," * 500],
    ["te: trailers", "keep-alive: timeout=999999"],
    ["connection: authorization, x-api-key, host"],
]


def no_answer_is_foreign(world: World, headers: list[str]) -> None:
    """Pipelined: each answer in its place, and nothing after the one that is refused."""
    del headers
    head = b"GET /v1/models HTTP/1.1\r\nhost: gw\r\nauthorization: Bearer %KEY%\r\n\r\n"
    bad = b"GET /v1/models HTTP/1.1\r\nhost: gw\r\nauthorization: Bearer sk-x\r\n\r\n"
    torn = b"GET /v1/models HTTP/1.1\r\nhost: a b\r\ncontent-length: x\r\n\r\n"
    answer = send(world.gateway.port, filled(world, head + bad + head + torn + head))
    statuses = [line.split()[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    # What came in one piece with something torn may get no answer at all.
    assert statuses == [b"200", b"401", b"200", b"400"][: len(statuses)], answer[:600]


ROWS: list[Row | Absent] = [
    Row(
        "P-03",
        "hosts that are none, and that never matter",
        check,
        [
            *(found for place in LISTENERS for found in hosts(place)),
            *(
                aimed(place, "host with a path", whole(place, host="host: gw/v1/models?"), 400)
                for place in BEHIND_THE_DOOR
            ),
            attack("host that sounds important", get("/api/keys", host="host: admin"), 401, shape=PROBLEM),
            attack("host of the loopback", get("/api/keys", host="host: 127.0.0.1"), 401, shape=PROBLEM),
            attack("absolute form", get("http://gw/api/keys"), 401, shape=PROBLEM),
            attack("absolute form of another host", get("http://other/api/keys", "x: y"), 401, shape=PROBLEM),
        ],
    ),
    Row("P-07", "paths that two readers take differently", check, PLACES_OF_PATHS),
    Row("P-08", "first lines that are none", check, [found for place in LISTENERS for found in first_lines(place)]),
    Row("P-09", "answers stay in order", no_answer_is_foreign, [["pipelined"]]),
    Row(
        "P-10",
        "heads that are too large",
        check,
        [
            *(found for place in LISTENERS for found in sizes(place)),
            *(attack(f"twin {name}", get("/v1/models", f"{name}: {value}"), 401) for name, value in TWINS),
        ],
    ),
    Row("P-11", "headers that change nothing", ignored, IGNORED),
    Row(
        "P-13",
        "names of uploaded files",
        check,
        [
            attack(f"upload to {path}", sized("x: y", target=path), 404)
            for path in ("/v1/files", "/v1/audio/transcriptions", "/v1/images/edits")
        ],
    ),
    Row("P-14", "words about the client's address", forwarded, FORWARDED),
    Row(
        "P-16",
        "where a stream should go on",
        check,
        [
            attack("Last-Event-ID of 1 MB", get("/v1/models", AUTHORIZED, "last-event-id: " + "1" * 2**20), 431),
            attack("on a stream", get("/v1/chat/completions", AUTHORIZED, "last-event-id: 5"), 405),
        ],
    ),
    Row(
        "P-17",
        "content types that are not JSON",
        check,
        [found for place in (*BEHIND_THE_DOOR, MCP_ITSELF, ADMIN_ITSELF) for found in _content_types(place)],
    ),
]
