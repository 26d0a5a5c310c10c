"""One DNS name with several addresses, as a headless Kubernetes service has it: calls go to each address in turn."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest

from oneapi.runtime import rpc

ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
SECRET = "a secret key of the tests"
QUESTION_AT = 12
TYPE_A = 1


class NameServer(asyncio.DatagramProtocol):
    """Answers every question for an IPv4 address with all of ADDRESSES, and any other with nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        at, labels = QUESTION_AT, []
        while length := data[at]:
            labels.append(data[at + 1 : at + 1 + length].decode())
            at += 1 + length
        self.asked.append(".".join(labels))
        (kind,) = struct.unpack("!H", data[at + 1 : at + 3])
        answers = [
            # A pointer to the question's name, type A, class IN, 5 s to live, 4 bytes.
            struct.pack("!HHHIH", 0xC00C, TYPE_A, 1, 5, 4) + socket.inet_aton(address)
            for address in (ADDRESSES if kind == TYPE_A else ())
        ]
        head = data[:2] + struct.pack("!5H", 0x8580, 1, len(answers), 0, 0)
        self._transport.sendto(head + data[QUESTION_AT : at + 5] + b"".join(answers), addr)


class Names(grpc.GenericRpcHandler):
    """Answers every call with the address that it came to."""

    def __init__(self, address: str) -> None:
        self._address = address

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        async def answer(request: bytes, context: object) -> bytes:
            return self._address.encode()

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A port on which a server of ours listens at each of ADDRESSES."""
    servers, port = [], 0
    for address in ADDRESSES:
        server = rpc.server(SECRET)
        server.add_generic_rpc_handlers((Names(address),))
        port = server.add_insecure_port(f"{address}:{port}")
        await server.start()
        servers.append(server)
    yield port
    for server in servers:
        await server.stop(None)


async def test_calls_are_spread_over_all_addresses_of_a_name(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    transport, names = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    resolver = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    plain = rpc.target
    # The same target, asked of our name server instead of the system's.
    monkeypatch.setattr(rpc, "target", lambda given: plain(given).replace("dns:///", f"dns://{resolver}/"))
    try:
        async with rpc.channel([f"one-router-headless:{port}"], SECRET) as channel:
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/any/method")
            served: list[str] = []
            async with asyncio.timeout(10):
                # The addresses are connected to one after another.
                while set(served) != set(ADDRESSES):
                    served.append((await call(b"", timeout=5)).decode())
                turns = [(await call(b"", timeout=5)).decode() for _ in range(9)]
    finally:
        transport.close()
    assert names.asked[0] == "one-router-headless"
    assert {address: turns.count(address) for address in ADDRESSES} == dict.fromkeys(ADDRESSES, 3)
