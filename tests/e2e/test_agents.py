"""Whatever a card or catalog names is called for real, through the whole gateway, as an agent would that found it."""

import asyncio
from typing import Any

import httpx
import httpx2
import pytest
from a2a.client import ClientConfig, ClientFactory
from a2a.types import AgentCard, Message, Part, Role, SendMessageRequest
from google.protobuf.json_format import ParseDict
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from tests.e2e.gateway import Gateway

WELL_KNOWN = "/.well-known"


def read(gateway: Gateway, path: str) -> Any:
    answer = httpx2.get(gateway.url + path.removeprefix(gateway.url))
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


@pytest.fixture(scope="module")
def catalog(gateway: Gateway) -> dict[str, str]:
    """The addresses of artifacts, by their types."""
    entries = read(gateway, f"{WELL_KNOWN}/ai-catalog.json")["entries"]
    assert read(gateway, f"{WELL_KNOWN}/ard.json")["entries"][0]["url"] == entries[0]["url"]
    return {entry["type"]: entry["url"] for entry in entries}


@pytest.fixture(scope="module")
def key(gateway: Gateway) -> str:
    return gateway.key()


def test_every_remote_of_the_server_card_speaks_every_version(
    gateway: Gateway, catalog: dict[str, str], key: str
) -> None:
    card = read(gateway, catalog["application/mcp-server-card+json"])
    assert {remote["url"] for remote in card["remotes"]} == {f"{gateway.url}/mcp", f"{gateway.url}/.well-known/mcp"}

    async def hello(remote: dict[str, Any], mode: str) -> tuple[str, str]:
        given = {header["name"]: header["value"].format(relay_key=key) for header in remote.get("headers", ())}
        async with (
            httpx2.AsyncClient(headers=given, timeout=30) as http,
            Client(streamable_http_client(remote["url"], http_client=http), mode=mode) as client,
        ):
            listed, info = await client.list_tools(), client.server_info
            if info is not None:
                return info.name, info.version
            # Who never said hello reads it off any result.
            named = (listed.meta or {})["io.modelcontextprotocol/serverInfo"]
            return named["name"], named["version"]

    async def raw(remote: dict[str, Any], version: str) -> str:
        given = {header["name"]: header["value"].format(relay_key=key) for header in remote.get("headers", ())}
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        async with httpx2.AsyncClient(headers={"accept": "application/json, text/event-stream"} | given) as http:
            return str((await http.post(remote["url"], json=message)).json()["result"]["protocolVersion"])

    with asyncio.Runner() as runner:
        for remote in card["remotes"]:
            for mode in ("legacy", "auto", *MODERN_PROTOCOL_VERSIONS):
                assert runner.run(hello(remote, mode)) == (card["name"], card["version"]), (remote, mode)
            for version in set(remote["supportedProtocolVersions"]) - set(MODERN_PROTOCOL_VERSIONS):
                assert runner.run(raw(remote, version)) == version


def test_every_interface_of_the_agent_card_answers(gateway: Gateway, catalog: dict[str, str]) -> None:
    card = ParseDict(read(gateway, catalog["application/a2a-agent-card+json"]), AgentCard())
    asked = Message(message_id="m", role=Role.ROLE_USER, parts=[Part(text="what does the model sandbox cost")])

    async def ask(binding: str, *, streaming: bool) -> str:
        async with httpx.AsyncClient() as http:
            config = ClientConfig(streaming=streaming, httpx_client=http, supported_protocol_bindings=[binding])
            client = ClientFactory(config).create(card)
            answers = [answer async for answer in client.send_message(SendMessageRequest(message=asked))]
            return str(answers[0].message.parts[0].text)

    with asyncio.Runner() as runner:
        for interface in card.supported_interfaces:
            for streaming in (True, False):
                assert "sandbox" in runner.run(ask(interface.protocol_binding, streaming=streaming))


def test_the_skill_and_its_index(gateway: Gateway, catalog: dict[str, str]) -> None:
    (skill,) = read(gateway, f"{WELL_KNOWN}/agent-skills/index.json")["skills"]
    served = httpx2.get(gateway.url + skill["url"])
    assert gateway.url + skill["url"] == catalog["application/agent-skills+md"]
    assert gateway.url in served.text


def test_questions_and_the_view(gateway: Gateway) -> None:
    answer = read(gateway, "/ask?q=sandbox")
    assert all(place["url"].startswith(gateway.url) for place in answer["citations"])
    streamed = httpx2.post(f"{gateway.url}/ask", json={"query": {"text": "a"}, "prefer": {"streaming": True}})
    assert streamed.text.startswith("event: start\n")
    view = httpx2.get(f"{gateway.url}/mcp-apps/public-discovery.html")
    assert view.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_change_is_in_every_answer_at_once(gateway: Gateway) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_models", "arguments": {}}}
    sent = {"message": {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "model sandbox"}]}}
    for price in ("0.07", "0.08"):
        assert gateway.admin.put("/api/prices/sandbox", json={"input": price}).status_code in {200, 201}
        answers = [
            httpx2.get(f"{gateway.url}/ask?q=model+sandbox"),
            httpx2.post(f"{gateway.url}/.well-known/mcp", json=call),
            httpx2.post(f"{gateway.url}/a2a/message:send", json=sent, headers={"a2a-version": "1.0"}),
        ]
        assert all(price in answer.text for answer in answers)
        assert len({answer.headers["x-catalog-revision"] for answer in answers}) == 1


@pytest.mark.parametrize("path", ["/ask", "/.well-known/mcp", "/mcp/server-card", "/.well-known/agent-card.json"])
def test_a_forged_host_is_in_nothing(gateway: Gateway, path: str) -> None:
    forged = {"x-forwarded-host": "evil.test", "host": "evil.test", "forwarded": "host=evil.test"}
    answer = httpx2.get(gateway.url + path, headers=forged)
    assert "evil.test" not in answer.text


def test_pages_of_other_sites_and_bad_bodies_are_refused(gateway: Gateway) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    url = f"{gateway.url}/.well-known/mcp"
    assert httpx2.post(url, json=ping, headers={"origin": "https://evil.test"}).status_code == 403
    assert httpx2.get(url, headers={"accept": "text/event-stream"}).status_code == 405
    assert httpx2.delete(url).status_code == 405
    for path in ("/ask", "/.well-known/mcp", "/a2a", "/a2a/message:send"):
        deep = b'{"query":' + b"[" * 5_000 + b"]" * 5_000 + b"}"
        head = {"content-type": "application/json", "a2a-version": "1.0"}
        assert httpx2.post(gateway.url + path, content=deep, headers=head).status_code == 400
        assert httpx2.post(gateway.url + path, content=b" " * 100_000, headers=head).status_code == 413
    for path in ("/ask/more", "/mcp/server-card/x", "/.well-known/mcp/nothing", "/a2a/nothing"):
        assert httpx2.get(gateway.url + path).status_code == 404
