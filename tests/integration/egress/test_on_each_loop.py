"""The same on asyncio's own loop and on uvloop, as the services run: their transports are not the same."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.egress.conftest import Make
from tests.integration.on_uvloop import Loop
from tests.upstream.certificates import Authority
from tests.upstream.raw import Asked, RawServer

LARGE = b'{"a":"' + b"x" * 3_000_000 + b'"}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, Loop], ids=["asyncio", "uvloop"])
def test_tls_and_large_answers(
    loop: Callable[[], asyncio.AbstractEventLoop], make: Make, authority: Authority, tmp_path: Path
) -> None:
    async def whole(asked: Asked) -> None:
        await asked.say(WHOLE)

    async def run() -> None:
        asking = make()
        for context in (None, authority.server("localhost")):
            async with RawServer(whole, tls=context) as server:
                for _ in range(2):
                    said = await asking.ask(server.url("localhost"))
                    assert asking.refused_tls not in said
                    assert asking.refused_address not in said
                assert server.asked
        async with RawServer(whole, tls=Authority(tmp_path, "unknown").server("localhost")) as server:
            assert asking.refused_tls in await asking.ask(server.url("localhost"))
            assert not server.asked
        # Closed transports get their last turn.
        await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())
