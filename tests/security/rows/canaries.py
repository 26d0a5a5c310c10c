"""Secrets through every input of the gateway, under names that no search can miss.

It decides what is pushed where. It must not know where it is looked for afterwards.
"""

import dataclasses
import functools
import os
import socket
from typing import Any

import httpx2

from tests.e2e.gateway import eventually
from tests.security.wire import BEHIND_THE_DOOR, CHAT_PLACE, LISTENERS, SSE, filled, request, send, whole
from tests.security.world import ASKED, CHAT, World

FEWEST = 20
MCP_ACCEPT = {"accept": SSE}
ODD_PATHS = (
    "/nothing/{}", "/v1/models/{}", "/v1/receipts/{}", "/api/receipts/{}", "/api/keys/{}", "/api/prices/{}",
    "/v1/models?key={}", "/api/keys?token={}", "/mcp?api_key={}", "/healthz?{}", "/v1/{}/../models",
    "/v1beta/models?key={}", "/v1beta/models/sandbox:generateContent?key={}", "/v1beta/{}", "/v1beta/models/{}",
)  # fmt: skip
REFUSED = (
    ("authorization", "Bearer ", "sk-"),
    ("authorization", "Bearer ", "oat-"),
    ("authorization", "Basic ", ""),
    ("x-api-key", "", "sk-"),
    ("cookie", "oneapi_session=", ""),
)
HEADERS = (
    "cookie", "x-a", "user-agent", "referer", "from", "forwarded", "accept-language", "x-real-ip", "if-none-match",
    "proxy-authorization", "openai-organization", "openai-project", "anthropic-beta", "last-event-id",
    "idempotency-key", "x-stainless-lang", "mcp-session-id", "content-language",
)  # fmt: skip


@dataclasses.dataclass
class Planted:
    """`secrets` by what they were; `names` are what may be found and so prove that the searches find; `heard` is what
    anybody was answered who must not be told; `roles` have a credential for each role."""

    secrets: dict[str, str] = dataclasses.field(default_factory=dict)
    names: dict[str, str] = dataclasses.field(default_factory=dict)
    heard: list[str] = dataclasses.field(default_factory=list)
    roles: dict[str, str] = dataclasses.field(default_factory=dict)
    trace_id: str = ""

    def secret(self, what: str, prefix: str = "") -> str:
        value = f"{prefix}CANARY{len(self.secrets):03}{os.urandom(12).hex()}"
        self.secrets[f"{what} {len(self.secrets)}"] = value
        return value

    def hear(self, answer: httpx2.Response) -> httpx2.Response:
        self.heard.append(f"{answer.headers}\n{answer.text}")
        return answer


