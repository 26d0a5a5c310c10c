"""D: what is slow, idle or unread, and what is very much. Each row holds its connections open at the same time."""

import contextlib
import dataclasses
import functools
import select
import socket
import threading
import time
from collections.abc import Iterator

from tests.e2e.gateway import eventually
from tests.security.rows import wallet
from tests.security.table import Absent, Row
from tests.security.wire import (
    ADMIN_ITSELF,
    AUTHORIZED,
    BEHIND_THE_DOOR,
    CHAT_PLACE,
    LISTENERS,
    MCP_ITSELF,
    Place,
    at,
    filled,
    get,
    request,
    send,
    whole,
)
from tests.security.world import World

HEADER_S, BODY_S, TOTAL_S, STALL_S = 10.0, 20.0, 60.0, 60.0
MARGIN_S = 12.0
BILLED_S = 20.0
SMALL_WINDOW = 4_096


def connect(port: int, *, window: int = 0) -> socket.socket:
    sock = socket.socket()
    if window:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    sock.settimeout(5)
    sock.connect(("127.0.0.1", port))
    return sock


@contextlib.contextmanager
def connections(port: int, count: int) -> Iterator[list[socket.socket]]:
    opened = [connect(port) for _ in range(count)]
    try:
        yield opened
    finally:
        for sock in opened:
            sock.close()


