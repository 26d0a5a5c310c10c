"""Requests as bytes that every HTTP listener must refuse, with the status that it owes; and how to send them.

It decides what is malformed, too much, ambiguous or slow, for all services alike. Who answers, and in which format, is
the business of each service's tests.
"""

import asyncio
import dataclasses
import socket


@dataclasses.dataclass(frozen=True)
class RawRequest:
    """`text` has a place for the service's own path."""

    name: str
    text: bytes
    status: int

    def at(self, path: bytes) -> bytes:
        return self.text.replace(b"{path}", path)


def _get(headers: bytes = b"host: gw\r\n", *, path: bytes = b"{path}", version: bytes = b"HTTP/1.1") -> bytes:
    return b"GET " + path + b" " + version + b"\r\n" + headers + b"connection: close\r\n\r\n"


def _post(headers: bytes, body: bytes = b"", *, version: bytes = b"HTTP/1.1") -> bytes:
    head = b"POST {path} " + version + b"\r\nhost: gw\r\ncontent-type: application/json\r\n" + headers
    return head + b"connection: close\r\n\r\n" + body


def _chunked(body: bytes) -> bytes:
    return _post(b"transfer-encoding: chunked\r\n", body)


MALFORMED = [
    RawRequest("HTTP/0.9", b"GET {path}\r\n\r\n", 400),
    RawRequest("no request", b"NONSENSE\r\n\r\n", 400),
    RawRequest("another protocol", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    RawRequest("HTTP/2.0", _get(version=b"HTTP/2.0"), 400),
    RawRequest("no Host", _get(b""), 400),
    RawRequest("empty Host", _get(b"host: \r\n"), 400),
    RawRequest("two Hosts", _get(b"host: a\r\nhost: b\r\n"), 400),
    RawRequest("the same Host twice", _get(b"host: a\r\nhost: a\r\n"), 400),
    RawRequest("a path in Host", _get(b"host: gw{path}?\r\n"), 400),
    RawRequest("a fragment in Host", _get(b"host: gw/health#\r\n"), 400),
    RawRequest("a user in Host", _get(b"host: a@b\r\n"), 400),
    RawRequest("a space in Host", _get(b"host: x y\r\n"), 400),
    RawRequest("bare LF", b"GET {path} HTTP/1.1\nhost: a\n\n", 400),
    RawRequest("bare CR", _get(b"host: a\r\nx: 1\r2\r\n"), 400),
    RawRequest("space before the colon", _get(b"host : a\r\n"), 400),
    RawRequest("folded header", _get(b"host: a\r\nx: 1\r\n 2\r\n"), 400),
    RawRequest("NUL in a header", _get(b"host: a\r\nx: \x00\r\n"), 400),
    RawRequest("length and chunks", _post(b"content-length: 3\r\ntransfer-encoding: chunked\r\n"), 400),
    RawRequest("the same length twice", _post(b"content-length: 3\r\ncontent-length: 3\r\n", b"{ }"), 400),
    RawRequest("two lengths", _post(b"content-length: 3\r\ncontent-length: 4\r\n", b"{ }"), 400),
    RawRequest("list of lengths", _post(b"content-length: 3, 3\r\n", b"{ }"), 400),
    RawRequest("length +3", _post(b"content-length: +3\r\n", b"{ }"), 400),
    RawRequest("length 0x3", _post(b"content-length: 0x3\r\n", b"{ }"), 400),
    RawRequest("length 1_0", _post(b"content-length: 1_0\r\n", b"{ }"), 400),
    RawRequest("length -1", _post(b"content-length: -1\r\n"), 400),
    RawRequest("endless length", _post(b"content-length: " + b"0" * 5_000 + b"3\r\n", b"{ }"), 400),
    RawRequest("xchunked", _post(b"transfer-encoding: xchunked\r\n"), 400),
    RawRequest("identity", _post(b"transfer-encoding: identity\r\n"), 400),
    RawRequest("gzip, chunked", _post(b"transfer-encoding: gzip, chunked\r\n", b"0\r\n\r\n"), 400),
    RawRequest("chunked, identity", _post(b"transfer-encoding: chunked, identity\r\n", b"0\r\n\r\n"), 400),
    RawRequest("space before TE's colon", _post(b"transfer-encoding : chunked\r\n", b"0\r\n\r\n"), 400),
    RawRequest("chunks in HTTP/1.0", _post(b"transfer-encoding: chunked\r\n", b"0\r\n\r\n", version=b"HTTP/1.0"), 400),
    RawRequest("chunk 0x3", _chunked(b"0x3\r\n{ }\r\n0\r\n\r\n"), 400),
    RawRequest("chunk -1", _chunked(b"-1\r\n{ }\r\n0\r\n\r\n"), 400),
    RawRequest("fragment in the target", _get(path=b"{path}#x"), 400),
    RawRequest("CONNECT", b"CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n", 400),
]
TOO_MUCH = [
    RawRequest("40 KB header", _post(b"x-big: " + b"a" * 40_000 + b"\r\n"), 431),
    RawRequest("1 MB header", _post(b"x-big: " + b"a" * 2**20 + b"\r\n"), 431),
    RawRequest("101 headers", _post(b"".join(b"x-%d: 1\r\n" % n for n in range(101))), 431),
    RawRequest("9 KB URL", _get(path=b"/" + b"a" * 9_000), 414),
]
TWO_CREDENTIALS = RawRequest(
    "two Authorizations",
    _post(b"authorization: Bearer a\r\nauthorization: Bearer b\r\ncontent-length: 2\r\n", b"{}"),
    401,
)
NOWHERE = [
    RawRequest(path.decode(), _get(path=path), 404)
    for path in (
        b"/" + b"{path}",
        b"/v1/../admin",
        b"/api/../admin",
        b"/v1/..%2fadmin",
        b"/%2e%2e/x",
        b"/api/%2e%2e/keys",
        b"/%61pi/keys",
        b"/%6dcp",
        b"/api/keys%00",
        b"/api\\keys",
        b"/api;x=1/keys",
        b"/api/%252e",
        b"/api/%c0%ae",
        b"{path}/",
    )
]
REFUSED = [*MALFORMED, *TOO_MUCH, TWO_CREDENTIALS, *NOWHERE]
NOT_PUBLIC = [
    RawRequest(path.decode(), _get(path=path), 404)
    for path in (b"/metrics", b"/debug", b"/debug/pprof", b"/redoc", b"/.env", b"/status", b"/server-info")
]
"""What tells about the inside of a service is on no public listener."""


def status_of(answer: bytes) -> int:
    """The status of a whole answer; 0 when there is none."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


async def exchange(port: int, request: bytes, limit_s: float = 30.0) -> bytes:
    """What comes back for these bytes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(limit_s):
            writer.write(request)
            await writer.drain()
            return await reader.read(-1)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def take_nothing(port: int, request: bytes, limit_s: float = 30.0) -> None:
    """Asks again and again and reads nothing. Returns when the server has ended the connection."""
    loop = asyncio.get_running_loop()
    with socket.socket() as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asking.setblocking(False)
        async with asyncio.timeout(limit_s):
            await loop.sock_connect(asking, ("127.0.0.1", port))
            try:
                while True:
                    await loop.sock_sendall(asking, request)
                    await asyncio.sleep(0)
            except ConnectionError:
                return
