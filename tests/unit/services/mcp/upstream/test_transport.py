from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from services.mcp.upstream.failures import NotMcp, RedirectRefused, ResultTooLarge
from services.mcp.upstream.transport import MAX_MESSAGES, ExchangeTransport

JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}


class Body(httpx2.AsyncByteStream):
    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


class Pool(httpx2.AsyncBaseTransport):
    """Connections in memory: keeps what is sent."""

    def __init__(self, answer: Callable[[httpx2.Request], httpx2.Response]) -> None:
        self.sent: list[httpx2.Request] = []
        self._answer = answer

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        return self._answer(request)


def transport(answer: Callable[[httpx2.Request], httpx2.Response]) -> tuple[ExchangeTransport, Pool]:
    pool = Pool(answer)
    return ExchangeTransport(pool), pool


def post(url: str = "http://127.0.0.1:9000/mcp") -> httpx2.Request:
    return httpx2.Request("POST", url, headers={"authorization": "Bearer theirs"}, content=b"{}")


def answering(status: int, headers: dict[str, str], *chunks: bytes) -> Callable[[httpx2.Request], httpx2.Response]:
    return lambda request: httpx2.Response(status, headers=headers, stream=Body(*chunks))


async def read(exchange: ExchangeTransport) -> bytes:
    response = await exchange.handle_async_request(post())
    return await response.aread()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_refused(status: int) -> None:
    exchange, _ = transport(answering(status, {"location": "/elsewhere"}))
    with pytest.raises(RedirectRefused):
        await exchange.handle_async_request(post())
    assert isinstance(exchange.cause, RedirectRefused)


@pytest.mark.parametrize("headers", [{"content-type": "text/html"}, {}])
async def test_other_kinds_of_answers_are_refused(headers: dict[str, str]) -> None:
    exchange, _ = transport(answering(200, headers))
    with pytest.raises(NotMcp):
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
