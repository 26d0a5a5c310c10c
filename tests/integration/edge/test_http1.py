"""The client that calls providers, against servers that keep to HTTP and servers that don't."""

import asyncio
import datetime
import inspect
import ipaddress
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from oneapi.catalog.types import Channel, ChannelLimits
from oneapi.runtime.egress.addresses import EgressRefused, Place
from oneapi.runtime.egress.dial import Dialer, dial
from oneapi.runtime.egress.names import Names
from oneapi.runtime.sealing import Sealer
from services.edge.upstream.answer import Answer
from services.edge.upstream.caller import Call, HttpCaller
from services.edge.upstream.failures import Kind, UpstreamFailure
from services.edge.upstream.http1_pool import Pool
from services.edge.upstream.target import Targets
from tests.integration.on_uvloop import Loop
from tests.upstream.raw import Asked, RawServer

SEALER = Sealer("k" * 40)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nT: t\r\n\r\n"


async def fine(asked: Asked) -> None:
    await asked.say(OK)


class Client:
    """A caller with one channel."""

    def __init__(self, *, allow_private: bool = True, tls: ssl.SSLContext | None = None) -> None:
        self.targets = Targets(SEALER, allow_private=allow_private)
        self.caller = HttpCaller(Pool(Dialer(allow_private=allow_private, trusted=tls)), self.targets)

    async def call(self, base_url: str, body: bytes = b"{}", **limits: Any) -> Answer:
        channel = Channel(
            id="ch_1",
            name="c",
            provider="openai-compatible",
            base_url=base_url,
            models=("m",),
            api_key_sealed=SEALER.seal("sk-x", bound_to="channel/ch_1/api_key"),
            limits=ChannelLimits(**limits),
        )
        call = Call("openai_chat", "m", body, False, (("openai-beta", "a"),), "", "r")
        async with asyncio.timeout(20):
            return await self.caller.call(self.targets.find(channel), call)

    async def ask(self, base_url: str, body: bytes = b"{}", **limits: Any) -> tuple[int, bytes]:
        answer = await self.call(base_url, body, **limits)
        async with asyncio.timeout(20):
            return answer.status, await answer.read_whole()


def on_each_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs the test on asyncio's own loop, and on uvloop, as the edge does: their transports are not the same."""

    async def run(client: Client, given: dict[str, Any]) -> None:
        try:
            await test(**given)
        finally:
            client.caller.close()
            await asyncio.sleep(0)

    def on_loop(loop: Callable[[], asyncio.AbstractEventLoop], client: Client, **given: Any) -> None:
        needed = given | ({"client": client} if "client" in inspect.signature(test).parameters else {})
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(run(client, needed))

    names = ["loop", "client", *(name for name in inspect.signature(test).parameters if name != "client")]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    marks = list(getattr(test, "pytestmark", []))
    on_loop.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
    on_loop.pytestmark = [  # type: ignore[attr-defined]
        *marks,
        pytest.mark.parametrize("loop", [asyncio.new_event_loop, Loop], ids=["asyncio", "uvloop"]).mark,
    ]
    return on_loop


@pytest.fixture
def client() -> Client:
    return Client()


async def failure(client: Client, base_url: str, **limits: Any) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as caught:
        await client.ask(base_url, **limits)
    return caught.value


@on_each_loop
async def test_what_a_server_sees(client: Client) -> None:
    async with RawServer(fine) as server:
        assert await client.ask(server.url() + "/v1", b'{"a": 1}') == (200, b"ok")
        lines = server.asked[0].head.decode().split("\r\n")
        assert lines[0] == "POST /v1/chat/completions HTTP/1.1"
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        assert headers == {
            "host": f"127.0.0.1:{server.port}",
            "authorization": "bearer sk-x",
            "content-type": "application/json",
            "content-length": "8",
            "accept-encoding": "identity",
            "user-agent": "one-api",
            "openai-beta": "a",
        }
        assert server.asked[0].body == b'{"a": 1}'


@on_each_loop
async def test_connections_are_used_again(client: Client) -> None:
    async with RawServer(lambda asked: asked.say(CHUNKED if asked.turn % 2 else OK)) as server:
        for _ in range(5):
            assert await client.ask(server.url()) == (200, b"ok")
        assert server.connections == 1
        assert {asked for asked, _ in await asyncio.gather(*(client.ask(server.url()) for _ in range(10)))} == {200}
        assert server.connections == 10


