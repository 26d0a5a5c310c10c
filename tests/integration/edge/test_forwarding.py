"""What is not the edge's own goes to the services behind it, and their answers come back as they are."""

import asyncio

import httpx2
import pytest

from tests.integration.edge.stage import Stage, eventually


@pytest.mark.parametrize(
    ("method", "path", "service"),
    [
        ("GET", "/", "admin"),
        ("GET", "/llms.txt", "admin"),
        ("POST", "/api/channels?dry=1&x=%20", "admin"),
        ("PATCH", "/api/prices/meta-llama%2FLlama-3", "admin"),
        ("DELETE", "/api/keys/1", "admin"),
        ("POST", "/.well-known/mcp", "admin"),
        ("POST", "/mcp", "mcp"),
        ("OPTIONS", "/api/channels", "admin"),
    ],
)
async def test_where_a_path_goes(stage: Stage, method: str, path: str, service: str) -> None:
    body = b'{"a": 1}' if method in {"POST", "PATCH"} else b""
    headers = {
        "authorization": "Bearer oat-token",
        "cookie": "session=1",
        "x-forwarded-for": "10.1.1.1",
        "x-oneapi-internal": "forged",
        "connection": "x-hop",
        "x-hop": "1",
        "accept-encoding": "gzip",
    }
    async with stage.http() as http:
        answer = await http.request(method, path, content=body, headers=headers)
    asked = (stage.mcp if service == "mcp" else stage.admin).asked[-1]
    assert answer.json() == asked
    assert (asked["method"], asked["path"], asked["body"]) == (method, path, body.decode())
    seen = asked["headers"]
    assert seen["authorization"] == "Bearer oat-token"
    assert seen["cookie"] == "session=1"
    assert seen["host"] == f"127.0.0.1:{stage.port}"
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-host"] == seen["host"]
    assert seen["x-forwarded-proto"] == "http"
    assert seen["x-request-id"] == answer.headers["x-request-id"]
    assert not {"x-oneapi-internal", "x-hop"} & set(seen)
    assert answer.headers["x-from"] == service
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert "x-private" not in answer.headers
    assert "server" not in answer.headers
    assert len(answer.headers.get_list("date")) == 1


async def test_a_head_request_has_no_body(stage: Stage) -> None:
    async with stage.http() as http:
        answer = await http.head("/docs")
        assert (answer.status_code, answer.content) == (200, b"")
        assert int(answer.headers["content-length"]) > 0
        assert (await http.get("/docs")).status_code == 200


async def test_streams_come_piece_by_piece_and_end_with_the_client(stage: Stage) -> None:
    for behind, path in ((stage.admin, "/api/events"), (stage.admin, "/docs/events")):
        before = behind.gone
        async with stage.http() as http, http.stream("GET", path) as answer:
            lines = 0
            async for line in answer.aiter_lines():
                lines += line == "data: tick"
                if lines == 3:
                    break

        async def ended(behind: object = behind, before: int = before) -> bool:
            return bool(getattr(behind, "gone") > before)  # noqa: B009 - narrowed to its type above

        await eventually(ended, 2)


async def test_a_service_that_is_away(stage: Stage) -> None:
    await stage.admin.stop()
    await stage.mcp.stop()
    try:
        async with stage.http() as http:
            api, mcp, page = await asyncio.gather(http.get("/api/channels"), http.post("/mcp"), http.get("/llms.txt"))
    finally:
        await stage.admin.start()
        await stage.mcp.start()
    assert [answer.status_code for answer in (api, mcp, page)] == [503] * 3
    assert api.headers["content-type"] == "application/problem+json"
    assert api.json()["status"] == 503
    assert mcp.json()["jsonrpc"] == "2.0"
    assert all(answer.headers["retry-after"] for answer in (api, mcp, page))


async def test_a_body_over_the_limit(stage: Stage) -> None:
    async with stage.http() as http:
        answer: httpx2.Response = await http.post("/api/channels", content=b"x" * (21 * 2**20))
    assert answer.status_code == 413
