import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from oneapi.runtime.door.cycle import Cycle


class Line:
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def made(line: Line, method: str = "POST", keep_alive: bool = True) -> RequestResponseCycle:
    transport: Any = line
    cycle = RequestResponseCycle(
        scope={"method": method},  # type: ignore[typeddict-item]  # nothing else of it is read
        transport=transport,
        flow=FlowControl(transport),
        logger=logging.getLogger(),
        access_logger=logging.getLogger(),
        access_log=False,
        default_headers=[(b"date", b"now")],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keep_alive,
        on_response=lambda: None,
    )
    cycle.__class__ = Cycle
    return cycle


def head(*headers: tuple[bytes, bytes], status: int = 200) -> Any:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(data: bytes, *, more: bool = False) -> Any:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def test_a_whole_answer_is_one_write() -> None:
    line = Line()
    cycle = made(line)
    await cycle.send(head((b"Content-Length", b"2")))
    await cycle.send(body(b"ok"))
    await asyncio.sleep(0)
    assert line.written == [b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 2\r\n\r\nok"]
    assert cycle.response_complete
    assert not line.closed


async def test_a_head_does_not_wait_for_its_body() -> None:
    line = Line()
    cycle = made(line)
    await cycle.send(head())
    assert not line.written
    await asyncio.sleep(0)
    assert line.written == [b"HTTP/1.1 200 OK\r\ndate: now\r\ntransfer-encoding: chunked\r\n\r\n"]
    await cycle.send(body(b"0123456789abcdef", more=True))
    await cycle.send(body(b"", more=True))
    await cycle.send(body(b"x"))
    assert line.written[1:] == [b"10\r\n0123456789abcdef\r\n", b"1\r\nx\r\n0\r\n\r\n"]


async def test_the_first_piece_of_a_stream_travels_with_the_head() -> None:
    line = Line()
    cycle = made(line, keep_alive=False)
    await cycle.send(head())
    await cycle.send(body(b"a", more=True))
    await cycle.send(body(b""))
    assert line.written == [
        b"HTTP/1.1 200 OK\r\ndate: now\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n",
        b"0\r\n\r\n",
    ]
    assert line.closed


async def test_answers_without_a_body() -> None:
    for method, status in (("HEAD", 200), ("POST", 204)):
        line = Line()
        cycle = made(line, method)
        await cycle.send(head(status=status))
        await cycle.send(body(b""))
        assert [data.partition(b"\r\n\r\n")[2] for data in line.written] == [b""]
        assert cycle.response_complete


@pytest.mark.parametrize("header", [(b"a", b"x\r\nb: y"), (b"a\n", b"x"), (b"a", b"x\0"), (b"a", b"\r")])
async def test_a_header_that_would_be_two(header: tuple[bytes, bytes]) -> None:
    line = Line()
    cycle = made(line)
    with pytest.raises(RuntimeError, match="header"):
        await cycle.send(head(header))
    assert not cycle.response_started
    await asyncio.sleep(0)
    assert not line.written


@pytest.mark.parametrize("said", [b"", b"abc"])
async def test_a_body_that_is_not_as_long_as_said(said: bytes) -> None:
    cycle = made(Line())
    await cycle.send(head((b"content-length", b"2")))
    with pytest.raises(RuntimeError, match="body"):
        await cycle.send(body(said))


async def test_nothing_is_sent_out_of_order_or_to_nobody() -> None:
    line = Line()
    cycle = made(line)
    with pytest.raises(RuntimeError, match="before the head"):
        await cycle.send(body(b""))
    cycle.disconnected = True
    await cycle.send(head())
    await cycle.send(body(b""))
    await asyncio.sleep(0)
    assert not line.written
    cycle = made(line)
    await cycle.send(head((b"connection", b"close"), (b"content-length", b"0")))
    await cycle.send(body(b""))
    assert line.closed
    with pytest.raises(RuntimeError, match="after the end"):
        await cycle.send(body(b""))


async def test_nothing_is_written_on_a_connection_that_is_closing() -> None:
    line = Line()
    cycle = made(line)
    line.close()
    await cycle.send(head())
    await cycle.send(body(b"x"))
    await asyncio.sleep(0)
    assert not line.written
    assert cycle.disconnected
