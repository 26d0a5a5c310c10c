"""The door of every listener, on real sockets: who waits for a head, who reads too slowly, who comes too often."""

import asyncio
import dataclasses
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from oneapi.runtime.door import lobby
from oneapi.runtime.door.answers import small_json
from oneapi.runtime.door.limits import DoorLimits
from oneapi.runtime.health import LIMITS, Readiness, serve
from oneapi.runtime.http_server import HttpServer
from tests.raw_requests import MALFORMED, NOT_PUBLIC, NOWHERE, TOO_MUCH, exchange, status_of, take_nothing

SHORT = DoorLimits(header_s=0.5, body_idle_s=0.5, write_stall_s=0.5)
LARGE = b"x" * (8 * 2**20)
GET = b"GET /a HTTP/1.1\r\nhost: a\r\n\r\n"
LAST = b"GET /a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"

Start = Callable[..., Awaitable[int]]


class Answering:
    """Answers everything with `body`, and knows how many handlers run."""

    def __init__(self, body: bytes = b"ok") -> None:
        self.body = body
        self.running = 0
        self.idle = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.running += 1
        self.idle.clear()
        try:
            headers = [(b"content-length", b"%d" % len(self.body))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            for begin in range(0, len(self.body), 2**16):
                piece = self.body[begin : begin + 2**16]
                await send({"type": "http.response.body", "body": piece, "more_body": begin + 2**16 < len(self.body)})
        finally:
            self.running -= 1
            if not self.running:
                self.idle.set()


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts listeners of an application; gives their ports."""
    running: list[HttpServer] = []

    async def begin(app: Any, limits: DoorLimits = SHORT) -> int:
        server = HttpServer(app, "127.0.0.1", 0, render=small_json, limits=limits)
        running.append(server)
        await server.start()
        return server.port

    yield begin
    for server in running:
        await server.stop(0.1)


async def test_the_health_listener_is_as_strict_as_the_others() -> None:
    server = serve(Readiness(), "127.0.0.1", 0)
    await server.start()
    for asked in [*MALFORMED, *TOO_MUCH, *NOWHERE, *NOT_PUBLIC]:
        answer = await exchange(server.port, asked.at(b"/readyz"))
        assert status_of(answer) == asked.status, asked.name
        assert b"application/json" in answer
    assert LIMITS.discard_bytes < 2**20
    await server.stop()


async def test_who_sends_no_head_is_cut(start: Start) -> None:
    port = await start(Answering())
    nothing, half, lines = await asyncio.gather(
        exchange(port, b""), exchange(port, b"GET /a HTTP/1.1\r\nhost"), exchange(port, b"\r\n\r\n")
    )
    assert nothing == b""
    assert status_of(half) == status_of(lines) == 408


async def test_a_head_in_pieces_is_a_head(start: Start) -> None:
    port = await start(Answering(), dataclasses.replace(SHORT, header_s=20))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for begin in range(0, len(LAST), 5):
        writer.write(LAST[begin : begin + 5])
        await writer.drain()
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        assert status_of(await reader.read(-1)) == 200
    writer.close()


async def test_a_head_in_too_many_pieces_is_refused(start: Start) -> None:
    port = await start(Answering(), dataclasses.replace(SHORT, header_s=20, head_pieces=4))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = asyncio.ensure_future(reader.read(-1))
    async with asyncio.timeout(20):
        writer.write(b"GET /a HTTP/1.1\r\nx: ")
        while not answered.done():
            writer.write(b"a")
            await asyncio.sleep(0.01)
    assert status_of(answered.result()) == 431
    writer.close()


async def test_a_head_that_begins_on_a_kept_connection_has_the_same_time(start: Start) -> None:
    port = await start(Answering())
    answer = await exchange(port, GET + b"GET /a HTTP/1.1\r\nhost")
    assert answer.count(b"HTTP/1.1 200") == 1
    assert answer.count(b"HTTP/1.1 408") == 1


async def test_in_a_crowd_the_good_are_answered_and_the_oldest_leave_first(start: Start) -> None:
    """While all are young, those who come last find no room; later the oldest makes it for them."""
    most = 100
    port = await start(Answering(), dataclasses.replace(SHORT, header_s=60, unfinished_heads=most))
    slow = []

    async def come() -> None:
        slow.append(await asyncio.open_connection("127.0.0.1", port))
        slow[-1][1].write(b"GET /a")

    for _ in range(most):
        await come()
    first = asyncio.ensure_future(slow[0][0].read(-1))
    async with asyncio.timeout(30):
        while not first.done():
            await come()
            await asyncio.wait({first}, timeout=0.05)
        (told,) = await asyncio.gather(first, return_exceptions=True)
        slow[-1][1].write(b" HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        assert status_of(await slow[-1][0].read(-1)) == 200
        assert status_of(await exchange(port, LAST)) == 200
    assert told == b"" or isinstance(told, ConnectionResetError)
    for _, writer in slow:
        writer.close()


async def test_of_many_slow_heads_only_the_last_are_told(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lobby, "TOLD_AMONG", 2)
    port = await start(Answering())
    ends = await asyncio.gather(*[exchange(port, b"GET /a HTTP/1.1\r\n") for _ in range(5)])
    assert [status_of(end) for end in ends if end] == [408, 408]


@pytest.mark.parametrize("request_bytes", [GET, LAST], ids=["keep", "close"])
async def test_a_client_that_takes_nothing_holds_no_handler(start: Start, request_bytes: bytes) -> None:
    app = Answering(LARGE)
    port = await start(app)
    await take_nothing(port, request_bytes)
    async with asyncio.timeout(10):
        await app.idle.wait()


async def test_a_client_that_only_reads_slowly_gets_everything(start: Start) -> None:
    port = await start(Answering(LARGE), dataclasses.replace(SHORT, write_bytes_per_s=1))
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**16)
    writer.write(LAST)
    size = 0
    async with asyncio.timeout(60):
        while data := await reader.read(2**16):
            size += len(data)
            await asyncio.sleep(0.01)
    assert size > len(LARGE)
    writer.close()


async def test_another_loop_is_refused() -> None:
    """The tests run on uvloop themselves; another loop needs a thread of its own."""
    told: list[BaseException] = []

    def run() -> None:
        async def begin() -> None:
            await HttpServer(Answering(), "127.0.0.1", 0, render=small_json).start()

        try:
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(begin())
        except RuntimeError as failure:
            told.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    await asyncio.to_thread(thread.join)
    assert "uvloop" in str(told)
