import asyncio
from typing import Any, cast

import pytest

from oneapi.runtime.egress.addresses import Place
from services.edge.upstream import http1_connection
from services.edge.upstream.answer import HttpAnswer
from services.edge.upstream.failures import Kind, UpstreamFailure
from services.edge.upstream.http1_connection import MAX_HEAD_BYTES, PIECE_BYTES, READ_AHEAD_BYTES, Connection

HERE = Place("127.0.0.1", 80, False, True)
HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = HEAD + b"Content-Type: application/json\r\nContent-Length: 11\r\n\r\nhello world"
CHUNKED = (
    HEAD + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'5;name="v;x"\r\nhello\r\n1\r\n \r\n05\r\nworld\r\n0\r\nX-Trailer: t\r\n\r\n'
)
UNTIL_CLOSE = HEAD + b"Content-Type: text/plain\r\n\r\nhello world"


class Line:
    """An in-memory transport."""

    def __init__(self, connection: Connection) -> None:
        self.written: list[bytes] = []
        self.paused = self.aborted = self.closed = False
        self.ended = asyncio.Event()
        self._connection = connection
        connection.connection_made(cast(Any, self))

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def abort(self) -> None:
        self.aborted = True
        self.lose(None)

    def close(self) -> None:
        self.lose(None)

    def lose(self, why: Exception | None) -> None:
        if not self.closed:
            self.closed = True
            self.ended.set()
            self._connection.connection_lost(why)


class Shelf:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.kept: list[Connection] = []

    def free(self, connection: Connection) -> bool:
        self.kept.append(connection)
        return True

    def lost(self, connection: Connection) -> None:
        if connection in self.kept:
            self.kept.remove(connection)


