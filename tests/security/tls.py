"""Upstreams with TLS that nobody may trust, each on a free loopback port."""

import asyncio
import datetime
import functools
import ssl
import tempfile
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.security.echo import whole

KINDS = ("self-signed", "expired", "another name", "TLS 1.1", "no TLS at all")
PLAIN = {
    # What a server of that age says to whom it can't speak with: a fatal alert, "protocol version".
    "TLS 1.1": b"\x15\x03\x02\x00\x02\x02\x46",
    "no TLS at all": whole("reached"),
}
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


class Distrusted:
    """`reached` counts the requests that got through: there must be none."""

    def __init__(self, kind: str) -> None:
        self.reached = 0
        self.port = 0
        self._kind = kind
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True).start()
        self._ready.wait(10)

    async def _run(self) -> None:
        tls = None if self._kind in PLAIN else context(self._kind)
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await server.serve_forever()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (await reader.read(65_536)).startswith(b"POST"):
            self.reached += 1
        writer.write(PLAIN.get(self._kind, whole("reached")))
        writer.close()


def context(kind: str) -> ssl.SSLContext:
    """A server's side, with a certificate of its own making."""
    name = "elsewhere.example.com" if kind == "another name" else "localhost"
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    ends = NOW - DAY if kind == "expired" else NOW + DAY
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 2 * DAY)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = Path(tempfile.mkdtemp(prefix="oneapi-tls-")) / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(file)
    return made


@functools.cache
def distrusted(kind: str) -> Distrusted:
    return Distrusted(kind)
