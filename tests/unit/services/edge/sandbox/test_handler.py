import asyncio
import json
import time
from typing import Any

import pytest

from oneapi.runtime.door.protocol import CLIENT_KEY
from services.edge.arrival import Arrival, read_head
from services.edge.sandbox.handler import Sandbox

HOST = (b"host", b"gateway")


class Stalled:
    """A client that takes the head of an answer, and nothing more before its connection ends."""

    answered = True
    on_gone = None

    def __init__(self) -> None:
        self._ended = asyncio.Event()
        self.started = 0

    @property
    def gone(self) -> bool:
        return self._ended.is_set()

    def abort(self) -> None:
        self._ended.set()

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.started += 1
        else:
            await self._ended.wait()


async def ask(sandbox: Sandbox, client: Any, *, stream: bool) -> None:
    asked = {"model": "sandbox", "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    body = json.dumps(asked).encode()

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    head = read_head([HOST, (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())])
    arrival = Arrival("r", b"/sandbox/v1/chat/completions", head, "192.0.2.1", "http", time.perf_counter())
    await sandbox.serve(arrival, {"method": "POST", CLIENT_KEY: client}, receive, client.send)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_does_not_read_is_cut_and_its_place_is_free(
    stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.edge.sandbox.limits.PLACES", 1)
    sandbox = Sandbox(1024, reading_s=0.01)
    for _ in range(2):
        client = Stalled()
        async with asyncio.timeout(10):
            await ask(sandbox, client, stream=stream)
        assert client.gone
        assert client.started == 1
