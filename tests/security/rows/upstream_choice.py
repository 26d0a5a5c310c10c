"""R: where the gateway may be led to, by who configures it and by who uses it."""

import dataclasses
import functools
from typing import Any

from tests.e2e.gateway import eventually
from tests.security.hostile import REDIRECTS, SECRET, TRICKS, hostile_upstream
from tests.security.rows.addresses import EVEN_WHEN_PRIVATE, FORBIDDEN, NAMES, SCHEMES, SHAPES
from tests.security.strict import strict_admin
from tests.security.table import Absent, Row
from tests.security.world import ASKED, CHAT, World

FIELDS: dict[str, dict[str, Any]] = {
    "channels": {"name": "x", "provider": "openai-compatible", "models": ["x"]},
    "mcp-servers": {"name": "x"},
}
URL_FIELDS = {"channels": "base_url", "mcp-servers": "url"}


@dataclasses.dataclass(frozen=True)
class Place:
    """A URL that a resource may not have. `resolved` is what its name leads to."""

    url: str
    resource: str = "channels"
    method: str = "POST"
    resolved: tuple[str, ...] = ("93.184.215.14",)

    @property
    def name(self) -> str:
        return f"{self.method} {self.resource} {self.url} {'' if len(self.resolved) == 0 else self.resolved[-1]}"


def places(urls: list[str]) -> list[Place]:
    """Each for channels and for MCP servers, made with it and changed to it."""
    return [Place(url, resource, method) for url in urls for resource in FIELDS for method in ("POST", "PATCH")]


def refused_by_default(world: World, place: Place) -> None:
    """Where no private upstream is allowed."""
    admin = strict_admin()
    admin.answers = place.resolved
    field, path = URL_FIELDS[place.resource], f"/api/{place.resource}"
    body = {**FIELDS[place.resource], field: place.url}
    if place.method == "PATCH":
        path, body = f"{path}/{good_one(place.resource)}", {field: place.url}
    answer = admin.request(place.method, path, body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] in {"url_not_allowed", "invalid_request"}, answer.text
    assert world.gateway.admin_token not in answer.text


@functools.cache
def good_one(resource: str) -> str:
    """The id of a channel or server at a good place, which is to stay there."""
    body = {**FIELDS[resource], URL_FIELDS[resource]: "https://93.184.215.14/v1"}
    return str(strict_admin().request("POST", f"/api/{resource}", body).json()["id"])


def refused_even_when_private(world: World, place: Place) -> None:
    """Where private upstreams are allowed: by the running gateway."""
    body = {**FIELDS[place.resource], URL_FIELDS[place.resource]: place.url}
    answer = world.gateway.admin.post(f"/api/{place.resource}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "url_not_allowed"), answer.text


RESOLVED = [
    Place("https://upstream.example.com/v1", resource, method, resolved)
    for resource in FIELDS
    for method in ("POST", "PATCH")
    for resolved in (
        ("127.0.0.1",),
        ("10.0.0.7",),
        ("169.254.169.254",),
        ("::1",),
        ("fd00::1",),
        ("93.184.215.14", "192.168.1.1"),
        ("93.184.215.14", "::ffff:127.0.0.1"),
        ("2606:2800:21f::1", "64:ff9b::7f00:1"),
    )
]


@dataclasses.dataclass(frozen=True)
class Choice:
    """A field of a request by which a client of another gateway chooses where it goes."""

    path: str
    field: str
    value: object

    @property
    def name(self) -> str:
        return f"{self.path} {self.field}"


CONVERSATION = {"messages": [{"role": "user", "content": "hi"}]}
REQUESTS: dict[str, dict[str, Any]] = {
    CHAT: {"model": "sandbox", **CONVERSATION},
    "/v1/messages": {"model": "sandbox", "max_tokens": 9, **CONVERSATION},
    "/v1/responses": {"model": "sandbox", "input": "hi"},
    "/v1/embeddings": {"model": "sandbox", "input": "hi"},
    "/v1beta/models/sandbox:generateContent": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}
ELSEWHERE = "http://127.0.0.1:9/v1"
CHOICES = [
    Choice(path, field, value)
    for path in REQUESTS
    for field, value in (
        ("api_base", ELSEWHERE),
        ("base_url", ELSEWHERE),
        ("api_key", "sk-of-somebody"),
        ("api_version", "1"),
        ("custom_llm_provider", "openai"),
        ("extra_headers", {"x-api-key": "k"}),
        ("headers", {"authorization": "Bearer k"}),
        ("extra_body", {"api_base": ELSEWHERE}),
        ("azure_endpoint", ELSEWHERE),
        ("aws_bedrock_runtime_endpoint", ELSEWHERE),
        ("vertex_project", "p"),
        ("proxy", ELSEWHERE),
    )
]


def chosen_by_field(world: World, choice: Choice) -> None:
    asked = {**REQUESTS[choice.path], choice.field: choice.value}
    answer = world.client(world.key).post(choice.path, json=asked)
    world.bills(world.key, answer.is_success)
    assert answer.status_code == 400, f"{answer.status_code} {answer.text}"
    error = answer.json()["error"]
    assert "unsupported_parameter" in {error.get("code"), error.get("type")} or choice.field in error["message"], error


CHOOSING_HEADERS = [
    *(f"x-portkey-{name}" for name in ("custom-host", "provider", "config", "virtual-key")),
    *(f"x-upstream-{name}" for name in ("url", "host", "base-url")),
    *(f"x-oneapi-{name}" for name in ("channel", "upstream", "base-url", "provider")),
    *("x-litellm-api-base", "helicone-target-url", "x-forwarded-host", "x-target-url", "x-api-base", "x-base-url"),
    *("openai-organization", "openai-project", "cf-aig-authorization", "x-goog-user-project", "x-amz-security-token"),
    *("cookie", "referer", "idempotency-key", "proxy-authorization", "x-custom", "user", "true-client-ip"),
]
RELAYED = "relayed-by-the-table"


def relayed_model(world: World) -> str:
    """A model of the upstream that keeps the headers of each request."""
    client = world.client(world.key)
    world.allow(world.upstream.port)
    if client.get(f"/v1/models/{RELAYED}").status_code != 200:
        fields = {"headers": {"x-of-the-channel": "kept"}, "groups": ["*"]}
        world.gateway.channel(world.upstream, {RELAYED: "play"}, api_key="sk-upstream-credential", **fields)
        eventually(lambda: client.get(f"/v1/models/{RELAYED}").status_code == 200)
    return RELAYED


def chosen_by_header(world: World, header: str) -> None:
    """The header goes nowhere: neither does the request, nor does the header itself."""
    model, word = relayed_model(world), f"value-of-{header}"
    answer = world.client(world.key).post(CHAT, json={**ASKED, "model": model}, headers={header: word})
    assert answer.status_code == 200, answer.text
    world.bills(world.key, 1)
    last = world.upstream.served(model="play")[-1]
    assert last["credential"] == "Bearer sk-upstream-credential"
    assert word not in str(last["headers"])
    assert world.key not in str(last)
    names = {name.lower() for name in last["headers"]}
    ours = {"host", "authorization", "content-type", "content-length", "accept-encoding", "user-agent"}
    assert names <= ours | {"x-of-the-channel", "traceparent", "accept"}, names


def redirected(world: World, model: str) -> None:
    """Nobody follows it, whoever is asked."""
    server, key = hostile_upstream(world)
    for stream in (False, True):
        before = len(server.seen)
        answer = world.client(key).post(CHAT, json={**ASKED, "model": model, "stream": stream})
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "redirect_refused"), answer.text
        assert "location" not in answer.headers
        assert not [head for head in server.seen[before:] if b"secret" in head]


