"""Malformed, slow and oversized requests, on raw sockets; and the next good request is answered."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest

from tests.integration.edge.stage import Stage
from tests.raw_requests import REFUSED, RawRequest, status_of

PATHS = ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"]
HEAD = b"host: gw\r\ncontent-type: application/json\r\n"


@pytest.fixture(scope="module")
async def model(stage: Stage) -> str:
    await stage.channel({"door": "play:tokens=1"})
    return "door"


def post(extra: bytes, body: bytes = b"", *, path: bytes = b"/v1/chat/completions", length: bool = True) -> bytes:
    told = b"content-length: %d\r\n" % len(body) if length else b""
    return b"POST " + path + b" HTTP/1.1\r\n" + HEAD + told + extra + b"connection: close\r\n\r\n" + body


OF_EDGE = [
    RawRequest("forwarded to nobody", b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", 404),
    RawRequest("no such path", b"GET /v1/nothing HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", 404),
    RawRequest("method", b"GET /v1/chat/completions HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", 405),
]


@pytest.mark.parametrize("asked", [*REFUSED, *OF_EDGE], ids=lambda asked: asked.name)
async def test_what_is_refused(stage: Stage, model: str, asked: RawRequest) -> None:
    answer = await stage.raw(asked.at(b"/v1/chat/completions"))
    assert status_of(answer) == asked.status, answer[:300]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"x-request-id: " in head
    told = json.loads(body)
    assert told["detail"] if b"application/problem+json" in head else told["error"]["message"]
    assert b"uvicorn" not in head


async def test_trailers_are_no_headers(stage: Stage, key: str, model: str) -> None:
    body = json.dumps({"model": "door", "messages": [{"role": "user", "content": "x"}]}).encode()
    chunked = b"%x\r\n" % len(body) + body + b"\r\n0\r\nauthorization: Bearer " + key.encode() + b"\r\n\r\n"
    answer = await stage.raw(post(b"transfer-encoding: chunked\r\n", chunked, length=False))
    assert status_of(answer) == 401


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"", {}, 400),
        (b"[]", {}, 400),
        (b'{"model": 7}', {}, 400),
        (b'{"model": "door", "messages": NaN, "input": NaN}', {}, 400),
        (b"\xff\xfe{\x00}\x00", {}, 400),
        (b'{"x":' * 5_000 + b"1" + b"}" * 5_000, {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"messages": [' + b"0," * 250_000 + b"0]}", {}, 400),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"{}", {"content-type": ""}, 415),
        (b"{}", {"content-encoding": "gzip"}, 415),
    ],
    ids=["cut", "empty", "list", "model", "nan", "utf16", "deep", "bomb", "wide", "plain", "untyped", "gzip"],
)
async def test_broken_bodies(
    stage: Stage, key: str, path: str, content: bytes, headers: dict[str, str], status: int
) -> None:
    async with stage.http(key) as http:
        answer = await http.post(path, content=content, headers={"content-type": "application/json", **headers})
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["message"]
    assert (answer.json().get("type") == "error") == (path == "/v1/messages")
    assert (set(error) == {"message", "type", "param", "code"}) == (path != "/v1/messages")


async def test_a_body_over_the_limit(stage: Stage, key: str, model: str) -> None:
    big = b'{"model": "door", "padding": "' + b"x" * (20 * 2**20) + b'"}'

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(big), 2**18):
            yield big[start : start + 2**18]

    async with stage.http(key) as http:
        contents: list[bytes | AsyncIterator[bytes]] = [big, parts()]
        for content in contents:
            answer = await http.post(
                "/v1/chat/completions", content=content, headers={"content-type": "application/json"}
            )
            assert answer.status_code == 413
        # The connection is still good.
        assert (await http.get("/v1/models")).status_code == 200


async def test_a_large_body_is_served(stage: Stage, key: str, model: str) -> None:
    text = "x" * (5 * 2**20)
    async with stage.http(key) as http:
        answer = await http.post(
            "/v1/chat/completions", json={"model": "door", "messages": [{"role": "user", "content": text}]}
        )
    assert answer.status_code == 200


async def test_slow_senders_are_cut(stage: Stage, key: str, model: str) -> None:
    """All at the same time: never a byte, half a head, a body that stops."""
    credential = b"authorization: Bearer " + key.encode() + b"\r\n"
    began = time.monotonic()
    nothing, half, stopped, refused = await asyncio.gather(
        stage.raw(b""),
        stage.raw(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\n"),
        stage.raw(b"POST /v1/chat/completions HTTP/1.1\r\n" + HEAD + credential + b"content-length: 1000\r\n\r\n{"),
        stage.raw(b"POST /v1/chat/completions HTTP/1.1\r\n" + HEAD + b"content-length: 1000\r\n\r\n{"),
    )
    assert time.monotonic() - began < 20
    assert nothing == b""
    assert status_of(half) == status_of(stopped) == 408
    assert b'"type":"error"' in half
    assert status_of(refused) == 401


async def test_requests_on_one_connection(stage: Stage, key: str, model: str) -> None:
    body = json.dumps({"model": "door", "messages": [{"role": "user", "content": "x"}]}).encode()
    credential = b"authorization: Bearer " + key.encode() + b"\r\n"
    head = b"POST /v1/chat/completions HTTP/1.1\r\n" + HEAD + credential
    one = head + b"content-length: %d\r\n\r\n" % len(body) + body
    last = one.replace(b"host: gw\r\n", b"host: gw\r\nconnection: close\r\n")
    answer = await stage.raw(one + one + last)
    assert answer.count(b"HTTP/1.1 200 OK") == 3


async def test_too_many_requests_on_one_connection(stage: Stage) -> None:
    """Those that wait are counted, not those that were: a tenth of a megabyte in small requests is cut."""
    one = b"GET /healthz HTTP/1.1\r\nhost: gw\r\n\r\n"
    last = one.replace(b"host", b"connection: close\r\nhost")
    answer = await stage.raw(one * 50 + last)
    assert answer.count(b"HTTP/1.1 200 OK") == 51
    answer = await stage.raw(one * 3_000 + last)
    assert answer.count(b"HTTP/1.1 200 OK") < 3_000
    async with stage.http() as http:
        assert (await http.get("/healthz")).status_code == 200


async def test_an_upgrade_is_ignored(stage: Stage, key: str, model: str) -> None:
    """Also with a body, as Java's client sends it, and together with what follows on the connection."""
    async with stage.http(key) as http:
        answer = await http.get("/v1/models", headers={"connection": "upgrade", "upgrade": "h2c"})
    assert answer.status_code == 200
    body = json.dumps({"model": "door", "messages": [{"role": "user", "content": "x"}]}).encode()
    credential = b"authorization: Bearer " + key.encode() + b"\r\n"
    wish = b"upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\nconnection: Upgrade, HTTP2-Settings"
    head = b"POST /v1/chat/completions HTTP/1.1\r\n" + HEAD + credential + b"content-length: %d\r\n" % len(body)
    one = head + wish + b"\r\n\r\n" + body
    last = head + b"upgrade: websocket\r\nconnection: close, upgrade\r\n\r\n" + body
    answers = await stage.raw(one + one + last)
    assert answers.count(b"HTTP/1.1 200 OK") == answers.count(b"HTTP/1.1 ") == 3, answers