class Talk:
    """One connection with everything around it."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        self.connection = Connection(asyncio.get_running_loop(), self.shelf, HERE)
        self.line = Line(self.connection)

    def ask(self, body: bytes = b"{}", first_byte_s: float = 60, idle_s: float = 60) -> HttpAnswer:
        answer = HttpAnswer(self.connection)
        self.connection.ask(answer, b"POST / HTTP/1.1\r\n\r\n", body, first_byte_s, idle_s)
        return answer

    def hear(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.connection.data_received(piece)


async def failure_of(answer: HttpAnswer) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as caught:
        await answer.head()
        while await answer.read():
            pass
    return caught.value


@pytest.mark.parametrize("message", [LENGTH, CHUNKED])
async def test_an_answer_may_be_cut_anywhere(message: bytes) -> None:
    for size in range(1, len(message) + 1):
        talk = Talk()
        answer = talk.ask()
        talk.hear(*(message[at : at + size] for at in range(0, len(message), size)))
        await answer.head()
        assert answer.status == 200
        assert await answer.read_whole() == b"hello world"
        assert await answer.read() == b""
        assert talk.shelf.kept == [talk.connection]
        assert talk.line.written == [b"POST / HTTP/1.1\r\n\r\n{}"]


async def test_a_reader_waits_for_what_comes() -> None:
    talk = Talk()
    answer = talk.ask()
    reading = asyncio.ensure_future(answer.head())
    await asyncio.sleep(0)
    talk.hear(CHUNKED[:30])
    await asyncio.sleep(0)
    assert not reading.done()
    end_of_head = CHUNKED.index(b"\r\n\r\n") + 4
    talk.hear(CHUNKED[30:end_of_head])
    await reading
    pieces = []
    for byte in CHUNKED[end_of_head:]:
        piece = asyncio.ensure_future(answer.read())
        await asyncio.sleep(0)
        talk.hear(bytes([byte]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if piece.done():
            pieces.append(piece.result())
        else:
            piece.cancel()
    assert b"".join(pieces) == b"hello world"


async def test_a_connection_serves_again() -> None:
    talk = Talk()
    for message in (LENGTH, CHUNKED, LENGTH, HEAD + b"Content-Length: 0\r\n\r\n", b"HTTP/1.1 204 No\r\n\r\n"):
        answer = talk.ask()
        talk.hear(message)
        await answer.head()
        assert len(await answer.read_whole()) == (11 if b"world" in message else 0)
        assert talk.shelf.kept.pop() is talk.connection


@pytest.mark.parametrize(
    "message",
    [
        HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        HEAD + b"Content-Length: 2\r\n\r\nhi" + LENGTH,
        HEAD + b"Content-Length: 2\r\n\r\nhi garbage",
    ],
)
async def test_a_connection_that_must_not_serve_again(message: bytes) -> None:
    talk = Talk()
    answer = talk.ask()
    talk.hear(message)
    await answer.head()
    assert await answer.read_whole() == b"hi"
    assert talk.line.closed
    assert not talk.shelf.kept


async def test_words_without_a_question_end_a_connection() -> None:
    talk = Talk()
    talk.ask()
    talk.hear(LENGTH)
    talk.hear(b"HTTP/1.1 200 OK\r\n")
    assert talk.line.aborted
    assert not talk.shelf.kept


async def test_heads_that_come_before_the_answer() -> None:
    talk = Talk()
    answer = talk.ask()
    talk.hear(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Type: no\r\nLink: x\r\n\r\n" + LENGTH)
    await answer.head()
    assert (answer.status, answer.content_type, answer.length) == (200, "application/json", 11)
    assert await answer.read_whole() == b"hello world"
    assert talk.shelf.kept


async def test_a_body_that_ends_with_its_connection() -> None:
    talk = Talk()
    answer = talk.ask()
    talk.hear(UNTIL_CLOSE)
    await answer.head()
    assert await answer.read() == b"hello world"
    talk.line.lose(None)
    assert await answer.read() == b""
    cut = Talk()
    answer = cut.ask()
    cut.hear(UNTIL_CLOSE)
    cut.line.lose(ConnectionResetError())
    assert (await failure_of(answer)).kind is Kind.SERVER_ERROR


@pytest.mark.parametrize(
    "message",
    [
        b"\x16\x03\x01 no HTTP",
        b"HTTP/1.1 two OK\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        HEAD + b"Content-Length: -5\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello!!\r\n",
        HEAD + b"A: b\r\n folded: c\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        HEAD + b"X: y\r\n" * 101 + b"\r\n",
        HEAD + b"X: " + b"y" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n",
        HEAD + b"X: " + b"y" * (MAX_HEAD_BYTES + 1),
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3000,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 101,
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
async def test_what_is_no_answer(message: bytes, at_once: bool) -> None:
    talk = Talk()
    answer = talk.ask()
    pieces = [message] if at_once else [message[at : at + 1000] for at in range(0, len(message), 1000)]
    for piece in pieces:
        if not talk.line.closed:
            talk.hear(piece)
    failure = await failure_of(answer)
    assert (failure.kind, failure.broken) == (Kind.SERVER_ERROR, False)
    assert talk.line.aborted
    assert not talk.shelf.kept


@pytest.mark.parametrize("reused", [True, False])
async def test_an_end_before_any_answer(reused: bool) -> None:
    talk = Talk()
    talk.connection.reused = reused
    answer = talk.ask()
    talk.line.lose(ConnectionResetError() if reused else None)
    failure = await failure_of(answer)
    assert (failure.kind, failure.broken) == (Kind.CONNECT_FAILED, reused)


@pytest.mark.parametrize("heard", [HEAD, LENGTH[:-1], CHUNKED[:-2], b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_an_end_in_the_middle(heard: bytes) -> None:
    talk = Talk()
    talk.connection.reused = True
    answer = talk.ask()
    talk.hear(heard)
    talk.line.lose(None)
    failure = await failure_of(answer)
    assert (failure.kind, failure.broken) == (Kind.SERVER_ERROR, False)


async def test_what_came_before_the_end_is_read_first() -> None:
    talk = Talk()
    answer = talk.ask()
    talk.hear(LENGTH[:-1])
    talk.line.lose(None)
    assert await answer.read() == b"hello worl"
    assert (await failure_of(answer)).status == 200


async def test_a_slow_reader_is_waited_for() -> None:
    talk = Talk()
    answer = talk.ask()
    talk.hear(UNTIL_CLOSE)
    piece = b"x" * 100_000
    for _ in range(READ_AHEAD_BYTES // len(piece) + 1):
        assert not talk.line.paused
        talk.hear(piece)
    assert talk.line.paused
    assert len(await answer.read()) > READ_AHEAD_BYTES
    assert not talk.line.paused


async def test_a_body_larger_than_what_is_taken() -> None:
    talk = Talk()
    answer = talk.ask()
    talk.hear(HEAD + b"Content-Length: 101\r\n\r\n")
    with pytest.raises(UpstreamFailure):
        await answer.read_whole(limit=100)
    talk = Talk()
    answer = talk.ask()
    talk.hear(UNTIL_CLOSE)
    with pytest.raises(UpstreamFailure):
        await answer.read_whole(limit=10)


async def test_closing_ends_the_connection_at_once() -> None:
    talk = Talk()
    answer = talk.ask()
    talk.hear(CHUNKED[:-20])
    answer.close()
    answer.close()
    assert talk.line.aborted
    assert await answer.read() == b""


async def test_closing_a_whole_answer_leaves_its_connection_alone() -> None:
    talk = Talk()
    answer = talk.ask()
    talk.hear(LENGTH)
    answer.close()
    assert not talk.line.closed
    assert talk.shelf.kept


async def test_finish_waits_for_the_end() -> None:
    talk = Talk()
    answer = talk.ask()
    talk.hear(CHUNKED[:-5])
    finishing = asyncio.ensure_future(answer.finish())
    await asyncio.sleep(0)
    talk.hear(CHUNKED[-5:])
    await finishing
    assert talk.shelf.kept


async def test_retry_after_and_content_type() -> None:
    talk = Talk()
    answer = talk.ask()
    talk.hear(b"HTTP/1.1 429 No\r\nRETRY-AFTER: 7\r\ncontent-type: a/b\r\nContent-Type: c\r\nContent-Length: 0\r\n\r\n")
    await answer.head()
    assert (answer.status, answer.retry_after_s, answer.content_type) == (429, 7.0, "a/b")


async def test_a_large_body_is_written_in_pieces() -> None:
    talk = Talk()
    body = b"x" * (2 * PIECE_BYTES + 10)
    answer = talk.ask(body)
    uploading = asyncio.ensure_future(talk.connection.upload(answer, body))
    talk.connection.pause_writing()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [len(piece) - len(b"POST / HTTP/1.1\r\n\r\n") for piece in talk.line.written] == [PIECE_BYTES]
    talk.connection.resume_writing()
    await uploading
    assert b"".join(talk.line.written).endswith(body)
    talk.hear(LENGTH)
    assert talk.shelf.kept


async def test_an_early_answer_ends_the_writing() -> None:
    talk = Talk()
    body = b"x" * (2 * PIECE_BYTES)
    answer = talk.ask(body)
    talk.connection.pause_writing()
    uploading = asyncio.ensure_future(talk.connection.upload(answer, body))
    await asyncio.sleep(0)
    talk.hear(b"HTTP/1.1 413 Too large\r\nContent-Length: 2\r\n\r\n{}")
    await uploading
    await answer.head()
    assert (answer.status, await answer.read_whole()) == (413, b"{}")
    assert len(talk.line.written) == 1
    assert talk.line.closed


async def test_silence_is_a_time_out() -> None:
    talk = Talk()
    assert (await failure_of(talk.ask(first_byte_s=0.01))).kind is Kind.TIMEOUT
    assert talk.line.aborted
    for heard in (HEAD, CHUNKED[:-20]):
        talk = Talk()
        answer = talk.ask(first_byte_s=0.02, idle_s=0.01)
        talk.hear(heard)
        assert (await failure_of(answer)).kind is Kind.TIMEOUT


async def test_an_unused_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1_connection, "IDLE_CONNECTION_S", 0.01)
    talk = Talk()
    talk.ask()
    talk.hear(LENGTH)
    async with asyncio.timeout(5):
        await talk.line.ended.wait()
    assert not talk.shelf.kept
