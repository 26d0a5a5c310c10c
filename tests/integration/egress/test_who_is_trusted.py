"""Servers that aren't who they should be, or can't prove it: nobody sends them anything."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oneapi.runtime.egress.dial import Dialer
from tests.integration.egress.callers import OK, Edge
from tests.integration.egress.conftest import Make
from tests.upstream.certificates import Authority
from tests.upstream.raw import Asked, RawServer

FINE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
BAD: dict[str, Callable[[Authority, Path], ssl.SSLContext]] = {
    "expired": lambda authority, _: authority.server("localhost", expired=True),
    "self-signed": lambda authority, _: authority.server("localhost", self_signed=True),
    "for another name": lambda authority, _: authority.server("other.example"),
    "for the address": lambda authority, _: authority.server("127.0.0.1"),
    "by an unknown authority": lambda _, folder: Authority(folder, "unknown").server("localhost"),
}


async def fine(asked: Asked) -> None:
    await asked.say(FINE)


@pytest.mark.parametrize("kind", BAD)
async def test_servers_that_are_not_trusted(make: Make, authority: Authority, tmp_path: Path, kind: str) -> None:
    async with RawServer(fine, tls=BAD[kind](authority, tmp_path)) as server:
        asking = make()
        assert asking.refused_tls in await asking.ask(server.url("localhost"))
        assert not server.asked


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)
        yield listening


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_servers_with_old_tls(
    make: Make, authority: Authority, listener: socket.socket, version: ssl.TLSVersion
) -> None:
    context = authority.old_server("localhost", version)

    def shake_hands() -> None:
        # Not asyncio's: it closes without the alert that other servers send.
        accepted, _ = listener.accept()
        with accepted, pytest.raises(ssl.SSLError):
            context.wrap_socket(accepted, server_side=True)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.to_thread(shake_hands))
        asking = make()
        assert asking.refused_tls in await asking.ask(f"https://localhost:{listener.getsockname()[1]}")


async def test_a_server_without_tls_is_not_asked_by_https(make: Make) -> None:
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65_536))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    asking = make()
    assert asking.refused_tls in await asking.ask(f"https://localhost:{server.sockets[0].getsockname()[1]}")
    assert not [hello for hello in heard if b"sk-ours" in hello]
    server.close()


async def test_a_server_that_is_trusted(make: Make, authority: Authority) -> None:
    names: list[str | None] = []
    context = authority.server("localhost")
    context.sni_callback = lambda _sock, name, _context: names.append(name)
    async with RawServer(fine, tls=context) as server:
        asking = make()
        assert asking.refused_tls not in await asking.ask(server.url("localhost"))
        assert server.asked
        assert set(names) == {"localhost"}
        assert b"sk-ours" in server.asked[0].head


async def test_a_literal_address_has_its_own_certificate(make: Make, authority: Authority) -> None:
    async with RawServer(fine, tls=authority.server("127.0.0.1")) as server:
        await make().ask(server.url())
        assert server.asked


async def test_the_systems_certificates_are_where_openssl_is_told(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with RawServer(fine, tls=authority.server("localhost")) as server:
        told = Authority.trusted.__globals__["tls"].make_context.__wrapped__()
        assert await Edge(Dialer(allow_private=True, trusted=told)).ask(server.url("localhost")) == OK
