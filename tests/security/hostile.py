"""A provider that is broken or means harm: what it does is in the name of the model that it is asked for."""

import contextlib
import functools
import gzip
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import quote

from tests.e2e.gateway import eventually
from tests.security.world import World

ANSWER = (
    b'{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}'
)
CREDENTIAL = "sk-credential0for0the0hostile0upstream"
SECRET = "sk-hostile0secret0of0the0upstream0000"
OK = b"HTTP/1.1 200 OK\r\n"
JSON = b"content-type: application/json\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
STREAM = OK + b"content-type: text/event-stream\r\n" + CHUNKED
BLOCK = b"a" * 65_536
BLOCKS = 1_600


def whole(body: bytes, status: bytes = b"200 OK", headers: bytes = b"") -> Iterator[bytes]:
    yield b"HTTP/1.1 " + status + b"\r\n" + JSON + headers + b"content-length: %d\r\n\r\n" % len(body) + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def flood(head: bytes, block: bytes) -> Iterator[bytes]:
    yield head
    for _ in range(BLOCKS):
        yield block


def usage(count: bytes) -> Iterator[bytes]:
    return whole(ANSWER.replace(b'"completion_tokens":1', b'"completion_tokens":' + count))


def compressed() -> Iterator[bytes]:
    return whole(gzip.compress(bytes(50_000_000)), headers=b"content-encoding: gzip\r\n")


def error(status: bytes, message: str = f"Wrong key {SECRET} at http://10.1.2.3/x") -> Iterator[bytes]:
    said = {"message": message, "type": "t", "code": "a\r\nx: y"}
    return whole(json.dumps({"error": said}).encode(), status)


TRICKS: dict[str, tuple[frozenset[int], Callable[[], Iterator[bytes]]]] = {
    "fine": (frozenset({200}), lambda: whole(ANSWER)),
    "gzip": (frozenset({502}), compressed),
    "100 MB": (frozenset({502}), lambda: flood(OK + JSON + b"content-length: 104857600\r\n\r\n", BLOCK)),
    "100 MB in chunks": (frozenset({502}), lambda: flood(OK + JSON + CHUNKED, chunk(BLOCK))),
    "100 MB to the end": (frozenset({502}), lambda: flood(OK + JSON + b"\r\n", BLOCK)),
    "endless header": (frozenset({502}), lambda: flood(OK + b"x: ", BLOCK)),
    "many headers": (frozenset({502}), lambda: flood(OK, b"x: y\r\n" * 1_000)),
    "endless interim": (frozenset({502}), lambda: flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000)),
    "endless line": (frozenset({502}), lambda: flood(STREAM, chunk(b"data: " + BLOCK))),
    "endless event": (frozenset({502}), lambda: flood(STREAM, chunk(b"data: aaaa\n" * 4_000))),
    "length and encoding": (
        frozenset({502}),
        lambda: iter([OK + JSON + b"content-length: 5\r\n" + CHUNKED + chunk(ANSWER) + chunk(b"")]),
    ),
    "two answers": (frozenset({200}), lambda: iter([*whole(ANSWER), *whole(ANSWER.replace(b"hi", b"smuggled"))])),
    "another protocol": (frozenset({502}), lambda: iter([b"HTTP/1.1 101 X\r\nupgrade: x\r\n\r\nabc"])),
    "deep": (frozenset({502}), lambda: whole(b"[" * 1_000_000)),
    "deep beside the usage": (
        frozenset({200}),
        lambda: whole(ANSWER[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ),
    "huge usage": (frozenset({200}), lambda: usage(b"9" * 30)),
    "negative usage": (frozenset({200}), lambda: usage(b"-100000")),
    "usage that is no number": (frozenset({200}), lambda: usage(b'"1"')),
    "its secrets": (frozenset({400}), lambda: error(b"400 Bad Request")),
    "its bad key": (frozenset({502, 503}), lambda: error(b"401 Unauthorized")),
    "wait for ever": (frozenset({429, 503}), lambda: whole(b"{}", b"429 X", b"retry-after: 99999999999999999999\r\n")),
    "its headers": (
        frozenset({200}),
        lambda: whole(ANSWER, headers=b"set-cookie: a=b\r\naccess-control-allow-origin: *\r\n"),
    ),
}


PLACES = (
    b"http://127.0.0.1:%d/v1/secret",
    b"http://169.254.169.254/latest/meta-data/",
    b"file:///etc/passwd",
    b"https://example.com/v1/chat/completions",
    b"//example.com/",
    b"/v1/secret",
    b"",
)
REDIRECTS: dict[str, tuple[frozenset[int], Callable[[], Iterator[bytes]]]] = {
    f"redirect {status} {number}": (
        frozenset({502}),
        functools.partial(whole, b"", b"%d X" % status, b"location: %s\r\n" % place if place else b""),
    )
    for status in (301, 302, 303, 307, 308)
    for number, place in enumerate(PLACES)
}
PAGE = "<html>tenant-b-deployment is down</html>"
TRACE = 'Traceback (most recent call last):\n File "/srv/tenant-b-deployment.py"'
ERRORS: dict[str, tuple[frozenset[int], Callable[[], Iterator[bytes]]]] = {
    "its page": (frozenset({400}), lambda: whole(PAGE.encode(), b"400 X")),
    "its trace": (frozenset({400}), lambda: error(b"400 X", TRACE)),
    "its 500": (frozenset({502}), lambda: error(b"500 X", "tenant-b-deployment at tenant-b.internal")),
    "its 404 of a deployment": (
        frozenset({400, 404}),
        lambda: error(b"404 X", "No deployment at https://tenant-b.internal/openai or 2001:db8::7"),
    ),
}
ALL = {**TRICKS, **REDIRECTS, **ERRORS}


class Hostile:
    """Listens on a free loopback port. `seen` holds the head of every request."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(30)
            with contextlib.suppress(OSError, ValueError):
                while data := connection.recv(65_536):
                    self._answer(connection, data)

    def _answer(self, connection: socket.socket, data: bytes) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        self.seen.append(head)
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        while length and len(body) < int(length[1]):
            body += connection.recv(65_536)
        _, trick = ALL[json.loads(body)["model"]]
        for piece in trick():
            connection.sendall(piece.replace(b"127.0.0.1:%d/", b"127.0.0.1:%d/" % self.port))


@functools.cache
def hostile_upstream(world: World) -> tuple[Hostile, str]:
    """The server with a channel for each of its models, and a key that may use them."""
    server = Hostile()
    world.allow(server.port)
    fields = {"provider": "openai-compatible", "base_url": f"http://127.0.0.1:{server.port}/v1"}
    for name in ALL:
        world.gateway.create("channels", name=name, models=[name], api_key=CREDENTIAL, **fields)
        place = f"/api/prices/{quote(name, safe='')}"
        answer = world.gateway.admin.put(place, json={"input": "1", "output": "1"})
        assert answer.status_code == 201, answer.text
    key = world.gateway.key(name="unlucky")
    world.canaries |= {key, CREDENTIAL, SECRET}
    client = world.client(key)
    eventually(lambda: set(ALL) <= {model["id"] for model in client.get("/v1/models").json()["data"]})
    return server, key
