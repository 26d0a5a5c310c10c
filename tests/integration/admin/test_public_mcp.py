"""The public MCP server as it is called: by the official client in its three modes, and by hand in both eras."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from services.admin.public.mcp_server.protocol import HANDSHAKE_VERSIONS, MODERN_VERSIONS
from services.admin.public.mcp_server.tools import VIEW_URI
from services.admin.web.endpoints.layer import MAX_BODY
from tests.integration.admin.gateway import Admin

PATH = "/.well-known/mcp"
URL = f"http://gateway.test{PATH}"
MODERN = MODERN_VERSIONS[0]
NAME = {"name": "test.gateway/gateway", "title": "One API"}
META = "io.modelcontextprotocol/"
Call = Callable[..., Awaitable[httpx2.Response]]


@asynccontextmanager
async def client(admin: Admin, mode: str) -> AsyncIterator[Client]:
    """The official client."""
    transport = streamable_http_client(URL, http_client=admin.speaking_as(None))
    async with Client(transport, mode=mode, cache=None) as opened:
        yield opened


@pytest.mark.parametrize("mode", ["legacy", "auto", MODERN])
async def test_the_official_client_asks_lists_and_reads(admin: Admin, mode: str) -> None:
    async with client(admin, mode) as opened:
        tools = {tool.name: tool for tool in (await opened.list_tools()).tools}
        assert list(tools) == ["ask", "list_models", "list_tools"]
        assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools.values())
        assert tools["ask"].meta == {"ui": {"resourceUri": VIEW_URI, "visibility": ["model", "app"]}}
        for price in ("7", "8.5"):
            assert (await admin.client.put("/api/prices/sandbox", json={"input": price})).status_code == 200
            told = await opened.call_tool("ask", {"query": "what does the model sandbox cost"})
            assert f"input {price}" in told.content[0].text  # type: ignore[union-attr]
            listed = await opened.call_tool("list_models", {"contains": "sand"})
            assert listed.structured_content is not None
            model = listed.structured_content["models"][0]
            assert model["id"] == "sandbox"
            assert model["offers"][0]["price"]["usd_per_million_tokens"]["input"] == price
        assert (await opened.call_tool("list_tools", {})).structured_content["total"] == 0
        assert (await opened.call_tool("ask", {})).is_error
        assert (await opened.call_tool("list_models", {"limit": 10**6})).is_error
        with pytest.raises(MCPError) as unknown:
            await opened.call_tool("delete_everything", {})
        assert unknown.value.error.code == -32602


@pytest.mark.parametrize("mode", ["legacy", "auto", MODERN])
async def test_every_resource_can_be_read_and_is_what_http_serves(admin: Admin, mode: str) -> None:
    async with client(admin, mode) as opened:
        listed = (await opened.list_resources()).resources
        assert VIEW_URI in {str(resource.uri) for resource in listed}
        anyone = admin.speaking_as(None)
        for resource in listed:
            contents = (await opened.read_resource(str(resource.uri))).contents[0]
            assert resource.mime_type == contents.mime_type
            path = "/mcp-apps/public-discovery.html" if str(resource.uri) == VIEW_URI else resource.name
            served = await anyone.get(path, headers={"accept": contents.mime_type or ""})
            assert served.text == contents.text  # type: ignore[union-attr]
            if str(resource.uri) == VIEW_URI:
                assert contents.mime_type == "text/html;profile=mcp-app"
        with pytest.raises(MCPError) as missing:
            await opened.read_resource("http://gateway.test/etc/passwd")
        assert missing.value.error.code == (-32602 if mode != "legacy" else -32002)


@pytest.fixture
def post(untouched: Admin) -> Call:
    """One message, as it is given."""

    async def send(method: str, params: Any = None, **headers: Any) -> httpx2.Response:
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": 7, "method": method}
        if params is not None:
            message["params"] = params
        given = {"accept": "application/json, text/event-stream"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return await untouched.speaking_as(None).post(PATH, json=message, headers=given)

    return send


def enveloped(version: str = MODERN, **params: Any) -> dict[str, Any]:
    return params | {"_meta": {f"{META}protocolVersion": version, f"{META}clientCapabilities": {}}}


def error(response: httpx2.Response, status: int, code: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    found: dict[str, Any] = response.json()["error"]
    assert found["code"] == code
    return found


async def test_the_present_era_by_hand(post: Call) -> None:
    response = await post("server/discover", enveloped(), mcp_protocol_version=MODERN, mcp_method="server/discover")
    result = response.json()["result"]
    assert result["supportedVersions"] == list(MODERN_VERSIONS)
    assert (result["resultType"], result["cacheScope"]) == ("complete", "public")
    assert result["ttlMs"] > 0
    assert result["_meta"][f"{META}serverInfo"].items() >= NAME.items()
    assert f"{META}ui" in result["capabilities"]["extensions"]
    head = {"mcp_protocol_version": MODERN, "mcp_method": "tools/call"}
    call = enveloped(name="ask", arguments={"query": "é"})
    assert (await post("tools/call", call, **head, mcp_name="ask")).json()["result"]["isError"] is False
    assert (await post("tools/call", call, **head, mcp_name="=?base64?YXNr?=")).status_code == 200
    error(await post("tools/call", call, **head), 400, -32020)
    error(await post("tools/call", call, **head, mcp_name="list_models"), 400, -32020)
    error(await post("tools/list", enveloped(), **head), 400, -32020)
    error(await post("tools/list", enveloped(), mcp_method="tools/list"), 400, -32020)
    error(await post("tools/list", {}, mcp_protocol_version=MODERN, mcp_method="tools/list"), 400, -32602)
    unknown = await post(
        "tools/list", enveloped("2099-01-01"), mcp_protocol_version="2099-01-01", mcp_method="tools/list"
    )
    assert error(unknown, 400, -32022)["data"] == {"supported": list(MODERN_VERSIONS), "requested": "2099-01-01"}
    for method in ("ping", "initialize", "prompts/list", "nonsense"):
        error(await post(method, enveloped(), mcp_protocol_version=MODERN, mcp_method=method), 404, -32601)


@pytest.mark.parametrize("version", HANDSHAKE_VERSIONS)
async def test_the_era_of_the_handshake_by_hand(post: Call, version: str) -> None:
    hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    result = (await post("initialize", hello)).json()["result"]
    assert result["protocolVersion"] == version
    assert result["serverInfo"].items() >= NAME.items()
    assert (await post("ping", mcp_protocol_version=version)).json()["result"] == {}
    listed = (await post("tools/list", mcp_protocol_version=version)).json()["result"]
    assert set(listed) == {"tools"}
    error(await post("nonsense", mcp_protocol_version=version), 200, -32601)
    error(await post("server/discover", mcp_protocol_version=version), 200, -32601)
    error(await post("tools/list", mcp_protocol_version="1999-01-01"), 400, -32022)
    newest = await post("initialize", hello | {"protocolVersion": "1999-01-01"})
    assert newest.json()["result"]["protocolVersion"] == HANDSHAKE_VERSIONS[0]


async def test_notifications_get_no_answer(untouched: Admin) -> None:
    anyone = untouched.speaking_as(None)
    for method in ("notifications/initialized", "notifications/cancelled", "tools/list"):
        response = await anyone.post(PATH, json={"jsonrpc": "2.0", "method": method})
        assert (response.status_code, response.content) == (202, b"")


async def test_get_is_the_manifest_and_no_stream(untouched: Admin) -> None:
    anyone = untouched.speaking_as(None)
    manifest = await anyone.get(PATH)
    assert manifest.content == (await anyone.get(f"{PATH}/manifest.json")).content
    assert (await anyone.get(PATH, headers={"accept": "*/*"})).content == manifest.content
    for response in (
        await anyone.get(PATH, headers={"accept": "text/event-stream"}),
        await anyone.delete(PATH),
        await anyone.put(PATH),
    ):
        error(response, 405, -32000)
        assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, -32700),
        (b"{", 400, -32700),
        (b"\xff", 400, -32700),
        (b"[]", 400, -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b"[" * 60_000, 400, -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["ask"]}}', 200, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ask","arguments":[1]}}', 200, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":7}}', 200, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}', 200, -32602),
        (b" " * (MAX_BODY + 1), 413, -32600),
    ],
)
async def test_bad_messages_get_json_rpc_errors(untouched: Admin, content: bytes, status: int, code: int) -> None:
    response = await untouched.speaking_as(None).post(
        PATH, content=content, headers={"content-type": "application/json"}
    )
    error(response, status, code)


async def test_other_types_are_refused(untouched: Admin) -> None:
    anyone = untouched.speaking_as(None)
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    error(await anyone.post(PATH, content=body, headers={"content-type": "text/plain"}), 415, -32600)
    packed = {"content-type": "application/json", "content-encoding": "gzip"}
    error(await anyone.post(PATH, content=body, headers=packed), 415, -32600)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://gateway.test", True),
        ("https://evil.test", False),
        ("http://gateway.test.evil.test", False),
        ("https://gateway.test", False),
        ("null", False),
        ("", False),
    ],
)
async def test_pages_of_other_sites_are_refused(untouched: Admin, origin: str, allowed: bool) -> None:
    anyone = untouched.speaking_as(None)
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    response = await anyone.post(PATH, json=ping, headers={"origin": origin})
    preflight = await anyone.options(PATH, headers={"origin": origin, "access-control-request-method": "POST"})
    if allowed:
        assert (response.status_code, preflight.status_code) == (200, 204)
        assert response.headers["access-control-allow-origin"] == origin
        assert "Mcp-Method" in preflight.headers["access-control-allow-headers"]
    else:
        error(response, 403, -32000)
        assert preflight.status_code == 403
        assert "access-control-allow-origin" not in response.headers


async def test_pages_of_other_sites_may_read_the_manifest(untouched: Admin) -> None:
    anyone = untouched.speaking_as(None)
    asks = {"origin": "https://else.test", "access-control-request-method": "GET"}
    preflight = await anyone.options(PATH, headers=asks)
    read = await anyone.get(PATH, headers={"origin": "https://else.test"})
    assert (preflight.status_code, read.status_code) == (204, 200)
    assert preflight.headers["access-control-allow-origin"] == read.headers["access-control-allow-origin"] == "*"


async def test_several_headers_that_differ_are_refused(untouched: Admin) -> None:
    anyone = untouched.speaking_as(None)
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": enveloped()})
    headers = [
        ("content-type", "application/json"),
        ("mcp-protocol-version", MODERN),
        ("mcp-protocol-version", HANDSHAKE_VERSIONS[0]),
        ("mcp-method", "tools/list"),
    ]
    error(await anyone.post(PATH, content=body, headers=headers), 400, -32020)


async def test_a_forged_host_is_in_no_answer(untouched: Admin) -> None:
    forged = {"host": "evil.test", "x-forwarded-host": "evil.test"}
    anyone = untouched.speaking_as(None)
    for method in ("tools/list", "resources/list"):
        response = await anyone.post(PATH, json={"jsonrpc": "2.0", "id": 1, "method": method}, headers=forged)
        assert "result" in response.json()
        assert re.search("evil", response.text) is None
