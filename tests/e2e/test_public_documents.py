"""The public documents on a whole gateway: every address that readers know answers, and so does every one they name."""

import html
import re

import httpx2
import pytest

from services.admin.public.pages.search import PATH as SEARCH
from services.admin.public.registry import DOCUMENTS
from services.admin.public.routes import ROUTES, Auth
from tests.e2e.gateway import Gateway, UpstreamServer, eventually

MARKDOWN, JSON, TEXT = "text/markdown; charset=utf-8", "application/json", "text/plain; charset=utf-8"
KNOWN = (
    ("GET", "/llms.txt", TEXT),
    ("GET", "/docs/llms.txt", TEXT),
    ("GET", "/api/llms.txt", TEXT),
    ("GET", "/developers/llms.txt", TEXT),
    ("GET", "/index.md", MARKDOWN),
    ("GET", "/api.md", MARKDOWN),
    ("GET", "/auth.md", MARKDOWN),
    ("GET", "/pricing.md", MARKDOWN),
    ("GET", "/openapi.json", "application/vnd.oai.openapi+json;version=3.1"),
    ("GET", "/openapi.json.md", MARKDOWN),
    (
        "GET",
        "/.well-known/api-catalog",
        'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"',
    ),
    ("GET", "/.well-known/ai-catalog.json", "application/ai-catalog+json"),
    ("GET", "/.well-known/agent-card.json", JSON),
    ("GET", "/.well-known/agent-skills/index.json", JSON),
    ("GET", "/.well-known/mcp/manifest.json", JSON),
    ("GET", "/.well-known/mcp", JSON),
    ("GET", "/.well-known/mcp/server-card.json", "application/mcp-server-card+json"),
    ("GET", "/mcp-apps/public-discovery.html", "text/html;profile=mcp-app;charset=utf-8"),
    ("GET", "/ask", JSON),
    ("GET", "/sandbox", MARKDOWN),
    ("GET", "/developer-resources", MARKDOWN),
    ("GET", "/api/models/display", JSON),
    ("GET", "/api/tools/display", JSON),
    ("POST", "/v1/chat/completions", JSON),
    ("POST", "/v1/responses", JSON),
    ("POST", "/v1/messages", JSON),
    ("GET", "/v1/models", JSON),
    ("POST", "/mcp", JSON),
    ("POST", "/sandbox/v1/chat/completions", JSON),
    ("POST", "/sandbox/v1/responses", JSON),
    ("POST", "/sandbox/v1/messages", JSON),
)
BASES = frozenset({"/v1", "/sandbox/v1"})
"""What SDKs put before their paths; nothing has to be there itself."""


@pytest.fixture(scope="module")
def anyone(gateway: Gateway) -> httpx2.Client:
    return httpx2.Client(base_url=gateway.url, timeout=30)


@pytest.mark.parametrize(("method", "path", "media_type"), KNOWN, ids=str)
def test_what_readers_know_answers(anyone: httpx2.Client, method: str, path: str, media_type: str) -> None:
    answer = anyone.request(method, path, json={} if method == "POST" else None)
    keyed = {(route.method, route.path): route.auth for route in ROUTES}.get((method, path)) is Auth.RELAY_KEY
    # An empty request to the sandbox is refused in its format.
    assert answer.status_code == (401 if keyed else 400 if method == "POST" else 200), answer.text
    assert answer.headers["content-type"] == media_type
    if not keyed and method == "GET":
        assert anyone.head(path).headers["content-length"] == str(len(answer.content))


def test_every_document_comes_through_the_door(anyone: httpx2.Client) -> None:
    for document in DOCUMENTS:
        answer = anyone.get(document.path)
        assert answer.status_code == 200, document.path
        assert answer.headers["content-type"] == document.media_type, document.path


def test_every_address_in_a_document_answers(gateway: Gateway, anyone: httpx2.Client) -> None:
    named: dict[str, str] = {}
    for document in DOCUMENTS:
        if document.path == SEARCH:
            continue  # passages of the others, without their markup
        for path in re.findall(
            re.escape(gateway.url) + r"([^\s\"'<>`)\]|\\]*)", html.unescape(anyone.get(document.path).text)
        ):
            named.setdefault(path.rstrip(".,"), document.path)
    assert len(named) > 30
    posted = {route.path for route in ROUTES if route.method == "POST"}
    posted -= {route.path for route in ROUTES if route.method == "GET"} | {document.path for document in DOCUMENTS}

    def status(path: str) -> int:
        asked = anyone.post(path, json={}) if path in posted else anyone.get(path)
        return asked.status_code

    dead = {path: where for path, where in named.items() if path not in BASES and status(path) in {404, 502, 503}}
    assert not dead


def test_there_is_no_server_that_issues_credentials(anyone: httpx2.Client) -> None:
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
        assert anyone.get(path).status_code == 404


def test_documents_follow_a_new_model(gateway: Gateway, anyone: httpx2.Client, upstream: UpstreamServer) -> None:
    before = anyone.get("/llms.txt").headers["x-catalog-revision"]
    gateway.create(
        "channels",
        name="documents",
        provider="openai-compatible",
        base_url=f"{upstream.url}/v1",
        api_key="upstream-credential",
        models=["aaa-documents"],
    )
    pages = {path: anyone.get(path) for path in ("/llms.txt", "/", "/pricing.md", "/openapi.json")}
    assert {page.headers["x-catalog-revision"] for page in pages.values()} != {before}
    assert len({page.headers["x-catalog-revision"] for page in pages.values()}) == 1
    for path in ("/", "/pricing.md", "/openapi.json"):
        assert "aaa-documents" in pages[path].text, path
    # What documents name can be asked for.
    key = gateway.key()
    eventually(lambda: gateway.client(key).get("/v1/models/aaa-documents").status_code == 200)
