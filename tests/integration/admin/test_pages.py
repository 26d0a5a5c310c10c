"""The pages for people, through the layer that serves documents."""

import base64
import hashlib
import re

import pytest

from services.admin.public.document import HTML
from services.admin.public.registry import DOCUMENTS
from tests.integration.admin.gateway import Admin
from tests.well_formed import problems

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'; reboot #")
OURS = [each.path for each in DOCUMENTS if each.media_type == HTML and (each.path == "/" or each.path[:5] == "/docs")]


def rules(policy: str) -> dict[str, str]:
    return dict(rule.split(" ", 1) for rule in policy.split("; "))


def digests(page: str, element: str) -> list[str]:
    found = re.findall(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
    return ["'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'" for text in found]


async def test_each_page_is_whole_and_runs_what_its_policy_knows_and_nothing_else(admin: Admin) -> None:
    fields = {"provider": "openai-compatible", "base_url": "https://upstream.example/v1", "api_key": "upstream-secret"}
    await admin.create("channels", name="<b>main</b>", models=list(HOSTILE), **fields)
    anyone = admin.speaking_as(None)
    assert {"/", "/docs", "/docs/playground"} <= set(OURS)
    for path in OURS:
        answer = await anyone.get(path, headers={"accept": "text/html,*/*;q=0.8"})
        assert (answer.status_code, answer.headers["content-type"]) == (200, HTML), path
        assert problems(answer.text) == [], path
        policy = rules(answer.headers["content-security-policy"])
        assert [policy["style-src"]] == digests(answer.text, "style"), path
        assert policy.get("script-src", "").split() == digests(answer.text, "script"), path
        assert policy["default-src"] == "'none'"
        assert "upstream-secret" not in answer.text
        assert "upstream.example" not in answer.text


async def test_the_first_page_shows_names_as_text(admin: Admin) -> None:
    fields = {"provider": "openai-compatible", "base_url": "https://upstream.example/v1", "api_key": "upstream-secret"}
    await admin.create("channels", name="<b>main</b>", models=list(HOSTILE), **fields)
    page = (await admin.speaking_as(None).get("/")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;main&lt;/b&gt;" in page
    assert "http://gateway.test/v1/chat/completions" in page


async def test_the_first_page_follows_a_price_at_the_next_request(admin: Admin) -> None:
    anyone = admin.speaking_as(None)
    before = await anyone.get("/")
    assert (await admin.client.put("/api/prices/sandbox", json={"input": "7.75"})).status_code == 200
    after = await anyone.get("/", headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert ">7.75<" in after.text
    same = await anyone.head("/", headers={"if-none-match": after.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert "content-security-policy" in same.headers


@pytest.mark.skipif("/index.md" not in {each.path for each in DOCUMENTS}, reason="there is no overview for programs")
async def test_programs_get_the_overview(admin: Admin) -> None:
    anyone = admin.speaking_as(None)
    overview = await anyone.get("/index.md")
    for headers, query in (({"accept": "text/markdown"}, ""), ({}, "?mode=agent")):
        answer = await anyone.get(f"/{query}", headers=headers)
        assert answer.content == overview.content
        assert answer.headers["vary"] == "Accept"


async def test_the_search_index_is_json(admin: Admin) -> None:
    answer = await admin.speaking_as(None).get("/docs/search.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["revision"] == answer.headers["x-catalog-revision"]