def closed_by(sock: socket.socket, deadline: float) -> bytes | None:
    """What came until the other side closed; None when it had not by then."""
    answer = b""
    while (left := deadline - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            data = sock.recv(65_536)
        except TimeoutError:
            return None
        except ConnectionError:
            return answer
        if not data:
            return answer
        answer += data
    return None


# Slow senders -------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Slow:
    """A sender that never ends: `first` at once, then `drop` again and again."""

    name: str
    listener: str
    first: bytes
    drop: bytes
    each_s: float
    limit_s: float


def _slow(place: Place) -> list[Slow]:
    head = b"POST %s HTTP/1.1\r\nhost: gw\r\n" % place.target.encode()
    body = at(place, "content-length: 1000000", body=b"{")
    pieces = at(place, "transfer-encoding: chunked", body=b"1\r\n{\r\n")
    kinds = {
        "nothing": (b"", b"", 0, HEADER_S),
        "a line break": (b"\r\n", b"", 0, HEADER_S),
        "a word": (b"POS", b"", 0, HEADER_S),
        "half a head": (head, b"", 0, HEADER_S),
        "a head, byte by byte": (head + b"x: ", b"a", 1, HEADER_S),
        "a head, line by line": (head, b"x: a\r\n", 1, HEADER_S),
        "empty lines": (b"", b"\r\n", 1, HEADER_S),
        "a body that stops": (body, b"", 0, BODY_S),
        "a body, byte by byte": (body, b" ", 1, BODY_S),
        "a body of two KiB a second": (body, b" " * 2_048, 1, TOTAL_S),
        "a large body that stops": (at(place, "content-length: 900000", body=b" " * 500_000), b"", 0, BODY_S),
        "chunks that stop": (pieces, b"", 0, BODY_S),
        "chunks of a byte": (pieces, b"1\r\n \r\n", 1, BODY_S),
        "a chunk's size, byte by byte": (pieces, b"0", 1, BODY_S),
        "trailers, byte by byte": (pieces + b"0\r\n", b"a", 1, BODY_S),
    }
    return [Slow(f"{place.name}: {name}", place.listener, *kind) for name, kind in kinds.items()]


@dataclasses.dataclass
class _Waiting:
    """One of them under way."""

    slow: Slow
    due: float
    answer: bytes = b""


def slow_senders(world: World, all_of_them: list[Slow]) -> None:
    """All at once: each is answered with 408, or just closed, when its deadline has passed; others go on."""
    stalled(world, "never")
    began = time.monotonic()
    open_ones: dict[socket.socket, _Waiting] = {}
    for slow in all_of_them:
        sock = connect(world.ports[slow.listener])
        sock.sendall(filled(world, slow.first))
        sock.setblocking(False)
        open_ones[sock] = _Waiting(slow, began + slow.each_s)
    wrong = []
    while open_ones:
        now = time.monotonic()
        for sock, one in list(open_ones.items()):
            if now > began + one.slow.limit_s + MARGIN_S:
                wrong.append(f"{one.slow.name} is open after {now - began:.0f} s")
                sock.close()
                del open_ones[sock]
            elif one.slow.drop and now >= one.due:
                with contextlib.suppress(OSError):  # it is being closed
                    sock.send(one.slow.drop)
                one.due = now + one.slow.each_s
        readable, _, _ = select.select(list(open_ones), [], [], 0.2)
        for sock in readable:
            one = open_ones[sock]
            try:
                data = sock.recv(65_536)
            except OSError:
                data = b""
            one.answer += data
            if not data:
                del open_ones[sock]
                sock.close()
                if one.answer and not one.answer.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 400 ")):
                    wrong.append(f"{one.slow.name}: {one.answer[:80]!r}")
    assert not wrong, "; ".join(wrong)


# Connections --------------------------------------------------------------------------------------------------------

MANY = 1_000


def idle(world: World, listener: str) -> None:
    """Connections that never say anything: closed in time, and nobody else waits for them."""
    port = world.ports[listener]
    with connections(port, MANY) as opened:
        began = time.monotonic()
        world.chat(world.key)
        deadline = began + HEADER_S + MARGIN_S
        left = [sock for sock in opened if closed_by(sock, deadline) is None]
        assert not left, f"{len(left)} are open after {HEADER_S + MARGIN_S} s"


def unread(world: World, target: str) -> None:
    """A great many requests on one connection, whose answers nobody reads."""
    asked = f"GET {target} HTTP/1.1\r\nhost: gw\r\n{AUTHORIZED}\r\n\r\n".encode()
    with contextlib.ExitStack() as opened:
        for _ in range(20):
            sock = opened.enter_context(connect(world.gateway.port, window=SMALL_WINDOW))
            sock.settimeout(1)
            with contextlib.suppress(OSError):  # the gateway reads no further, or ends it: that is the point
                sock.sendall(filled(world, asked) * 20_000)
        world.chat(world.key)
        assert world.size_mb() < 4_000


def ahead(world: World, count: int) -> None:
    """Requests sent ahead: so many are answered in order; more end the connection, and never the process."""
    one = f"GET /v1/models HTTP/1.1\r\nhost: gw\r\n{AUTHORIZED}\r\n\r\n".encode()
    answer = send(world.gateway.port, filled(world, one * count + get("/v1/models")))
    answered = answer.count(b"HTTP/1.1 200 OK")
    assert answered == answer.count(b"HTTP/1.1 "), answer[:300]
    assert answered == count + 1 if count < 60 else answered <= 130, answered


def churned(world: World, count: int) -> None:
    """Connections that end at once, with and without a reset, and in the middle of a request."""
    for number in range(count):
        sock = connect(world.gateway.port)
        if number % 3 == 1:
            sock.sendall(filled(world, whole(CHAT_PLACE))[:60])
        elif number % 3 == 2:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
    world.chat(world.key)


def half_closed(world: World, place: Place) -> None:
    """The sending side is closed before the end: no request, so no answer to one."""
    sent = filled(world, at(place, "content-length: 1000", body=b"{"))
    assert not send(world.ports[place.listener], sent, ends=True).startswith(b"HTTP/1.1 2")


def expecting(world: World, place: Place) -> None:
    """`Expect: 100-continue` without a body: a bad one is refused at its head, a good one isn't waited for forever."""
    sock = connect(world.ports[place.listener])
    with sock:
        sock.sendall(filled(world, at(place, "content-length: 50000000", "expect: 100-continue", body=b"")))
        answer = closed_by(sock, time.monotonic() + TOTAL_S + MARGIN_S)
    assert answer is not None, "it is open still"
    assert b" 413 " in answer or b" 408 " in answer, answer[:200]


# Slow readers -------------------------------------------------------------------------------------------------------

LONG = "long"
TOKENS = 200_000


@dataclasses.dataclass
class Stalled:
    """Streams that nobody reads, since when, and with which key."""

    key: str
    socks: list[socket.socket]
    began: float
    before_mb: int


@functools.cache
def stalled(world: World, how: str) -> Stalled:
    """Begun once, by the first row that waits anyway: it takes a minute until they are ended."""
    _long_model(world)
    found = Stalled(world.gateway.key(name=f"reads {how}"), [], time.monotonic(), world.size_mb())
    body = b'{"model":"long","stream":true,"messages":[{"role":"user","content":"hi"}]}'
    for _ in range(5):
        sock = connect(world.gateway.port, window=SMALL_WINDOW)
        sock.sendall(whole(CHAT_PLACE, body=body).replace(b"%KEY%", found.key.encode()))
        found.socks.append(sock)
    found.socks[0].settimeout(BILLED_S)  # the upstream makes all five streams first
    assert found.socks[0].recv(100).startswith(b"HTTP/1.1 200 ")
    return found


def slow_reader(world: World, how: str) -> None:
    """A long stream that nobody reads, or hardly: the upstream is paused, and in the end both are let go."""
    streams = stalled(world, how)
    world.chat(world.key)
    if how == "never":
        # Nothing is read here: that it is settled shows that the gateway has given it up.
        _billed(world, streams.key, len(streams.socks), streams.began + STALL_S + 2 * MARGIN_S - time.monotonic())
    assert world.size_mb() < streams.before_mb + 100, "the stream is kept in memory"
    for sock in streams.socks:
        sock.close()
    _billed(world, streams.key, len(streams.socks), BILLED_S)


def _long_model(world: World) -> None:
    world.allow(world.upstream.port)
    if world.client(world.key).get(f"/v1/models/{LONG}").status_code != 200:
        world.gateway.channel(world.upstream, {LONG: f"play:tokens={TOKENS}"})


def _billed(world: World, key: str, count: int, limit_s: float) -> None:
    key_id = next(
        row["id"]
        for row in world.gateway.admin.get("/api/keys?limit=200").json()["data"]
        if row["hint"].endswith(key[-4:])
    )

    def rows() -> int:
        found = world.gateway.admin.get("/api/usage?group_by=key").json()["data"]
        return sum(row["requests"] for row in found if row["key_id"] == key_id)

    eventually(lambda: rows() == count, max(BILLED_S, limit_s))


# Much work ----------------------------------------------------------------------------------------------------------


def costly(world: World, attack: tuple[str, bytes]) -> None:
    """Heads that a careless pattern or a careless loop takes long for: the next client doesn't wait."""
    name, sent = attack
    done: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: done.append(send(world.gateway.port, filled(world, sent)))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    world.chat(world.key)
    for thread in threads:
        thread.join()
    assert len(done) == 20, name
    assert all(answer[9:12] in {b"200", b"400", b"401", b"404", b"405", b"414", b"415", b"422"} for answer in done), (
        done[0]
    )


COSTLY: list[tuple[str, bytes]] = [
    ("percent signs", get("/v1/" + "%2" * 3_900)),
    ("slashes", get("/" + "/" * 8_000)),
    ("encoded slashes", get("/api/keys/" + "%2f" * 2_600)),
    ("dots", get("/api/" + "../" * 2_600)),
    ("parameters", get("/v1/models?" + "&".join(["a"] * 4_000))),
    ("commas", get("/v1/models", AUTHORIZED, "x-forwarded-for: " + "1," * 10_000)),
    ("connection's tokens", get("/api/keys", AUTHORIZED, "connection: " + "a," * 10_000)),
    ("cookies", get("/api/keys", "cookie: " + "a=b; " * 6_000)),
    ("quoted cookies", get("/api/keys", "cookie: oneapi_session=\"" + "\\0" * 10_000)),
    ("ranges", get("/v1/models", AUTHORIZED, "range: bytes=" + "0-," * 9_000)),
    ("boundary", request("POST /v1/chat/completions HTTP/1.1", AUTHORIZED, "content-length: 0",
                         "content-type: multipart/form-data; boundary=" + "-" * 20_000)),
    ("accepted types", get("/mcp", AUTHORIZED, "accept: " + "a/b;q=0.1," * 2_500)),
    ("languages", get("/v1/models", AUTHORIZED, "accept-language: " + "a," * 10_000)),
]  # fmt: skip

EVERYONE: list[Slow] = [found for place in LISTENERS for found in _slow(place)]

ROWS: list[Row | Absent] = [
    Row("D-02", "connections that say nothing", idle, ["edge", "mcp", "admin"], at_once=3),
    Row("D-03", "heads and bodies that never end", slow_senders, [EVERYONE]),
    Row("D-05", "readers that don't read", slow_reader, ["never", "and leaves"]),
    Row("D-08", "answers that nobody reads", unread, ["/healthz", "/v1/models", "/api/keys"]),
    Row("D-09", "connections that come and go", churned, [1_500]),
    Absent("D-10", "HTTP/2 floods", "the gateway speaks HTTP/1.1 only; a clear-text HTTP/2 preface is refused (P-08)"),
    Row("D-11", "bodies that are promised", expecting, [CHAT_PLACE, MCP_ITSELF, ADMIN_ITSELF]),
    Row("D-13", "requests sent ahead", ahead, [10, 50, 500]),
    Row("D-18", "heads that are much work", costly, COSTLY),
    Row("D-19", "half a request, and an end", half_closed, [*BEHIND_THE_DOOR, *LISTENERS[1:]]),
    Absent("D-16", "websocket floods", "there are no websockets; the wish for one is not followed (P-06)"),
    *wallet.ROWS,
]
