"""The client of those who are not on the hot path: one server, used again while it keeps to the rules."""

import asyncio

import httpx2
import pytest

from oneapi.runtime.egress.addresses import EgressRefused, Place, check_url
from oneapi.runtime.egress.client import ServerTransport, make_client
from oneapi.runtime.egress.dial import Dialer
from oneapi.runtime.egress.wire import WireBackend
from tests.integration.own_nats import until
from tests.upstream.raw import Asked, RawServer

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def client(url: str, *, limit_s: float = 10.0) -> httpx2.AsyncClient:
    dialer = Dialer(allow_private=True)
    transport = ServerTransport(check_url(url, True), dialer, max_bytes=1_000, limit_s=limit_s, connect_s=5.0)
    return make_client(transport, headers={"x-a": "b"}, silence_s=10.0)


async def test_a_connection_is_used_again() -> None:
    async with RawServer(lambda asked: asked.say(FINE)) as server, client(server.url()) as http:
        for _ in range(3):
            assert (await http.post(server.url() + "/x?y=z", content=b"abc")).content == b"{}"
        assert server.connections == 1
        head = server.asked[0].head
        assert head.startswith(b"POST /x?y=z HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % server.port)
        assert b"accept-encoding: identity" in head.lower()
        assert b"user-agent: one-api" in head.lower()
        assert server.asked[0].body == b"abc"


async def test_no_other_server_is_reached() -> None:
    async with RawServer(lambda asked: asked.say(FINE)) as other, client("http://127.0.0.1:1/") as http:
        for url in (other.url(), "http://127.0.0.1/", "https://127.0.0.1:1/", "http://localhost:1/"):
            with pytest.raises(EgressRefused):
                await http.get(url)
        assert not other.connections


async def test_a_connection_that_speaks_unasked_is_of_no_use() -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(FINE)

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    place = Place("127.0.0.1", server.sockets[0].getsockname()[1], False, True)
    stream = await WireBackend(place, Dialer(allow_private=True), 5.0).connect_tcp("elsewhere.example", 1)
    await until(lambda: bool(stream.get_extra_info("is_readable")))
    assert await stream.read(65_536) == FINE
    assert not stream.get_extra_info("is_readable")
    server.close()
    await stream.aclose()
    assert stream.get_extra_info("is_readable")


async def test_an_answer_that_drips_is_ended() -> None:
    async def play(asked: Asked) -> None:
        await asked.say(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
        while not asked.writer.is_closing():
            await asked.say(b"x")
            await asyncio.sleep(0.02)

    async with RawServer(play) as server, client(server.url(), limit_s=0.3) as http:
        with pytest.raises(TimeoutError):
            await http.get(server.url())


async def test_a_server_that_nobody_runs() -> None:
    async with RawServer(lambda asked: asked.say(FINE)) as server:
        url = server.url()
    async with client(url) as http:
        with pytest.raises(ConnectionRefusedError):
            await http.get(url)


def test_headers_that_cannot_be_sent() -> None:
    dialer = Dialer(allow_private=True)
    transport = ServerTransport(check_url("http://127.0.0.1/", True), dialer, max_bytes=1, limit_s=1.0, connect_s=1.0)
    for headers in ({"x": "a\r\nb: c"}, {"a b": "c"}, {"x": "\0"}, {"x": "\u20ac"}):
        with pytest.raises(ValueError, match=r"."):
            make_client(transport, headers=headers, silence_s=1.0)