def trick(world: World, model: str) -> None:
    """An upstream that is broken or means harm is an error for its caller, or its answer without the harm."""
    server, key = hostile_upstream(world)
    statuses, _ = TRICKS[model]
    for stream in (False, True):
        answer = world.client(key).post(CHAT, json={**ASKED, "model": model, "stream": stream})
        # A whole answer is no stream: then a refusal is right as well.
        assert answer.status_code in (statuses | {502, 503} if stream else statuses), answer.text[:300]
        for never in (SECRET, "10.1.2.3", "smuggled"):
            assert never not in answer.text
        assert not {"set-cookie", "access-control-allow-origin"} & set(answer.headers)
    assert not [head for head in server.seen if world.key.encode() in head or key.encode() in head]


def pictured(world: World, url: str) -> None:
    """A picture that the provider would have to fetch from inside."""
    part = {"type": "image_url", "image_url": {"url": url}}
    asked = {"model": "sandbox", "messages": [{"role": "user", "content": [part]}]}
    answer = world.client(world.key).post(CHAT, json=asked)
    world.bills(world.key, answer.is_success)
    expected = (413, "body_too_large") if url.startswith("data:") else (400, "invalid_image_url")
    assert answer.status_code == expected[0], f"{answer.status_code} {answer.text[:200]}"
    if expected[0] == 400:
        assert answer.json()["error"]["code"] == expected[1], answer.text


PICTURES = [
    "file:///etc/passwd",
    "gopher://169.254.169.254/x",
    "ftp://example.com/x",
    "javascript:alert(1)",
    "http://169.254.169.254/latest/meta-data/",
    "https://metadata.google.internal/",
    "http://[::ffff:169.254.169.254]/",
    "http://100.100.100.200/",
    "http://0.0.0.0/",
    "http://user:pass@example.com/x.png",
    "http://0xa9fea9fe/",
    "//example.com/x.png",
    "data:image/png;base64," + "A" * 30_000_000,
]

ROWS: list[Row | Absent] = [
    Row("R-01", "fields that choose the upstream", chosen_by_field, CHOICES),
    Row("R-02", "schemes, users, ports", refused_by_default, places(SCHEMES)),
    Row("R-03", "URLs that parsers read differently", refused_by_default, places(SHAPES)),
    Row("R-04", "metadata services and internal names", refused_by_default, places(NAMES)),
    Row("R-05", "addresses that are not public", refused_by_default, places(FORBIDDEN)),
    Row(
        "R-06",
        "addresses that are refused where private ones are allowed",
        refused_even_when_private,
        [Place(url, resource) for url in EVEN_WHEN_PRIVATE for resource in FIELDS],
    ),
    Row("R-07", "names that lead inside", refused_by_default, RESOLVED),
    Row("R-08", "redirects", redirected, list(REDIRECTS), at_once=4),
    Row("R-09", "headers that choose the upstream", chosen_by_header, CHOOSING_HEADERS),
    Row("R-12", "pictures at internal places", pictured, PICTURES),
    Absent("R-13", "URLs of webhooks", "the gateway calls nobody back: there are no webhooks"),
    Row("R-17", "upstreams that mean harm", trick, list(TRICKS), at_once=3),
]