async def test_the_body_of_an_upgrade_is_no_request(stage: Stage, model: str) -> None:
    hidden = b"GET /v1/nothing HTTP/1.1\r\nhost: gw\r\n\r\n"
    head = b"POST /v1/chat/completions HTTP/1.1\r\n" + HEAD + b"content-length: %d\r\n" % len(hidden)
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    try:
        async with asyncio.timeout(20):
            writer.write(head + b"upgrade: x\r\nconnection: upgrade\r\n\r\n")
            first = await reader.readuntil(b"}}")
            writer.write(hidden)
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: gw\r\nconnection: close\r\n\r\n")
            rest = await reader.read(-1)
    finally:
        writer.close()
    assert status_of(first) == 401
    assert status_of(rest) == 200
    assert rest.count(b"HTTP/1.1 ") == 1, rest


async def test_head_and_health(stage: Stage) -> None:
    async with stage.http() as http:
        assert (await http.get("/healthz")).json() == {"status": "ok"}
        assert (await http.get("/readyz")).json() == {"status": "ready"}
        schema = (await http.get("/v1/openapi.json")).json()
        head = await http.head("/healthz")
    assert set(PATHS) <= set(schema["paths"])
    assert all(path["post"]["security"] for name, path in schema["paths"].items() if name in PATHS)
    assert list(schema["components"]["securitySchemes"]) == ["relay key"]
    assert head.status_code in {200, 405}


async def test_an_answer_under_way_ends_quietly_when_what_is_pipelined_behind_it_is_nonsense(
    stage: Stage, model: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = b"GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n"
    for _ in range(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(first * 3 + b"NONSENSE\r\n\r\n")
        async with asyncio.timeout(10):
            await reader.read()
        writer.close()
    failed = [record.getMessage() for record in caplog.records if record.exc_info]
    assert not failed


@pytest.mark.parametrize(
    "head",
    [b"host: a\r\nhost: b\r\n", b"x: y\r\n", b"host: a b\r\n", b"host: a\r\ncontent-length: " + b"0" * 40 + b"\r\n"],
)
async def test_nothing_is_read_behind_a_head_that_two_readers_could_take_differently(stage: Stage, head: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(b"GET /v1/models HTTP/1.1\r\n" + head + b"\r\nGET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert status_of(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1
