"""Malformed, slow and oversized requests at admin, on raw sockets; and sources of bad credentials."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from oneapi.runtime.http_server import HttpServer
from oneapi.runtime.telemetry import HeadSampler
from services.admin.application import build
from services.admin.service import LIMITS
from services.admin.web.entrance import whole_problem
from tests.integration.admin.gateway import ADMIN_TOKEN, Admin, problem, settings
from tests.raw_requests import NOT_PUBLIC, REFUSED, RawRequest, exchange, status_of, take_nothing

SHORT = dataclasses.replace(LIMITS, header_s=0.5, body_idle_s=0.5, write_stall_s=0.5)
HEAD = b"POST /api/accounts HTTP/1.1\r\nhost: gw\r\ncontent-type: application/json\r\n"
CREDENTIAL = b"authorization: Bearer " + ADMIN_TOKEN.encode() + b"\r\n"


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """Admin behind its door, with short deadlines."""
    admin = Admin(settings(tmp_path))
    await admin.open()
    server = HttpServer(build(admin.parts, HeadSampler(0.0)), "127.0.0.1", 0, render=whole_problem, limits=SHORT)
    await server.start()
    yield server.port
    await server.stop(0.1)
    await admin.close()


def check(answer: bytes, status: int) -> None:
    """The status, and the form of a problem."""
    assert status_of(answer) == status, answer[:300]
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    told = json.loads(body)
    assert b"content-type: application/problem+json" in lines
    assert b"cache-control: no-store" in lines
    assert b"x-request-id: " + told["request_id"].encode() in lines
    assert told["status"] == status
    assert told["type"] == f"urn:oneapi:problem:{told['code']}"


async def test_what_is_refused(port: int) -> None:
    encoded_slash = RawRequest("%2F", b"GET /openapi%2Ejson HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", 404)
    for asked in [*REFUSED, *NOT_PUBLIC, encoded_slash]:
        answer = await exchange(port, asked.at(b"/api/accounts"))
        try:
            check(answer, asked.status)
        except AssertionError as failure:
            raise AssertionError(asked.name) from failure


async def test_slow_clients_are_cut(port: int) -> None:
    """All at the same time: never a byte, half a head, a body that stops, answers that nobody reads."""
    ask = b"GET /openapi.json HTTP/1.1\r\nhost: gw\r\n\r\n"
    nothing, half, stopped, _ = await asyncio.gather(
        exchange(port, b""),
        exchange(port, HEAD),
        exchange(port, HEAD + CREDENTIAL + b"content-length: 1000\r\n\r\n{"),
        take_nothing(port, ask * 4),
    )
    assert nothing == b""
    check(half, 408)
    check(stopped, 408)
    assert status_of(await exchange(port, ask.replace(b"host", b"connection: close\r\nhost"))) == 200


async def test_a_body_over_the_limit(port: int) -> None:
    too_long = b"content-length: %d\r\nconnection: close\r\n\r\n" % (LIMITS.body_bytes + 1)
    check(await exchange(port, HEAD + CREDENTIAL + too_long), 413)


async def test_sources_of_bad_credentials_are_slowed_and_good_ones_are_not(port: int) -> None:
    """Tokens, sessions and logins count together; somebody behind a trusted proxy counts alone."""
    login = {"token": "oat-nonsense"}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        for _ in range(34):
            problem(await http.get("/api/keys", headers={"authorization": "Bearer x"}), 401, "unauthenticated")
            problem(await http.get("/api/keys", headers={"cookie": "oneapi_session=x"}), 401, "unauthenticated")
            answer = await http.post("/api/session", json=login)
            if answer.status_code == 429:
                break
        for _ in range(200):
            answer = await http.get("/api/keys", headers={"authorization": "Bearer x"})
            if answer.status_code == 429:
                break
        problem(answer, 429, "auth_rate_limited")
        assert int(answer.headers["retry-after"]) >= 1
        assert (await http.get("/api/keys", headers={"authorization": f"Bearer {ADMIN_TOKEN}"})).status_code == 200
        elsewhere = {"authorization": "Bearer x", "x-forwarded-for": "203.0.113.7"}
        problem(await http.get("/api/keys", headers=elsewhere), 401, "unauthenticated")