@pytest.mark.parametrize("message", [OK, CHUNKED])
@on_each_loop
async def test_answers_byte_by_byte(client: Client, message: bytes) -> None:
    async with RawServer(lambda asked: asked.say(*(bytes([byte]) for byte in message))) as server:
        assert await client.ask(server.url()) == (200, b"ok")
        assert await client.ask(server.url()) == (200, b"ok")


@on_each_loop
async def test_interim_heads_and_bodies_without_an_end(client: Client) -> None:
    async def play(asked: Asked) -> None:
        await asked.say(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"to the", b" end")
        asked.writer.close()

    async with RawServer(play) as server:
        assert await client.ask(server.url()) == (200, b"to the end")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"", Kind.CONNECT_FAILED),
        (b"HTTP/1.1 200 OK\r\nContent-", Kind.SERVER_ERROR),
        (OK[:-1], Kind.SERVER_ERROR),
        (CHUNKED[:-3], Kind.SERVER_ERROR),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Kind.SERVER_ERROR),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000, Kind.SERVER_ERROR),
    ],
)
@on_each_loop
async def test_answers_that_are_none(client: Client, said: bytes, kind: Kind) -> None:
    async def play(asked: Asked) -> None:
        await asked.say(said)
        asked.cut() if not said else asked.writer.close()

    async with RawServer(play) as server:
        found = await failure(client, server.url())
        assert (found.kind, found.broken) == (kind, False)


@on_each_loop
async def test_silence(client: Client) -> None:
    async def play(asked: Asked) -> None:
        await asked.say(OK[: asked.turn] if b"silent" not in asked.body else OK[:-1])
        await asked.gone()

    async with RawServer(play) as server:
        assert (await failure(client, server.url(), first_byte_timeout_s=0.2)).kind is Kind.TIMEOUT
        with pytest.raises(UpstreamFailure) as caught:
            await client.ask(server.url(), b"silent", idle_timeout_s=0.2)
        assert caught.value.kind is Kind.TIMEOUT


@on_each_loop
async def test_a_kept_connection_that_was_closed_meanwhile(client: Client) -> None:
    async def play(asked: Asked) -> None:
        if asked.turn == 0:
            await asked.say(OK)
        else:
            asked.cut()

    async with RawServer(play) as server:
        await asyncio.gather(*(client.ask(server.url()) for _ in range(3)))
        found = await failure(client, server.url())
        assert (found.kind, found.broken) == (Kind.CONNECT_FAILED, True)
        # Its likes are not used any more, so the next try is sure to be on a new one.
        assert await client.ask(server.url()) == (200, b"ok")
        assert server.connections == 4


@on_each_loop
async def test_a_closed_connection_is_forgotten(client: Client) -> None:
    closed = asyncio.Event()

    async def play(asked: Asked) -> None:
        await asked.say(OK)
        asked.writer.close()
        await asked.writer.wait_closed()
        closed.set()

    async with RawServer(play) as server:
        for number in range(1, 4):
            assert await client.ask(server.url()) == (200, b"ok")
            await asyncio.wait_for(closed.wait(), 5)
            closed.clear()
            assert server.connections == number


@on_each_loop
async def test_closing_is_seen_at_once(client: Client) -> None:
    gone = asyncio.Event()

    async def play(asked: Asked) -> None:
        await asked.say(CHUNKED[:-5])
        await asked.gone()
        gone.set()

    async with RawServer(play) as server:
        answer = await client.call(server.url())
        assert await answer.read() == b"ok"
        answer.close()
        await asyncio.wait_for(gone.wait(), 5)
        calling = asyncio.ensure_future((await client.call(server.url())).read_whole())
        await asyncio.sleep(0)
        calling.cancel()


@on_each_loop
async def test_a_cancelled_call_ends_its_connection(client: Client) -> None:
    asked_for, gone = asyncio.Event(), asyncio.Event()

    async def play(asked: Asked) -> None:
        asked_for.set()
        await asked.gone()
        gone.set()

    async with RawServer(play) as server:
        calling = asyncio.ensure_future(client.ask(server.url()))
        await asyncio.wait_for(asked_for.wait(), 5)
        calling.cancel()
        await asyncio.wait_for(gone.wait(), 5)


