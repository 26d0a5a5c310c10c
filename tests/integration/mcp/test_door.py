"""Malformed, slow and oversized requests at the MCP gateway, on raw sockets; and sources of bad keys."""

import asyncio
import dataclasses
import json

import pytest

from services.mcp.door import LIMITS
from tests.integration.mcp.conftest import Bus, Gateway, StartGateway
from tests.integration.own_nats import OwnNats
from tests.raw_requests import NOT_PUBLIC, REFUSED, exchange, status_of, take_nothing

SHORT = dataclasses.replace(LIMITS, header_s=0.5, body_idle_s=0.5, write_stall_s=0.5)
HEAD = b"POST /mcp HTTP/1.1\r\nhost: gw\r\ncontent-type: application/json\r\n"
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.fixture
async def gateway(bus: Bus, own_nats: OwnNats, start_gateway: StartGateway) -> Gateway:
    gateway = await start_gateway(own_nats.url, limits=SHORT)
    await gateway.ready()
    return gateway


def check(answer: bytes, status: int) -> None:
    """The status, and the form of JSON-RPC."""
    assert status_of(answer) == status, answer[:300]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"x-request-id: " in head
    told = json.loads(body)
    assert (told["jsonrpc"], told["id"]) == ("2.0", None)
    assert told["error"]["message"]


async def test_what_is_refused(gateway: Gateway) -> None:
    for asked in [*REFUSED, *NOT_PUBLIC]:
        answer = await exchange(gateway.process.port, asked.at(b"/mcp"))
        try:
            check(answer, asked.status)
        except AssertionError as failure:
            raise AssertionError(asked.name) from failure
    assert (await gateway.get("/healthz")).status_code == 200


async def test_slow_clients_are_cut(bus: Bus, gateway: Gateway) -> None:
    """All at the same time: never a byte, half a head, a body that stops, answers that nobody reads."""
    port = gateway.process.port
    credential = b"authorization: Bearer " + (await bus.key()).encode() + b"\r\n"
    nothing, half, stopped, _ = await asyncio.gather(
        exchange(port, b""),
        exchange(port, HEAD),
        exchange(port, HEAD + credential + b"content-length: 1000\r\n\r\n{"),
        take_nothing(port, b"GET /nothing HTTP/1.1\r\nhost: gw\r\n\r\n" * 50),
    )
    assert nothing == b""
    check(half, 408)
    check(stopped, 408)


async def test_a_body_over_the_limit(bus: Bus, gateway: Gateway) -> None:
    credential = b"authorization: Bearer " + (await bus.key()).encode() + b"\r\n"
    too_long = b"content-length: %d\r\nconnection: close\r\n\r\n" % (LIMITS.body_bytes + 1)
    check(await exchange(gateway.process.port, HEAD + credential + too_long), 413)


async def test_a_source_of_bad_keys_is_slowed_and_good_keys_are_not(bus: Bus, gateway: Gateway) -> None:
    good, statuses = await bus.key(), set()
    bad = HEAD + b"content-length: 2\r\nauthorization: Bearer sk-nonsense\r\n"
    several = (bad + b"\r\n{}") * 50 + bad + b"connection: close\r\n\r\n{}"
    answers = [await exchange(gateway.process.port, several) for _ in range(6)]
    for answer in b"".join(answers).split(b"HTTP/1.1 ")[1:]:
        statuses.add(answer[:3])
        assert (b"retry-after: " in answer) == answer.startswith(b"429")
    assert statuses == {b"401", b"429"}
    assert (await gateway.post(PING, authorization=f"Bearer {good}")).status_code == 200
    elsewhere = {"x-forwarded-for": "203.0.113.7", "authorization": "Bearer sk-nonsense"}
    assert (await gateway.post(PING, **elsewhere)).status_code == 401
