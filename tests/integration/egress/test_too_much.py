"""Servers that answer without measure: each caller takes what it needs, and no more."""

import gzip
import tracemalloc
from collections.abc import Iterator

import pytest

from tests.integration.egress.callers import OK
from tests.integration.egress.conftest import Make
from tests.upstream.raw import Asked, RawServer

HEAD = b"HTTP/1.1 200 OK\r\n"
JSON = HEAD + b"Content-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
STREAM = HEAD + b"Content-Type: text/event-stream\r\n" + CHUNKED
BLOCK = b"a" * 65_536
BOMB = gzip.compress(bytes(200 * 2**20), 9)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def repeated(head: bytes, block: bytes, times: int = 1_600) -> Iterator[bytes]:
    yield head
    for _ in range(times):
        yield block


FLOODS = {
    "a gzip bomb": lambda: iter([JSON + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB), BOMB]),
    "a bomb in another encoding": lambda: iter([JSON + b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"]),
    "100 MB that are announced": lambda: repeated(JSON + b"Content-Length: 104857600\r\n\r\n", BLOCK),
    "100 MB in chunks": lambda: repeated(JSON + CHUNKED, chunk(BLOCK)),
    "100 MB until the end": lambda: repeated(JSON + b"\r\n", BLOCK),
    "a line of 60 MB": lambda: repeated(STREAM + chunk(b"data: "), chunk(BLOCK), 960),
    "an endless header": lambda: repeated(HEAD + b"X: ", BLOCK),
    "5000 headers": lambda: iter([HEAD + b"X: y\r\n" * 5_000 + b"Content-Length: 2\r\n\r\n{}"]),
    "101 headers": lambda: iter([HEAD + b"X: y\r\n" * 100 + b"Content-Length: 2\r\n\r\n{}"]),
    "headers of 70 KB": lambda: iter([HEAD + (b"X: " + b"y" * 1_000 + b"\r\n") * 70 + b"Content-Length: 2\r\n\r\n{}"]),
    "endless promises": lambda: repeated(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000),
    "another protocol": lambda: iter([b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", BLOCK]),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_floods(make: Make, flood: str) -> None:
    async def play(asked: Asked) -> None:
        for piece in FLOODS[flood]():
            await asked.say(piece)
        asked.writer.close()

    async with RawServer(play) as server:
        asking = make()
        await asking.ask("http://127.0.0.1:1/")  # what is loaded at the first need is no part of it
        tracemalloc.start()
        try:
            assert await asking.ask(server.url()) != OK
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < asking.most_bytes


async def test_a_cookie_is_not_kept(make: Make) -> None:
    said = JSON + b"Set-Cookie: a=secret\r\nContent-Length: 2\r\n\r\n{}"
    async with RawServer(lambda asked: asked.say(said)) as server:
        asking = make()
        for _ in range(2):
            await asking.ask(server.url())
        assert len(server.asked) > 1
        assert not [asked for asked in server.asked if b"secret" in asked.head]
