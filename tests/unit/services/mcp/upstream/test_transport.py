from collections.abc import AsyncIterator, Callable
from typing import cast

import httpx2
import pytest

from oneapi.runtime.egress_addresses import EgressRefused
from services.mcp.upstream.failures import NotMcp, RedirectRefused, ResultTooLarge
from services.mcp.upstream.transport import MAX_MESSAGES, MAX_RESULT_BYTES, ExchangeTransport

JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}


class Body(httpx2.AsyncByteStream):
    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


class Pool:
    """Connections in memory: keeps what is sent."""

    def __init__(self, answer: Callable[[httpx2.Request], httpx2.Response]) -> None:
        self.sent: list[httpx2.Request] = []
        self._answer = answer

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        return self._answer(request)


def transport(
    answer: Callable[[httpx2.Request], httpx2.Response], allow_private: bool = True
) -> tuple[ExchangeTransport, Pool]:
    pool = Pool(answer)
    return ExchangeTransport(cast(httpx2.AsyncHTTPTransport, pool), allow_private), pool


def post(url: str = "http://127.0.0.1:9000/mcp") -> httpx2.Request:
    return httpx2.Request("POST", url, headers={"authorization": "Bearer theirs"}, content=b"{}")


def answering(status: int, headers: dict[str, str], *chunks: bytes) -> Callable[[httpx2.Request], httpx2.Response]:
    return lambda request: httpx2.Response(status, headers=headers, stream=Body(*chunks))


async def read(exchange: ExchangeTransport) -> bytes:
    response = await exchange.handle_async_request(post())
    return await response.aread()


async def test_the_connection_goes_to_the_checked_address_and_the_name_stays() -> None:
    exchange, pool = transport(answering(200, JSON, b"{}"))
    response = await exchange.handle_async_request(post("http://localhost:9000/mcp?x=1"))
    (sent,) = pool.sent
    assert sent.url.host in {"127.0.0.1", "::1"}
    assert (sent.url.port, sent.url.raw_path) == (9000, b"/mcp?x=1")
    assert sent.headers["host"] == "localhost:9000"
    assert sent.extensions["sni_hostname"] == "localhost"
    assert response.request.url.host == "localhost"


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/"]
)
async def test_private_addresses_are_not_connected_to(url: str) -> None:
    exchange, pool = transport(answering(200, JSON), allow_private=False)
    with pytest.raises(EgressRefused):
        await exchange.handle_async_request(post(url))
    assert isinstance(exchange.cause, EgressRefused)
    assert pool.sent == []


async def test_metadata_services_are_refused_even_where_private_ones_are_allowed() -> None:
    exchange, pool = transport(answering(200, JSON))
    with pytest.raises(EgressRefused):
        await exchange.handle_async_request(post("http://169.254.169.254/latest"))
    assert pool.sent == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_refused(status: int) -> None:
    exchange, _ = transport(answering(status, {"location": "/elsewhere"}))
    with pytest.raises(RedirectRefused):
        await exchange.handle_async_request(post())
    assert isinstance(exchange.cause, RedirectRefused)


@pytest.mark.parametrize("headers", [JSON | {"content-encoding": "gzip"}, {"content-type": "text/html"}, {}])
async def test_other_kinds_of_answers_are_refused(headers: dict[str, str]) -> None:
    exchange, _ = transport(answering(200, headers))
    with pytest.raises(NotMcp):
        await exchange.handle_async_request(post())


async def test_declared_size_is_enough_to_refuse() -> None:
    exchange, _ = transport(answering(200, JSON | {"content-length": str(2 * MAX_RESULT_BYTES)}))
    with pytest.raises(ResultTooLarge):
        await exchange.handle_async_request(post())


async def test_all_answers_of_an_exchange_share_its_bound() -> None:
    exchange, _ = transport(answering(200, JSON, *[b" " * 65_536] * 40))
    assert len(await read(exchange)) == 40 * 65_536
    with pytest.raises(ResultTooLarge):
        await read(exchange)
    assert isinstance(exchange.cause, ResultTooLarge)


async def test_many_small_messages_are_too_many() -> None:
    exchange, _ = transport(answering(200, SSE, *[b"data: {}\n\n" * 100] * (MAX_MESSAGES // 100 + 1)))
    with pytest.raises(ResultTooLarge):
        await read(exchange)


async def test_a_server_is_not_listened_to_but_may_be_resumed() -> None:
    exchange, pool = transport(answering(200, SSE))
    listening = httpx2.Request("GET", "http://127.0.0.1:9000/mcp")
    assert (await exchange.handle_async_request(listening)).status_code == 405
    assert pool.sent == []
    resuming = httpx2.Request("GET", "http://127.0.0.1:9000/mcp", headers={"last-event-id": "7"})
    assert (await exchange.handle_async_request(resuming)).status_code == 200


async def test_the_farewell_of_a_session_is_short() -> None:
    exchange, pool = transport(answering(200, JSON))
    farewell = httpx2.Request("DELETE", "http://127.0.0.1:9000/mcp", extensions={"timeout": {"read": 600.0}})
    await exchange.handle_async_request(farewell)
    assert pool.sent[0].extensions["timeout"]["read"] == 2.0


@pytest.mark.parametrize(
    ("status", "headers", "kept"),
    [(500, {}, 500), (404, JSON, 0), (400, JSON, 0), (401, JSON, 401), (403, {}, 403), (200, JSON, 0), (202, {}, 0)],
)
async def test_status_is_kept_when_it_says_more_than_the_body(status: int, headers: dict[str, str], kept: int) -> None:
    exchange, _ = transport(answering(status, headers))
    exchange.status = 599
    await exchange.handle_async_request(post())
    assert exchange.status == kept


async def test_the_next_address_is_tried_when_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def two(host: str, port: int, allow_private: bool) -> list[str]:
        return ["192.168.0.1", "192.168.0.2"]

    def refuse_first(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "192.168.0.1":
            raise httpx2.ConnectError("refused")
        return httpx2.Response(200, headers=JSON, stream=Body())

    monkeypatch.setattr("services.mcp.upstream.transport.resolve_checked", two)
    exchange, pool = transport(refuse_first)
    assert (await exchange.handle_async_request(post("http://tools.example:9000/mcp"))).status_code == 200
    assert [request.url.host for request in pool.sent] == ["192.168.0.1", "192.168.0.2"]
    assert exchange.cause is None
