"""What a test has left open does not stop the others."""

import asyncio
import sys
import warnings

from tests.integration.on_uvloop import Loop


def test_what_is_left_open_is_closed_with_a_warning() -> None:
    async def leave_open() -> None:
        await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        await asyncio.create_subprocess_exec(sys.executable, "-c", "", stdin=asyncio.subprocess.PIPE)

    loop = Loop()
    loop.run_until_complete(leave_open())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("error")
        loop.close()
    assert loop.is_closed()
    assert {type(warning.message) for warning in told} == {ResourceWarning}
    assert any("TCPServer" in str(warning.message) for warning in told)
