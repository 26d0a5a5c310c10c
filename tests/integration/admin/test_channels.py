"""Channels and MCP servers through the whole application, on both databases."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from services.admin.upstreams import sealed
from tests.integration.admin.gateway import Admin, eventually, problem
from tests.integration.admin.upstream import Upstream

KEY = "upstream-credential-1234"
CHANNEL = {"name": "c", "provider": "openai-compatible", "models": ["m"], "base_url": "https://api.example.com/v1"}


async def test_a_channel_lives_and_hides_its_secrets(admin: Admin) -> None:
    made = await admin.create(
        "channels", **CHANNEL, api_key=KEY, headers={"X-Org": "secret-org-value"}, limits={"first_byte_timeout_s": 2}
    )
    assert made["api_key"] == "…1234"
    assert made["headers"] == {"x-org": "…"}
    assert made["dialects"] == ["openai_chat", "openai_responses"]
    assert made["limits"]["first_byte_timeout_s"] == 2
    path = f"/api/channels/{made['id']}"
    assert (await admin.client.get(path)).json() == made
    changed = await admin.client.patch(
        path, json={"weight": 7, "api_key": KEY, "headers": {"x-org": "secret-org-value"}}
    )
    assert changed.headers["x-oneapi-changed"] == "weight"
    rotated = await admin.client.patch(path, json={"api_key": "another-credential-99"})
    assert rotated.headers["x-oneapi-changed"] == "api_key"
    assert rotated.json()["api_key"] == "…l-99"
    removed = await admin.client.patch(path, json={"api_key": None, "headers": {}})
    assert (removed.json()["api_key"], removed.json()["headers"]) == (None, {})
    assert (await admin.client.delete(path)).status_code == 204
    problem(await admin.client.get(path), 404, "not_found")
    async with admin.parts.database.reading() as session:
        for table in ("channels", "audit", "outbox"):
            rows = str((await session.execute(text(f"SELECT * FROM {table}"))).all())
            assert KEY not in rows
            assert "secret-org-value" not in rows


async def test_a_channel_says_what_is_public_of_it(admin: Admin) -> None:
    made = await admin.create("channels", **CHANNEL)
    assert (made["public_name"], made["hidden_models"]) == ("", [])
    path = f"/api/channels/{made['id']}"
    changed = await admin.client.patch(path, json={"public_name": "Fast lane", "hidden_models": ["m", "*"]})
    assert changed.headers["x-oneapi-changed"] == "hidden_models, public_name"
    shown = (await admin.client.get(path)).json()
    assert (shown["public_name"], shown["hidden_models"]) == ("Fast lane", ["m", "*"])


async def test_a_secret_opens_only_where_it_belongs(admin: Admin) -> None:
    made = await admin.create("channels", **CHANNEL, api_key=KEY)
    async with admin.parts.database.reading() as session:
        stored = await session.execute(text("SELECT api_key_sealed FROM channels WHERE id = :id"), {"id": made["id"]})
        value = stored.scalar_one()
    assert admin.parts.sealer.open(value, bound_to=sealed.channel_key_place(made["id"])) == KEY
    with pytest.raises(Exception, match="another place"):
        admin.parts.sealer.open(value, bound_to=sealed.channel_key_place("ch_other"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"provider": "nobody"},
        {"models": []},
        {"headers": {"x": "a\r\nb: c"}},
        {"headers": {"Host": "evil"}},
        {"headers": {"Content-Length": "1"}},
        {"headers": {"bad name": "x"}},
        {"headers": {"X-A": "1", "x-a": "2"}},
        {"api_key": "a\nb"},
        {"weight": -1},
        {"priority": "high"},
        {"limits": {"total_timeout_s": 0}},
        {"limits": {"total_timeout_s": 1e9}},
        {"dialects": ["klingon"]},
        {"groups": ["a b"]},
        {"config": {"a": "x\u0000"}},
        {"public_name": "a\nb"},
        {"public_name": "x" * 201},
        {"public_name": None},
        {"hidden_models": ["a", "a"]},
        {"hidden_models": ["a\nb"]},
    ],
    ids=str,
)
async def test_what_is_wrong_is_refused(untouched: Admin, wrong: dict[str, Any]) -> None:
    answer = await untouched.client.post("/api/channels", json=CHANNEL | wrong)
    assert answer.status_code in {400, 422}, answer.text
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/v1",
        "https://127.0.0.1/v1",
        "https://localhost/v1",
        "https://169.254.169.254/latest",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://10.1.2.3/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://user:pass@api.example.com/",
        "https://api.example.com:8443/",
        "https://metadata.google.internal/",
        "https://api.example.com./",
        "https://api.example.com/v1?key=x",
        "file:///etc/passwd",
        "nonsense",
    ],
)
async def test_addresses_that_must_not_be_called_are_refused(untouched: Admin, url: str) -> None:
    problem(await untouched.client.post("/api/channels", json=CHANNEL | {"base_url": url}), 422, "url_not_allowed")
    patched = await untouched.client.patch("/api/channels/ch_sandbox", json={"base_url": url})
    problem(patched, 422, "url_not_allowed")
    server = {"name": "s", "url": url}
    problem(await untouched.client.post("/api/mcp-servers", json=server), 422, "url_not_allowed")


async def test_a_provider_without_an_address_needs_one(admin: Admin) -> None:
    body = {name: value for name, value in CHANNEL.items() if name != "base_url"}
    problem(await admin.client.post("/api/channels", json=body), 422, "base_url_required")
    made = await admin.create("channels", **body | {"provider": "openai"})
    assert made["base_url"] == "https://api.openai.com/v1"
    refused = await admin.client.post("/api/channels", json=body | {"provider": "azure-openai"})
    problem(refused, 422, "base_url_required")
    assert "https://{resource}.openai.azure.com/openai/v1" in refused.text


async def test_a_vendors_defaults_are_shown(admin: Admin) -> None:
    made = await admin.create("channels", name="d", provider="deepseek", models=["deepseek-chat"])
    found = (await admin.client.get(f"/api/channels/{made['id']}")).json()
    assert found["base_url"] == "https://api.deepseek.com"
    assert found["dialects"] == ["openai_chat", "openai_responses", "anthropic_messages"]
    assert found["endpoints"] == ["chat"]


async def test_private_upstreams_when_the_operator_allows_them(make_admin: Callable[..., Admin]) -> None:
    admin = make_admin(allow_private_upstreams=True)
    await admin.open()
    await admin.create("channels", **CHANNEL | {"base_url": "http://127.0.0.1:9999/v1"})
    await admin.create("mcp-servers", name="s", url="http://localhost:9999/mcp")
    bad = CHANNEL | {"base_url": "http://169.254.169.254/"}
    problem(await admin.client.post("/api/channels", json=bad), 422, "url_not_allowed")


async def test_an_mcp_server_lives_and_hides_its_secrets(admin: Admin) -> None:
    made = await admin.create(
        "mcp-servers",
        name="tools",
        url="https://tools.example.com/mcp",
        auth="a-long-secret-token-7890",
        headers={"X-Team": "hidden-team"},
        allow=["search_*"],
        deny=["search_all"],
        prices={"search_web": "0.01"},
    )
    assert made["auth"] == "…7890"
    assert made["headers"] == {"x-team": "…"}
    assert made["prices"] == {"search_web": "0.01"}
    path = f"/api/mcp-servers/{made['id']}"
    same = await admin.client.patch(path, json={"auth": "a-long-secret-token-7890", "prices": {"search_web": "0.010"}})
    assert same.headers["x-oneapi-changed"] == ""
    changed = await admin.client.patch(path, json={"enabled": False, "auth": None})
    assert changed.headers["x-oneapi-changed"] == "auth, enabled"
    assert [row["id"] for row in (await admin.client.get("/api/mcp-servers")).json()["data"]] == [made["id"]]
    assert (await admin.client.delete(path)).status_code == 204
    problem(await admin.client.get(path), 404, "not_found")
    for wrong in ({"command": "sh"}, {"prices": {"x": "-1"}}, {"prices": {"x": 1}}, {"allow": [""]}):
        body = {"name": "s", "url": "https://tools.example.com/mcp"} | wrong
        assert (await admin.client.post("/api/mcp-servers", json=body)).status_code == 422


async def test_the_upstream_is_really_asked(make_admin: Callable[..., Admin], upstream: Upstream) -> None:
    admin = make_admin(allow_private_upstreams=True)
    await admin.open()
    made = await admin.create(
        "channels",
        **CHANNEL | {"base_url": f"{upstream.url}/v1", "models": ["a", "b"], "model_mapping": {"a": "up-a"}},
        api_key=KEY,
        headers={"X-Org": "org"},
    )
    path = f"/api/channels/{made['id']}/test"
    upstream.answer = (200, b'{"data":[{"id":"up-a"}]}')
    result = (await admin.client.post(path)).json()
    assert (result["ok"], result["status"], result["models_found"], result["models_missing"]) == (True, 200, 1, ["b"])
    asked = upstream.requests[-1]
    assert asked["path"] == "/v1/models"
    assert asked["authorization"] == f"Bearer {KEY}"
    assert asked["x-org"] == "org"
    for status, ok in ((401, False), (404, True), (302, False), (500, False), (429, True)):
        upstream.answer = (status, b"the upstream says: secret")
        answer = await admin.client.post(path)
        assert (answer.json()["ok"], answer.json()["status"]) == (ok, status)
        assert "secret" not in answer.text
    await upstream.close()
    gone = (await admin.client.post(path)).json()
    assert (gone["ok"], gone["status"]) == (False, None)
    sandbox = (await admin.client.post("/api/channels/ch_sandbox/test")).json()
    assert sandbox["ok"] is True
    problem(await admin.client.post("/api/channels/ch_none/test"), 404, "not_found")


async def test_googles_list_is_read(make_admin: Callable[..., Admin], upstream: Upstream) -> None:
    admin = make_admin(allow_private_upstreams=True)
    await admin.open()
    body = CHANNEL | {"provider": "gemini", "base_url": upstream.url, "models": ["gemini-2.5-pro", "b"]}
    made = await admin.create("channels", **body, api_key=KEY)
    upstream.answer = (200, b'{"models":[{"name":"models/gemini-2.5-pro"}]}')
    result = (await admin.client.post(f"/api/channels/{made['id']}/test")).json()
    assert (result["ok"], result["models_found"], result["models_missing"]) == (True, 1, ["b"])
    asked = upstream.requests[-1]
    assert (asked["path"], asked["x-goog-api-key"]) == ("/v1beta/models", KEY)


async def test_the_test_checks_the_address_again(make_admin: Callable[..., Admin], upstream: Upstream) -> None:
    open_door = make_admin(allow_private_upstreams=True)
    await open_door.open()
    made = await open_door.create("channels", **CHANNEL | {"base_url": f"{upstream.url}/v1"})
    strict = make_admin()
    await strict.open()
    result = (await strict.client.post(f"/api/channels/{made['id']}/test")).json()
    assert result["ok"] is False
    assert "refused" in result["detail"]
    assert upstream.requests == []


async def test_a_changed_secret_key_is_told(make_admin: Callable[..., Admin]) -> None:
    first = make_admin()
    await first.open()
    made = await first.create("channels", **CHANNEL, api_key=KEY)
    second = make_admin(secret_key="another")
    await second.open()
    path = f"/api/channels/{made['id']}"
    problem(await second.client.post(f"{path}/test"), 409, "secret_unreadable")
    again = await second.client.patch(path, json={"api_key": KEY})
    assert again.headers["x-oneapi-changed"] == "api_key"
    await eventually(lambda: second.client.get(path))
