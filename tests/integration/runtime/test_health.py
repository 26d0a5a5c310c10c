"""The health listener, over a real socket."""

import asyncio
import json
import socket

import aiohttp
import pytest

from oneapi.runtime.door.answers import small_json
from oneapi.runtime.health import Readiness, serve
from oneapi.runtime.http_server import HttpServer


async def test_it_tells_life_from_readiness() -> None:
    readiness = Readiness("nats")
    server = serve(readiness, "127.0.0.1", 0)
    await server.start()
    base = f"http://127.0.0.1:{server.port}"
    async with aiohttp.ClientSession() as client:
        assert (await client.get(f"{base}/healthz")).status == 200
        answer = await client.get(f"{base}/readyz")
        assert answer.status == 503
        assert json.loads(await answer.read())["missing"] == {"nats": "starting"}
        readiness.set("nats", ok=True)
        assert (await client.get(f"{base}/readyz")).status == 200
        assert (await client.get(f"{base}/metrics")).status == 404
    await server.stop()
    await server.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(base.rpartition(":")[2]))


async def test_a_taken_port_is_an_error_and_not_the_end_of_the_process() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    with pytest.raises(OSError, match=r"cannot listen on 127\.0\.0\.1"):
        await serve(Readiness(), "127.0.0.1", port).start()
    taken.close()


async def test_a_stop_cuts_what_does_not_end() -> None:
    began, cut = asyncio.Event(), asyncio.Event()

    async def never(scope: object, receive: object, send: object) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    server = HttpServer(never, "127.0.0.1", 0, render=small_json)
    await server.start()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await began.wait()
    async with asyncio.timeout(5):
        await server.stop(limit_s=0.1)
    assert cut.is_set()
    writer.close()
