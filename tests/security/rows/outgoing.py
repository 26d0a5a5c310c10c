"""R: how the gateway calls what it was configured to call."""

from pathlib import Path

from tests.e2e.gateway import eventually
from tests.security.estate import insider
from tests.security.proxies import PROXIES
from tests.security.table import Absent, Row
from tests.security.tls import KINDS, distrusted
from tests.security.world import ASKED, CHAT, World


def distrusted_tls(world: World, kind: str) -> None:
    """No request goes to a server that can't show who it is, whatever the channel's own settings say."""
    server = distrusted(kind)
    world.allow(server.port)
    model = f"tls {kind}"
    careless = {"verify": "false", "ssl_verify": "0", "insecure": "true"}
    fields = {"provider": "openai-compatible", "base_url": f"https://127.0.0.1:{server.port}/v1", "config": careless}
    channel = world.gateway.create("channels", name=model, models=[model], api_key="sk-not-for-it", **fields)
    client = world.client(world.gateway.key(name=model))
    eventually(lambda: client.get(f"/v1/models/{model}").status_code == 200)
    for stream in (False, True):
        answer = client.post(CHAT, json={**ASKED, "model": model, "stream": stream})
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_tls"), answer.text
    probed = world.gateway.admin.post(f"/api/channels/{channel['id']}/test").json()
    assert not probed["ok"], probed
    assert server.reached == 0


def careless_setting(world: World, fields: dict[str, object]) -> None:
    """There is no field that turns the check of certificates off."""
    body = {"name": "x", "provider": "openai-compatible", "models": ["x"], "base_url": "https://127.0.0.1/v1"}
    answer = world.gateway.admin.post("/api/channels", json=body | fields)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_field"), answer.text


def proxied(world: World, model: str) -> None:
    """The gateway was started with a proxy in its environment: nobody connects there (the world watches)."""
    process = world.gateway.process
    assert process is not None
    environment = Path(f"/proc/{process.pid}/environ").read_bytes()
    assert all(f"{name}={url}".encode() in environment for name, url in PROXIES.items())
    assert world.client(world.key).get(f"/v1/models/{model}").status_code == 200
    world.chat(world.key, model=model)
    assert insider(world, "admin of operator").get("/api/status").json()["status"] == "ok"


CARELESS: list[dict[str, object]] = [
    {"verify": False},
    {"ssl_verify": False},
    {"tls": {"verify": False}},
    {"insecure": True},
    {"follow_redirects": True},
    {"proxy": "http://127.0.0.1:1"},
    {"limits": {"verify": False}},
    {"timeout": 0},
    {"resolve": {"example.com": "127.0.0.1"}},
]

ROWS: list[Row | Absent] = [
    Row("R-14", "a proxy in the environment", proxied, ["sandbox"]),
    Row("R-15", "TLS that proves nothing", distrusted_tls, KINDS),
    Row("R-18", "settings that would make calls careless", careless_setting, CARELESS),
    Absent(
        "R-16", "discovery documents and key sets of others", "there is no OIDC and no OAuth; MCP URLs are R-02 to R-07"
    ),
]
