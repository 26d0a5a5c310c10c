"""Who gets through the door of the gateway, and what the others are told."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from oneapi.bus.streams import ensure
from oneapi.catalog.types import Account, KeyLimits
from oneapi.runtime.connections import connect_nats
from oneapi.runtime.relay_keys import mint
from tests.integration.mcp import rogue as replies
from tests.integration.mcp.conftest import ACCOUNT, Bus, Gateway, StartGateway
from tests.integration.mcp.rogue import Rogue
from tests.integration.own_nats import OwnNats, until

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t"}}
PERSONAL = {"x-request-id", "x-oneapi-request-id", "date"}


@pytest.fixture
async def rogue() -> AsyncIterator[Rogue]:
    server = Rogue()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def gateway(bus: Bus, own_nats: OwnNats, start_gateway: StartGateway) -> Gateway:
    gateway = await start_gateway(own_nats.url)
    await gateway.ready()
    return gateway


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def told(response: httpx2.Response) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in response.headers.items() if name not in PERSONAL}
    return response.status_code, response.content, headers


async def test_every_bad_key_gets_the_same_answer(bus: Bus, gateway: Gateway) -> None:
    await bus.account(Account(id="acc_off", name="off", enabled=False))
    good = await bus.key()
    past_ms = time.time_ns() // 1_000_000 - 1
    bad: dict[str, dict[str, str]] = {
        "none": {},
        "empty": {"authorization": "Bearer"},
        "malformed": bearer("sk-nonsense"),
        "unknown": bearer(mint()),
        "management": bearer("oat-" + good[3:]),
        "disabled": bearer(await bus.key(enabled=False)),
        "expired": bearer(await bus.key(expires_at_ms=past_ms)),
        "elsewhere": bearer(await bus.key(allowed_ips=("203.0.113.0/24",))),
        "account off": bearer(await bus.key(account_id="acc_off")),
        "account gone": bearer(await bus.key(account_id="acc_gone")),
        "basic": {"authorization": f"Basic {good}"},
        "two": bearer(good) | {"x-api-key": mint()},
        "non-ascii": bearer("sk-\u00fc\u00fc"),
    }
    answers = {}
    for name, given in bad.items():
        encoded: dict[str, Any] = {header: value.encode("latin-1") for header, value in given.items()}
        answers[name] = told(await gateway.post(PING, **encoded))
    answers["query"] = told(await gateway.post(PING, path=f"/mcp?key={good}"))
    status, body, headers = answers["none"]
    assert status == 401
    assert headers["www-authenticate"] == 'Bearer realm="one-api"'
    assert b"A valid API key is required" in body
    assert {name for name, answer in answers.items() if answer != answers["none"]} == set()
    assert (await gateway.post(PING, **bearer(good))).status_code == 200


@pytest.mark.parametrize("header", ["x-api-key", "api-key", "x-goog-api-key"])
async def test_key_may_be_in_other_headers(bus: Bus, gateway: Gateway, header: str) -> None:
    assert (await gateway.post(PING, **{header: await bus.key()})).status_code == 200


async def test_a_revoked_key_is_refused_within_a_second(bus: Bus, gateway: Gateway) -> None:
    key = await bus.key()
    assert (await gateway.post(PING, **bearer(key))).status_code == 200
    await bus.key(key, enabled=False)
    async with asyncio.timeout(1):
        while (await gateway.post(PING, **bearer(key))).status_code != 401:
            pass


async def test_the_edge_says_where_a_caller_is(
    bus: Bus, gateway: Gateway, own_nats: OwnNats, start_gateway: StartGateway
) -> None:
    key = await bus.key(allowed_ips=("203.0.113.7",))
    assert (await gateway.post(PING, **bearer(key))).status_code == 401
    assert (await gateway.post(PING, **bearer(key), **{"x-forwarded-for": "203.0.113.7"})).status_code == 200
    forged = {"x-forwarded-for": "203.0.113.7, 198.51.100.1"}
    assert (await gateway.post(PING, **bearer(key), **forged)).status_code == 401
    alone = await start_gateway(own_nats.url, trusted_proxies=())
    await alone.ready()
    assert (await alone.post(PING, **bearer(key), **{"x-forwarded-for": "203.0.113.7"})).status_code == 401


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://gateway.example", 200),
        ("https://GATEWAY.example", 200),
        ("https://evil.example", 403),
        ("https://gateway.example.evil.example", 403),
        ("http://gateway.example", 403),
        ("https://gateway.example:8443", 403),
        ("null", 403),
        ("", 403),
    ],
)
async def test_pages_of_other_sites_are_refused(bus: Bus, gateway: Gateway, origin: str, status: int) -> None:
    assert (await gateway.post(PING, **bearer(await bus.key()), origin=origin)).status_code == status


async def test_only_this_path_and_method_are_served(bus: Bus, gateway: Gateway) -> None:
    key = await bus.key()
    for path in ("/mcp/", "/MCP", "/mcp/x", "/", "/metrics", "/sse"):
        assert (await gateway.post(PING, path=path, **bearer(key))).status_code == 404
    for method in ("GET", "DELETE", "PUT", "OPTIONS"):
        refused = await gateway.post(PING, method=method, **bearer(key))
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
        assert (await gateway.post(PING, method=method)).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, -32700),
        (b"nonsense", 400, -32700),
        (b"[" * 200_000, 400, -32600),
        (b"[]", 400, -32600),
        ([PING, PING], 400, -32600),
        ("text", 400, -32600),
        (PING | {"id": {"nested": 1}}, 400, -32600),
        (PING | {"id": "x" * 1_000_000}, 400, -32600),
        (PING | {"method": "__proto__"}, 200, -32601),
        (PING | {"method": "resources/list"}, 200, -32601),
        (CALL | {"params": {"name": 7}}, 200, -32602),
        (LIST | {"params": {"cursor": "x"}}, 200, -32602),
        (b"x" * (4 * 1024 * 1024 + 1), 413, -32600),
    ],
)
async def test_bad_messages_are_refused(bus: Bus, gateway: Gateway, body: Any, status: int, code: int | None) -> None:
    response = await gateway.post(body, **bearer(await bus.key()))
    assert response.status_code == status
    assert response.json()["error"]["code"] == code
    assert "pydantic" not in response.text
    assert (await gateway.post(PING, **bearer(await bus.key()))).json()["result"] == {}


async def test_headers_that_differ_from_the_message_are_refused(bus: Bus, gateway: Gateway) -> None:
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
    headers = bearer(await bus.key()) | {"mcp-protocol-version": "2026-07-28"}
    assert (await gateway.post(body, **headers, **{"mcp-method": "tools/list"})).status_code == 200
    refused = await gateway.post(body, **headers, **{"mcp-method": "tools/call"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, -32020)


async def test_every_answer_has_a_request_id(
    bus: Bus, gateway: Gateway, own_nats: OwnNats, start_gateway: StartGateway
) -> None:
    given = {"x-request-id": "req_of-the-edge"}
    for response in (await gateway.post(PING, **bearer(await bus.key()), **given), await gateway.post(PING, **given)):
        assert response.headers["x-request-id"] == response.headers["x-oneapi-request-id"] == "req_of-the-edge"
    suspicious = await gateway.post(PING, **{"x-request-id": "a b<script>"})
    assert suspicious.headers["x-request-id"].startswith("req_")
    alone = await start_gateway(own_nats.url, trusted_proxies=())
    await alone.ready()
    assert (await alone.post(PING, **given)).headers["x-request-id"].startswith("req_")


async def test_a_key_has_limited_room(bus: Bus, gateway: Gateway, rogue: Rogue) -> None:
    await bus.server("rogue", rogue.url)
    await until(lambda: "t" in gateway.process.directory.known().offers)
    rogue.on_call = replies.answer_never()
    key = await bus.key(limits=KeyLimits(concurrency=2))
    calls = [asyncio.create_task(gateway.post(CALL, **bearer(key))) for _ in range(2)]
    await until(lambda: rogue.requests.count("tools/call") == 2)
    refused = await gateway.post(CALL, **bearer(key))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    other = await bus.key(id="key_2")
    assert (await gateway.post(PING, **bearer(other))).status_code == 200
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_draining_lets_calls_finish(bus: Bus, gateway: Gateway, rogue: Rogue) -> None:
    await bus.server("rogue", rogue.url)
    await until(lambda: "t" in gateway.process.directory.known().offers)
    answered = asyncio.Event()

    async def slowly(send: Any, id: int | str) -> None:  # noqa: A002 - JSON-RPC's own word
        await answered.wait()
        await replies.answer_text("late")(send, id)

    rogue.on_call = slowly
    call = asyncio.create_task(gateway.post(CALL, **bearer(await bus.key())))
    await until(lambda: "tools/call" in rogue.requests)
    draining = asyncio.create_task(gateway.process.drain(5.0))
    await asyncio.sleep(0.05)
    answered.set()
    assert "late" in (await call).text
    await draining
    with pytest.raises(httpx2.TransportError):
        await gateway.get("/healthz")


async def test_waits_for_nats_and_outlives_it(stopped_nats: OwnNats, start_gateway: StartGateway, rogue: Rogue) -> None:
    gateway = await start_gateway(stopped_nats.url)
    assert (await gateway.get("/healthz")).status_code == 200
    waiting = await gateway.get("/readyz")
    assert waiting.status_code == 503
    assert "NATS" in waiting.json()["missing"]["catalog"]
    refused = await gateway.post(PING, **bearer(mint()))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")

    await asyncio.to_thread(stopped_nats.start)
    client = await connect_nats(stopped_nats.url, "test")
    js = client.jetstream()
    await ensure(js)
    bus = Bus(client, js)
    await bus.account(ACCOUNT)
    await bus.server("rogue", rogue.url)
    key = await bus.key()
    await client.close()
    await gateway.ready()
    assert '"fine"' in (await gateway.post(CALL, **bearer(key))).text

    stopped_nats.kill()
    for _ in range(3):
        assert '"fine"' in (await gateway.post(CALL, **bearer(key))).text
    unknown = await gateway.post(CALL, **bearer(mint()))
    assert unknown.status_code == 503, "whether it is good can't be known"
    assert (await gateway.get("/readyz")).status_code == 200
