"""Cards, catalogs, skills and the view for agents, each held against its standard and against the others."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from skills_ref.validator import validate

from tests.integration.admin.gateway import Admin

BASE = "http://gateway.test"
WELL_KNOWN = "/.well-known"
CARDS = (f"{WELL_KNOWN}/mcp/server-card.json", "/mcp/server-card")
MANIFESTS = (f"{WELL_KNOWN}/mcp/manifest.json", f"{WELL_KNOWN}/mcp")
CATALOGS = (f"{WELL_KNOWN}/ai-catalog.json", f"{WELL_KNOWN}/ard.json")
INDEX = f"{WELL_KNOWN}/agent-skills/index.json"
AGENT_CARD = f"{WELL_KNOWN}/agent-card.json"
VIEW = "/mcp-apps/public-discovery.html"
ALL = (*CARDS, *MANIFESTS, *CATALOGS, INDEX, AGENT_CARD, VIEW)
FORGED = {"host": "evil.test", "x-forwarded-host": "evil.test", "x-forwarded-proto": "https", "forwarded": "host=evil"}
SCHEMA = msgspec.json.decode((Path(__file__).parent / "server_card_schema.json").read_bytes())


async def read(admin: Admin, path: str) -> Any:
    served = await admin.speaking_as(None).get(path)
    assert served.status_code == 200, path
    return served.json()


@pytest.mark.parametrize("path", ALL)
async def test_a_forged_host_is_in_no_document(untouched: Admin, path: str) -> None:
    served = await untouched.speaking_as(None).get(path, headers=FORGED)
    assert served.status_code == 200
    assert "evil" not in served.text
    assert set(re.findall(r"https?://[\w.-]+", served.text)) <= {
        BASE,
        "https://static.modelcontextprotocol.io",
        "https://schemas.agentskills.io",
    }


async def test_the_server_card_is_what_the_draft_wants(untouched: Admin) -> None:
    card = await read(untouched, CARDS[0])
    validator = jsonschema_rs.validator_for(SCHEMA)
    validator.validate(card)
    for broken in (
        {},
        {name: value for name, value in card.items() if name != "$schema"},
        card | {"name": "One API"},
        card | {"description": "x" * 101},
        card | {"tools": []},
        card | {"remotes": [{"type": "http", "url": BASE}]},
    ):
        assert not validator.is_valid(broken)


async def test_the_same_is_served_under_both_addresses(untouched: Admin) -> None:
    anyone = untouched.speaking_as(None)
    for paths, media_type in ((CARDS, "application/mcp-server-card+json"), (MANIFESTS, "application/json")):
        first, second = [await anyone.get(path) for path in paths]
        assert first.content == second.content
        assert first.headers["content-type"] == second.headers["content-type"] == media_type
        assert first.headers["access-control-allow-origin"] == "*"
    assert (await anyone.get(CARDS[1])).headers["cache-control"] == "public, max-age=3600"


async def test_card_manifest_and_server_say_the_same(untouched: Admin) -> None:
    card, manifest = await read(untouched, CARDS[0]), await read(untouched, MANIFESTS[0])
    anyone = untouched.speaking_as(None)

    async def result(method: str, params: dict[str, Any]) -> Any:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return (await anyone.post(MANIFESTS[1], json=message)).json()["result"]

    hello = await result("initialize", {"protocolVersion": "2025-11-25"})
    named = {name: hello["serverInfo"][name] for name in ("name", "version", "title")}
    assert named == {name: card[name] for name in named} == {name: manifest[name] for name in named}
    tools = (await result("tools/list", {}))["tools"]
    assert manifest["tools"] == [{"name": tool["name"], "description": tool["description"]} for tool in tools]
    assert manifest["capabilities"] == {
        name: name in hello["capabilities"] for name in ("tools", "resources", "prompts")
    }
    assert {remote["url"] for remote in card["remotes"]} == set(manifest["endpoints"].values())


async def test_the_skill_is_valid_and_its_digest_is_that_of_its_bytes(untouched: Admin, tmp_path: Path) -> None:
    index = await read(untouched, INDEX)
    assert index["$schema"] == "https://schemas.agentskills.io/discovery/0.2.0/schema.json"
    (listed,) = index["skills"]
    served = await untouched.speaking_as(None).get(listed["url"])
    assert served.headers["content-type"] == "text/markdown; charset=utf-8"
    assert listed["digest"] == f"sha256:{hashlib.sha256(served.content).hexdigest()}"
    folder = tmp_path / listed["name"]
    folder.mkdir()
    (folder / "SKILL.md").write_bytes(served.content)
    assert validate(folder) == []
    assert len(listed["description"]) <= 1024
    (folder / "SKILL.md").write_bytes(served.content.replace(b"name: ", b"name: Bad "))
    assert validate(folder) != []


async def test_the_skill_stays_when_prices_and_models_change(admin: Admin) -> None:
    before = await read(admin, INDEX)
    assert (await admin.client.put("/api/prices/sandbox", json={"input": "7"})).status_code == 200
    assert await read(admin, INDEX) == before


async def test_catalogs_name_what_answers_with_the_type_that_they_say(untouched: Admin) -> None:
    anyone = untouched.speaking_as(None)
    served = {"application/a2a-agent-card+json": "application/json", "application/agent-skills+md": "text/markdown"}
    identifiers = []
    for path in CATALOGS:
        catalog = await read(untouched, path)
        assert catalog["specVersion"] == "1.0"
        assert catalog["host"]["identifier"] == "gateway.test"
        assert len(catalog["entries"]) == 3
        identifiers.append([entry["identifier"] for entry in catalog["entries"]])
        for entry in catalog["entries"]:
            assert re.fullmatch(r"urn:air:gateway\.test:\w+:[\w-]+", entry["identifier"])
            assert ("url" in entry) != ("data" in entry)
            answer = await anyone.get(entry["url"].removeprefix(BASE))
            assert answer.status_code == 200
            essence = answer.headers["content-type"].partition(";")[0]
            assert essence == served.get(entry["type"], entry["type"])
            if path.endswith("ard.json"):
                assert entry["displayName"]
                assert 2 <= len(entry["representativeQueries"]) <= 5
    assert identifiers[0] == identifiers[1]
    assert (await anyone.get(CATALOGS[0])).headers["content-type"] == "application/ai-catalog+json"


async def test_the_view_may_only_run_what_is_in_it(admin: Admin) -> None:
    await admin.create("channels", name="c", provider="sandbox", models=["<script>alert(1)</script>"])
    served = await admin.speaking_as(None).get(VIEW)
    assert served.headers["content-type"] == "text/html;profile=mcp-app;charset=utf-8"
    policy = served.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'self'" in policy
    assert "*" not in policy
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", served.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert re.findall(r"""\b(?:src|href|on\w+|style)=["']""", served.text) == []
    assert "alert(1)" not in served.text