@functools.cache
def planted(world: World) -> Planted:
    """Pushes them once, and waits until what they cause has arrived where it is kept."""
    canaries = Planted()
    gateway = world.gateway
    traced = {"traceparent": f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"}
    canaries.trace_id = traced["traceparent"].split("-")[1]
    key = gateway.key(name="canary")
    canaries.secrets["relay key"] = key
    _configuration(world, canaries)
    _people(world, canaries)
    _conversations(world, canaries, key, traced)
    _tools(world, canaries, key, traced)
    _strangers(world, canaries, key, traced)
    _torn(world, canaries)
    world.canaries.update(canaries.secrets.values())
    world.collector.wait(canaries.trace_id, lambda spans: sum(span.name == "edge request" for span in spans) >= 6)
    eventually(lambda: _billed(world, key), 20)
    return canaries


def _billed(world: World, key: str) -> bool:
    rows = world.gateway.admin.get("/api/usage?group_by=key").json()["data"]
    found = world.gateway.admin.get("/api/keys?name=canary").json()["data"]
    ids = {row["id"] for row in found if row["hint"].endswith(key[-4:])}
    return any(row["key_id"] in ids and row["requests"] for row in rows)


def _configuration(world: World, canaries: Planted) -> None:
    """What operators give the gateway: good, refused and broken."""
    gateway, secret = world.gateway, canaries.secret
    name = canaries.names["channel"] = f"canary-channel-{os.urandom(4).hex()}"
    headers = {"x-tenant": secret("channel header"), "authorization": f"Bearer {secret('channel authorization')}"}
    channel = gateway.channel(
        world.upstream,
        {"canary": "play:status=400", "canary-html": "play:status=500,html=1"},
        name=name,
        api_key=secret("channel key", "sk-"),
        headers=headers,
    )
    patched = gateway.admin.patch(f"/api/channels/{channel}", json={"api_key": secret("new channel key", "sk-")})
    canaries.hear(patched)
    world.allow(world.upstream.port)
    server = {"url": f"{world.upstream.url}/mcp", "auth": f"Bearer {secret('MCP authorization')}"}
    made = gateway.create("mcp-servers", name="canary", headers={"x-a": secret("MCP header")}, **server)
    changed = {"auth": f"Bearer {secret('new MCP authorization')}"}
    canaries.hear(gateway.admin.patch(f"/api/mcp-servers/{made['id']}", json=changed))
    refused: list[tuple[str, Any]] = [
        ("channels", {"name": "x", "provider": secret("wrong provider"), "api_key": secret("refused key", "sk-")}),
        ("channels", {"name": "x", "provider": "openai", "models": ["x"], "api_key": secret("odd key") + "\n"}),
        ("channels", {"name": "x", "provider": "openai", "models": [], "base_url": f"https://u:{secret('URL')}@e.com"}),
        ("mcp-servers", {"name": "x", "url": f"http://u:{secret('MCP URL')}@127.0.0.1/", "auth": secret("refused")}),
        ("keys", {"name": "x", "key": secret("own key", "sk-")}),
        ("tokens", {"name": "x", "token": secret("own token", "oat-")}),
        ("users", {"name": "x", "email": "a@b.c", "password": secret("short") + "\0"}),
    ]
    for resource, body in refused:
        canaries.hear(gateway.admin.post(f"/api/{resource}", json=body))
    for broken in (b'{"api_key": "%s', b'{"api_key": %s}', b'{"api_key":"a","api_key":"%s"}'):
        text = broken % secret("broken body", "sk-").encode()
        canaries.hear(gateway.admin.post("/api/channels", content=text, headers={"content-type": "application/json"}))
    canaries.hear(gateway.admin.post(f"/api/channels/{channel}/test", json={"model": secret("model to be tested")}))
    again = {"idempotency-key": "canary-" + os.urandom(4).hex()}
    for _ in range(2):
        made = gateway.admin.post("/api/tokens", json={"name": "replayed"}, headers=again).json()
        canaries.secrets["replayed token"] = made["token"]


def _people(world: World, canaries: Planted) -> None:
    """Users, their passwords and sessions, and a token of each role."""
    gateway = world.gateway
    password = canaries.secret("password")
    email = f"{os.urandom(4).hex()}@example.com"
    user = gateway.create("users", name="canary", email=email, password=password, role="member")
    for given in (password, canaries.secret("wrong password"), password + "x"):
        answer = httpx2.post(f"{gateway.url}/api/session", json={"email": email, "password": given})
        if answer.status_code == 201:
            canaries.secrets["session cookie"] = answer.cookies["oneapi_session"]
            canaries.heard.append(answer.text)
        else:
            canaries.hear(answer)
    canaries.hear(httpx2.post(f"{gateway.url}/api/session", json={"token": canaries.secret("token", "oat-")}))
    canaries.hear(httpx2.post(f"{gateway.url}/api/session", json={"email": canaries.secret("login"), "password": "x"}))
    canaries.hear(gateway.admin.patch(f"/api/users/{user['id']}", json={"password": canaries.secret("new password")}))
    account = gateway.create("accounts", name="canary", unlimited=True)["id"]
    for name, fields in {
        "owner of all": {"role": "owner"},
        "administrator of all": {"role": "admin"},
        "member of the operator": {"role": "member"},
        "owner of an account": {"role": "owner", "account_id": account},
        "administrator of an account": {"role": "admin", "account_id": account},
        "member of an account": {"role": "member", "account_id": account},
    }.items():
        token = str(gateway.create("tokens", name=name, **fields)["token"])
        canaries.secrets[f"token of the {name}"] = canaries.roles[name] = token
    by_token = httpx2.post(f"{gateway.url}/api/session", json={"token": canaries.roles["owner of all"]})
    canaries.secrets["cookie by token"] = by_token.cookies["oneapi_session"]
    canaries.roles["first administrator"] = canaries.secrets["first administrator"] = gateway.admin_token


def _conversations(world: World, canaries: Planted, key: str, traced: dict[str, str]) -> None:
    """What clients say, in every field and header, to models that answer, fail and don't exist."""
    secret = canaries.secret
    client = world.client(key)
    said = {name: secret(f"header {name}") for name in HEADERS}
    said |= {"baggage": f"a={secret('baggage')}", "tracestate": f"a={secret('tracestate')}"}
    for model in ("canary", "canary-html", "sandbox", secret("model", "sk-")):
        for stream in (False, True):
            body = {
                "model": model,
                "stream": stream,
                "user": secret("user"),
                "metadata": {"a": secret("metadata"), secret("name in metadata"): "b"},
                "prompt_cache_key": secret("cache key"),
                "messages": [{"role": "user", "content": secret("prompt")}],
                "tools": [{"type": "function", "function": {"name": "f", "description": secret("tool")}}],
                secret("unknown field"): secret("its value"),
            }
            answer = client.post(CHAT, json=body, headers={**traced, **said})
            if answer.status_code >= 400 and "CANARY" not in model:
                canaries.hear(answer)
    messages = {"model": "sandbox", "max_tokens": 9, "system": secret("system"), "metadata": {"user_id": secret("id")}}
    asked = [{"role": "user", "content": secret("prompt")}]
    client.post("/v1/messages", json={**messages, "messages": asked}, headers=traced)
    client.post("/v1/responses", json={"model": "sandbox", "input": secret("input")}, headers=traced)
    _in_addresses(world, canaries, key, traced)
    for broken in (b'{"model": "%s', b'{"model": %s}', b'["%s"]', b'{"model":"sandbox","messages":"%s"}'):
        text = broken % secret("broken body").encode()
        for path in (CHAT, "/v1/messages", "/v1/responses", "/v1/embeddings"):
            canaries.hear(client.post(path, content=text, headers={"content-type": "application/json", **traced}))


def _in_addresses(world: World, canaries: Planted, key: str, traced: dict[str, str]) -> None:
    """The key itself in the query, where Google's clients may have it, to models that answer, fail and don't exist."""
    secret = canaries.secret
    for model in ("canary", "canary-html", "sandbox", "no-such-model"):
        for verb in ("generateContent", "streamGenerateContent", "streamGenerateContent?alt=sse", "countTokens"):
            body = {
                "contents": [{"role": "user", "parts": [{"text": secret("part")}]}],
                "systemInstruction": {"parts": [{"text": secret("instruction")}]},
                "labels": {"a": secret("label")},
            }
            target = f"/v1beta/models/{model}:{verb}{'&' if '?' in verb else '?'}key={key}"
            answer = httpx2.post(f"{world.gateway.url}{target}", json=body, headers=traced)
            if answer.status_code >= 400:
                canaries.hear(answer)
    for query in (f"key={key}&key={key}", f"alt=x&key={key}", f"key={key}&" + "a" * 9_000):
        canaries.hear(httpx2.post(f"{world.gateway.url}/v1beta/models/sandbox:generateContent?{query}", headers=traced))


def _tools(world: World, canaries: Planted, key: str, traced: dict[str, str]) -> None:
    client = world.client(key)
    call: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    known = {"name": "x", "arguments": {"a": canaries.secret("tool argument")}, "_meta": {"a": canaries.secret("meta")}}
    unknown = {"name": canaries.secret("name of a tool"), "arguments": {canaries.secret("name of an argument"): 1}}
    for params in (known, unknown):
        canaries.hear(client.post("/mcp", json={**call, "params": params}, headers={**traced, **MCP_ACCEPT}))
    other = {**call, "method": canaries.secret("method")}
    # A method's name is repeated to the one who asked for it.
    client.post("/mcp", json=other, headers={**traced, **MCP_ACCEPT})
    client.post("/mcp", json={**call, "id": canaries.secret("JSON-RPC id")}, headers={**traced, **MCP_ACCEPT})
    said = {"mcp-session-id": canaries.secret("session"), "mcp-name": canaries.secret("header of MCP")}
    canaries.hear(client.post("/mcp", json=call, headers={**traced, **MCP_ACCEPT, **said}))


def _strangers(world: World, canaries: Planted, key: str, traced: dict[str, str]) -> None:
    """Credentials that are refused, and secrets in paths and queries."""
    url = world.gateway.url
    for path in (CHAT, "/v1/messages", "/v1/responses", "/mcp", "/api/keys"):
        for name, scheme, prefix in REFUSED:
            headers = {name: scheme + canaries.secret(f"refused {name}", prefix), **traced}
            canaries.hear(httpx2.post(f"{url}{path}", json=ASKED, headers=headers))
    for path in ODD_PATHS:
        for prefix in ("sk-", "oat-"):
            target = path.format(canaries.secret(f"path {path}", prefix))
            for credential in (key, world.gateway.admin_token):
                asking = {"authorization": f"Bearer {credential}", **traced}
                answer = httpx2.get(f"{url}{target}", headers=asking)
                if not target.startswith(("/v1/models/", "/v1beta/models/sk-", "/v1beta/models/oat-")):
                    # A model's name is repeated to the one who asked for it.
                    canaries.hear(answer)


def _torn(world: World, canaries: Planted) -> None:
    """What isn't even HTTP, or ends in the middle."""
    for place in (*BEHIND_THE_DOOR, *LISTENERS[1:]):
        port = world.ports[place.listener]
        torn = [
            f"GET /{canaries.secret('bad version')} HTTP/9.9\r\n\r\n",
            f"{canaries.secret('bad line')}\r\n\r\n",
            f"GET / HTTP/1.1\r\nhost: {canaries.secret('bad host')}@x\r\n\r\n",
            f"GET / HTTP/1.1\r\nhost: gw\r\n{canaries.secret('bad header')}\r\n\r\n",
        ]
        good = filled(world, whole(place, f"content-encoding: {canaries.secret('encoding')}"))
        odd = filled(world, whole(place)).replace(b"application/json", canaries.secret("type").encode(), 1)
        upgrade = ("upgrade: websocket", "connection: upgrade", f"sec-websocket-protocol: {canaries.secret('socket')}",
                   f"sec-websocket-key: {canaries.secret('socket key')}")  # fmt: skip
        wished = request(f"GET {place.target} HTTP/1.1", *upgrade)
        for sent in (*(text.encode() for text in torn), good, odd, wished):
            canaries.heard.append(send(port, sent, ends=True).decode("latin-1"))
    with socket.create_connection(("127.0.0.1", world.gateway.port)) as sock:
        body = canaries.secret("body cut short").encode()
        sock.sendall(filled(world, whole(CHAT_PLACE, body=body * 10))[:-20])
