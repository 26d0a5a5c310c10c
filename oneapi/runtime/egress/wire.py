"""Lets an HTTP library talk through connections that are made here.

It decides that the library reaches the one server it was made for, whatever it asks for, and how much it reads of a
head. It must not know HTTP beyond that a request is written before its answer is read.
"""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2

from oneapi.runtime.egress.addresses import Place
from oneapi.runtime.egress.dial import Dialer

MAX_HEAD_BYTES = 64 * 1024
READ_AHEAD_BYTES = 64 * 1024


class WireBackend(httpcore2.AsyncNetworkBackend):
    """Connects to one place, with TLS where it has that. The library gets no say in where a connection goes."""

    def __init__(self, place: Place, dialer: Dialer, limit_s: float) -> None:
        self._place = place
        self._dialer = dialer
        self._limit_s = limit_s

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to the place. Raises what `Dialer.connect` raises."""
        del host, port, timeout, local_address, socket_options
        reader = asyncio.StreamReader(READ_AHEAD_BYTES)
        protocol = await self._dialer.connect(self._place, lambda: _Protocol(reader), self._limit_s)
        return WireStream(reader, protocol)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """No upstream is a file."""
        raise NotImplementedError


class _Protocol(asyncio.StreamReaderProtocol):
    """asyncio's own, which also keeps its transport, and counts what was not read yet."""

    transport: asyncio.Transport
    unread = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport = transport  # type: ignore[assignment]  # always a stream's

    def data_received(self, data: bytes) -> None:
        self.unread += len(data)
        super().data_received(data)


class WireStream(httpcore2.AsyncNetworkStream):
    """One connection. Until `head_is_here` it reads no more than a head may have."""

    def __init__(self, reader: asyncio.StreamReader, protocol: _Protocol) -> None:
        self._reader = reader
        self._protocol = protocol
        self._writer = asyncio.StreamWriter(protocol.transport, protocol, reader, asyncio.get_running_loop())
        self._heard = 0

    def head_is_here(self) -> None:
        """The answer's head is complete: what comes now is its body."""
        self._heard = -1

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What comes next, b"" at the end. Raises httpcore's errors."""
        if self._heard > MAX_HEAD_BYTES:
            raise httpcore2.RemoteProtocolError("a head too large")
        try:
            async with asyncio.timeout(timeout):
                data = await self._reader.read(max_bytes)
        except TimeoutError as failure:
            raise httpcore2.ReadTimeout("silence") from failure
        except OSError as failure:
            raise httpcore2.ReadError(type(failure).__name__) from failure
        self._protocol.unread -= len(data)
        if self._heard >= 0:
            self._heard += len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Sends a part of a request. Raises httpcore's errors."""
        self._heard = 0
        try:
            async with asyncio.timeout(timeout):
                self._writer.write(buffer)
                await self._writer.drain()
        except TimeoutError as failure:
            raise httpcore2.WriteTimeout("silence") from failure
        except OSError as failure:
            raise httpcore2.WriteError(type(failure).__name__) from failure

    async def aclose(self) -> None:
        """Ends the connection at once."""
        self._writer.transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """A connection is made with its TLS, or has none."""
        raise NotImplementedError

    def get_extra_info(self, info: str) -> Any:
        """Only whether an idle connection has anything to say: it would be taken for the next request's answer."""
        if info != "is_readable":
            return None
        return self._protocol.unread > 0 or self._reader.at_eof() or self._writer.is_closing()
