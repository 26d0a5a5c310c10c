"""How public documents are served, and that none is older than the question."""

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
