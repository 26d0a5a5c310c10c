"""How public documents are served, and that none is older than the question."""

import json

from services.admin.public.documents.catalogs import API_CATALOG, LINKSET
from services.admin.public.documents.openapi import MEDIA_TYPE
from services.admin.public.registry import DOCUMENTS
from tests.integration.admin.gateway import Admin, problem

ROBOTS = "/robots.txt"


async def test_a_document_is_served_with_a_validator(admin: Admin) -> None:
    anyone = admin.speaking_as(None)
    whole = await anyone.get(ROBOTS)
    assert whole.status_code == 200
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    assert whole.headers["cache-control"] == "public, max-age=300"
    assert whole.headers["access-control-allow-origin"] == "*"
    assert "Sitemap: http://gateway.test/sitemap.xml" in whole.text
    head = await anyone.head(ROBOTS)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    for tags in (whole.headers["etag"], f'"other", W/{whole.headers["etag"]}', "*"):
        same = await anyone.get(ROBOTS, headers={"if-none-match": tags})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == whole.headers["etag"]
    assert (await anyone.get(ROBOTS, headers={"if-none-match": '"other"'})).status_code == 200


async def test_other_methods_are_refused_or_told_what_there_is(admin: Admin) -> None:
    anyone = admin.speaking_as(None)
    refused = await anyone.post(ROBOTS)
    problem(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "GET, HEAD, OPTIONS"
    asked = await anyone.options(ROBOTS, headers={"origin": "https://else.test"})
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"


async def test_a_change_has_a_new_revision_at_the_next_request(admin: Admin) -> None:
    anyone = admin.speaking_as(None)
    before = await anyone.get(ROBOTS)
    assert (await admin.client.put("/api/prices/sandbox", json={"input": "7"})).status_code == 200
    after = await anyone.get(ROBOTS)
    assert after.headers["x-catalog-revision"] != before.headers["x-catalog-revision"]
    assert after.headers["etag"] == before.headers["etag"]
    again = await anyone.get(ROBOTS)
    assert again.headers["x-catalog-revision"] == after.headers["x-catalog-revision"]


async def test_every_document_is_served_as_what_it_is(admin: Admin) -> None:
    anyone = admin.speaking_as(None)
    revisions = set()
    for document in DOCUMENTS:
        answer = await anyone.get(document.path)
        assert answer.status_code == 200, document.path
        assert answer.headers["content-type"] == document.media_type
        revisions.add(answer.headers["x-catalog-revision"])
        if "json" in document.media_type:
            json.loads(answer.text)
    assert len(revisions) == 1


async def test_openapi_is_also_plain_json(admin: Admin) -> None:
    anyone = admin.speaking_as(None)
    usual = await anyone.get("/openapi.json")
    plain = await anyone.get("/openapi.json", headers={"accept": "application/json"})
    assert usual.headers["content-type"] == MEDIA_TYPE
    assert plain.headers["content-type"] == "application/json"
    assert plain.content == usual.content
    assert plain.headers["vary"] == usual.headers["vary"] == "Accept"


async def test_the_catalog_of_apis_is_linked_from_its_head(admin: Admin) -> None:
    head = await admin.speaking_as(None).head(API_CATALOG)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == LINKSET
    assert '</.well-known/api-catalog>; rel="api-catalog"' in head.headers["link"]


async def test_a_new_model_is_in_the_documents_at_once(admin: Admin) -> None:
    anyone = admin.speaking_as(None)
    before = await anyone.get("/llms.txt")
    fields = {"name": "upstream-marker", "provider": "openai-compatible", "base_url": "https://upstream.example/v1"}
    await admin.create("channels", models=["aaa-new"], api_key="secret-marker", **fields)
    texts = {document.path: await anyone.get(document.path) for document in DOCUMENTS}
    assert {each.headers["x-catalog-revision"] for each in texts.values()} != {before.headers["x-catalog-revision"]}
    for path in ("/", "/pricing.md", "/openapi.json"):
        assert "aaa-new" in texts[path].text, path
    assert texts["/openapi.json"].json()["x-catalog-revision"] in texts["/llms.txt"].text
    for each in texts.values():
        assert "secret-marker" not in each.text
        assert "upstream.example" not in each.text
