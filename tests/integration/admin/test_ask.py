"""`/ask` as it is called: NLWeb's present and older form, streams, and what is refused."""

from typing import Any

import httpx2
import msgspec
import pytest

from services.admin.public.bounds import BURST
from services.admin.web.endpoints.layer import MAX_BODY
from tests.integration.admin.gateway import Admin


def answered(response: httpx2.Response) -> dict[str, Any]:
    """The answer, after checking what every answer has."""
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    assert body["_meta"]["response_type"] == "answer"
    assert body["_meta"]["version"] == "0.55"
    assert body["_meta"]["catalog_revision"] == response.headers["x-catalog-revision"]
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["cache-control"] == "no-store"
    assert [place["url"] for place in body["citations"]]
    assert all(place["url"].startswith("http://gateway.test/") for place in body["citations"])
    return body


def failed(response: httpx2.Response, status: int) -> dict[str, Any]:
    """The failure as NLWeb has it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body: dict[str, Any] = response.json()
    assert body["_meta"] == {"response_type": "failure", "version": "0.55"}
    assert set(body["error"]) == {"code", "message"}
    return body


def events(response: httpx2.Response) -> list[tuple[str, dict[str, Any]]]:
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    found = []
    for block in response.text.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), msgspec.json.decode(data.removeprefix("data: "))))
    return found


@pytest.mark.parametrize("name", ["q", "query", "question"])
async def test_every_form_of_a_question_gets_the_same_answer(admin: Admin, name: str) -> None:
    anyone = admin.speaking_as(None)
    text = "price of sandbox"
    flat = answered(await anyone.post("/ask", json={name: text, "site": "all", "prev": [], "query_id": "1"}))
    assert flat["question"] == text
    assert "sandbox" in {result["name"] for result in flat["results"]}
    assert answered(await anyone.get("/ask", params={name: text})) == flat
    sectioned = {
        "query": {"text": text, "itemType": "Product"},
        "context": {"@type": "ConversationalContext", "prev": ["hello"]},
        "prefer": {"streaming": False, "mode": "list", "response_format": "conv_search"},
        "meta": {"version": "0.55"},
    }
    assert answered(await anyone.post("/ask", json=sectioned)) == flat


async def test_an_answer_is_from_the_catalog_of_this_moment(admin: Admin) -> None:
    anyone = admin.speaking_as(None)
    for price in ("7", "8.5"):
        assert (await admin.client.put("/api/prices/sandbox", json={"input": price})).status_code == 200
        body = answered(await anyone.get("/ask?q=sandbox+model+price"))
        model = next(result for result in body["results"] if result["@type"] == "Product")
        assert f"input {price}" in model["description"]


async def test_no_question_gets_the_places_to_begin(admin: Admin) -> None:
    anyone = admin.speaking_as(None)
    for response in (await anyone.get("/ask"), await anyone.post("/ask", json={}), await anyone.get("/ask?q=")):
        assert len(answered(response)["results"]) == 5
    head = await anyone.head("/ask")
    assert (head.status_code, head.content) == (200, b"")


async def test_modes_and_formats(admin: Admin) -> None:
    anyone = admin.speaking_as(None)
    summary = answered(await anyone.get("/ask?q=sandbox&mode=summarize"))
    assert summary["results"][0]["@type"] == "SearchSummary"
    app = answered(await anyone.post("/ask", json={"query": "sandbox", "prefer": {"response_format": "chatgpt_app"}}))
    assert app["content"][0] == {"type": "text", "text": app["answer"]}
    assert "results" not in app
    assert app["structuredData"]


async def test_streams_begin_and_end_with_what_the_answer_is(admin: Admin) -> None:
    anyone = admin.speaking_as(None)
    asked = {"query": {"text": "sandbox"}, "prefer": {"streaming": True}}
    given = events(await anyone.post("/ask", json=asked))
    assert [name for name, _ in given] == ["start", *["result"] * (len(given) - 2), "complete"]
    assert given[0][1]["_meta"] == given[-1][1]["_meta"]
    assert [data["index"] for _, data in given[1:-1]] == list(range(len(given) - 2))
    whole = answered(await anyone.post("/ask", json={"query": "sandbox"}))
    assert [data["result"] for _, data in given[1:-1]] == whole["results"]
    assert given[-1][1]["answer"] == whole["answer"]
    assert events(await anyone.get("/ask?q=sandbox", headers={"accept": "text/event-stream"})) == given
    assert events(await anyone.get("/ask?q=sandbox&streaming=true")) == given
    answered(await anyone.get("/ask?q=sandbox&streaming=false", headers={"accept": "text/event-stream"}))
    answered(await anyone.get("/ask?q=sandbox", headers={"accept": "application/json, text/event-stream;q=0.5"}))


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b'{"query": 7}', 400),
        (b'{"query": {}}', 400),
        (b'{"query": {"text": null}}', 400),
        (b'{"query": "a", "prefer": []}', 400),
        (b'{"query": "a", "mode": "shout"}', 400),
        (b'{"query": "a", "mode": ["list"]}', 400),
        (b'{"query": "a", "streaming": "maybe"}', 400),
        (b'{"query": "a", "prefer": {"response_format": "xml"}}', 400),
        (b'{"query": "\\ud800"}', 400),
        (b'{"query": ' + b"[" * 100 + b"]" * 100 + b"}", 400),
        (b"[" * 30_000, 400),
        (b'{"query": "' + b"x" * MAX_BODY + b'"}', 413),
    ],
)
async def test_bad_requests_are_told_so_in_nlwebs_form(untouched: Admin, content: bytes, status: int) -> None:
    anyone = untouched.speaking_as(None)
    failed(await anyone.post("/ask", content=content, headers={"content-type": "application/json"}), status)


async def test_other_types_methods_and_pages_of_other_sites(untouched: Admin) -> None:
    anyone = untouched.speaking_as(None)
    failed(await anyone.post("/ask", content=b"q=a", headers={"content-type": "text/plain"}), 415)
    assert failed(await anyone.delete("/ask"), 405)["error"]["code"] == "method_not_allowed"
    assert (await anyone.delete("/ask")).headers["allow"] == "GET, HEAD, POST, OPTIONS"
    asked = await anyone.options("/ask", headers={"origin": "https://else.test"})
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["access-control-allow-methods"] == "GET, HEAD, POST, OPTIONS"
    assert asked.headers["access-control-allow-headers"] == "Content-Type"


async def test_a_forged_host_is_in_no_answer(untouched: Admin) -> None:
    forged = {"host": "evil.test", "x-forwarded-host": "evil.test", "x-forwarded-proto": "https"}
    response = await untouched.speaking_as(None).get("/ask", headers=forged)
    assert "evil.test" not in answered(response).__repr__()


async def test_an_address_that_asks_too_often_is_told_to_wait(make_admin: Any) -> None:
    one: Admin = make_admin()
    await one.open()
    anyone = one.speaking_as(None)
    here = {"x-forwarded-for": "203.0.113.7"}
    statuses = [(await anyone.get("/ask", headers=here)).status_code for _ in range(BURST + 60)]
    assert 429 in statuses
    refused = await anyone.get("/ask", headers=here)
    if refused.status_code == 429:
        failed(refused, 429)
        assert int(refused.headers["retry-after"]) >= 1
    answered(await anyone.get("/ask", headers={"x-forwarded-for": "198.51.100.1"}))
