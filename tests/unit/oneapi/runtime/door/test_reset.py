import asyncio

import pytest

from oneapi.runtime.door.reset import reset


async def test_the_client_sees_a_reset_and_not_an_end() -> None:
    made: list[asyncio.Transport] = []

    class Server(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            made.append(transport)
            transport.write(b"x" * 50_000_000)
            reset(transport)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    with pytest.raises(ConnectionResetError):
        while await reader.read(65_536):
            pass
    writer.close()
    server.close()
    assert made