@on_each_loop
async def test_large_bodies_and_early_answers(client: Client) -> None:
    body = b"x" * 8_000_000
    async with RawServer(lambda asked: asked.say(OK)) as server:
        assert await client.ask(server.url(), body) == (200, b"ok")
        assert server.asked[0].body == body

    async def early(asked: Asked) -> None:
        await asked.say(b"HTTP/1.1 413 Too large\r\nContent-Length: 2\r\n\r\n{}")
        await asked.gone()

    async with RawServer(early, reads_bodies=False) as server:
        assert await client.ask(server.url(), body) == (413, b"{}")


@on_each_loop
async def test_redirects_are_not_followed(client: Client) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    async with RawServer(lambda asked: asked.say(moved)) as server:
        assert await client.ask(server.url()) == (302, b"")
        assert len(server.asked) == 1


# Addresses


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "localhost"])
@on_each_loop
async def test_addresses_that_are_not_allowed(host: str) -> None:
    client = Client(allow_private=False)
    assert (await failure(client, f"https://{host}/v1")).kind is Kind.UNAUTHORIZED


@on_each_loop
async def test_a_name_that_leads_inside() -> None:
    for _ in range(2):
        with pytest.raises(EgressRefused):
            await Names(allow_private=False).addresses(Place("localhost", 443, True, False))
    with pytest.raises(EgressRefused):
        await Names(allow_private=False).addresses(Place("10.0.0.1", 443, True, True))
    names = Names(allow_private=True)
    found = await asyncio.gather(*(names.addresses(Place("localhost", 443, True, False)) for _ in range(3)))
    assert "127.0.0.1" in found[0]


@on_each_loop
async def test_nobody_listens(client: Client) -> None:
    async with RawServer(fine) as server:
        url = server.url()
    assert (await failure(client, url)).kind is Kind.CONNECT_FAILED


@on_each_loop
async def test_the_first_address_that_answers() -> None:
    async with RawServer(fine) as server:
        sock = await dial(["127.0.0.2", "::1", "127.0.0.1"], server.port)
        assert sock.getpeername()[0] in {"127.0.0.1", "127.0.0.2"}
        sock.close()
    with pytest.raises(ConnectionRefusedError):
        await dial(["127.0.0.1", "127.0.0.2"], server.port)


# TLS


def _certificate(folder: Path, name: str, host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a self-signed certificate for a host, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    try:
        general: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        general = x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([general]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain = folder / f"{name}.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(secret + made.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    return server, ssl.create_default_context(cadata=made.public_bytes(pem).decode())


@on_each_loop
async def test_tls(tmp_path: Path) -> None:
    server_tls, client_tls = _certificate(tmp_path, "right", "localhost")
    names: list[str | None] = []
    server_tls.sni_callback = lambda _sock, name, _context: names.append(name)
    client = Client(tls=client_tls)
    async with RawServer(lambda asked: asked.say(*(bytes([byte]) for byte in CHUNKED)), tls=server_tls) as server:
        for _ in range(2):
            assert await client.ask(server.url("localhost")) == (200, b"ok")
        assert (server.connections, names) == (1, ["localhost"])
        # The certificate is for the name, not for the address.
        assert (await failure(client, server.url("127.0.0.1"))).kind is Kind.CONNECT_FAILED
    client.caller.close()


@on_each_loop
async def test_tls_with_a_large_body_and_an_address(tmp_path: Path) -> None:
    server_tls, client_tls = _certificate(tmp_path, "address", "127.0.0.1")
    client = Client(tls=client_tls)
    async with RawServer(fine, tls=server_tls) as server:
        assert await client.ask(server.url(), b"x" * 3_000_000) == (200, b"ok")
        assert len(server.asked[0].body) == 3_000_000
    client.caller.close()


@on_each_loop
async def test_a_server_that_nobody_vouches_for(tmp_path: Path) -> None:
    server_tls, _ = _certificate(tmp_path, "unknown", "localhost")
    client = Client()
    async with RawServer(fine, tls=server_tls) as server:
        assert (await failure(client, server.url("localhost"))).kind is Kind.CONNECT_FAILED
        assert not server.asked


@on_each_loop
async def test_a_server_that_never_shakes_hands(client: Client) -> None:
    began = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        began.set()
        await reader.read(-1)
        writer.close()

    silent = await asyncio.start_server(accept, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    assert (await failure(client, url, connect_timeout_s=0.2)).kind is Kind.CONNECT_FAILED
    async with asyncio.timeout(10):
        await began.wait()
    silent.close()
