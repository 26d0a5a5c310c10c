"""What every request meets: bodies, errors, Idempotency-Key, headers, on both databases."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from prometheus_client import generate_latest
from sqlalchemy import text

from oneapi.runtime.metrics import REGISTRY
from services.admin.web.json_body import MAX_BODY
from tests.integration.admin.gateway import Admin, problem

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b'{"name": "a", "name": "b"}', 400, "duplicate_key"),
        (b'{"name": "a", "group": {"x": 1, "x": 1}}', 400, "duplicate_key"),
        (b'{"name": NaN}', 400, "invalid_json"),
        (b'{"name": 1e999}', 400, "invalid_json"),
        (b'{"name": "\\ud800"}', 400, "invalid_json"),
        (b'{"name": "a\\u0000"}', 400, "invalid_json"),
        (b'\xef\xbb\xbf{"name": "a"}', 400, "invalid_json"),
        (b'{"name": "\xff"}', 400, "invalid_json"),
        (b'{"name": "a"} x', 400, "invalid_json"),
        (b"[" * 100_000, 400, "invalid_json"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, 400, "invalid_json"),
        (b"1" * 5000, 400, "invalid_json"),
        (b"[" + b"1," * 60_000 + b"1]", 400, "invalid_json"),
        (b"", 422, "invalid_request"),
        (b"null", 422, "invalid_request"),
        (b"[]", 422, "invalid_request"),
        (b'"x"', 422, "invalid_request"),
        (b'{"name": "a", "unlimited": 1}', 422, "invalid_request"),
        (b'{"name": "a", "unlimited": null}', 422, "invalid_request"),
        (b'{"name": "a", "nope": 1}', 422, "unknown_field"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_broken_bodies(untouched: Admin, content: bytes, status: int, code: str) -> None:
    problem(await untouched.client.post("/api/accounts", content=content, headers=JSON), status, code)


async def test_types_and_sizes(admin: Admin) -> None:
    for headers in ({"content-type": "text/plain"}, {"content-type": "multipart/form-data"}, {}):
        answer = await admin.client.post("/api/accounts", content=b'{"name":"a"}', headers=headers)
        problem(answer, 415, "unsupported_media_type")
    answer = await admin.client.post("/api/accounts", content=b"{}", headers=JSON | {"content-encoding": "gzip"})
    problem(answer, 415, "unsupported_media_type")
    big = json.dumps({"name": "a" * MAX_BODY}).encode()
    problem(await admin.client.post("/api/accounts", content=big, headers=JSON), 413, "request_too_large")

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * (MAX_BODY // 2)

    answer = await admin.client.post("/api/accounts", content=unannounced(), headers=JSON)
    problem(answer, 413, "request_too_large")
    charset = {"content-type": "application/json; charset=utf-8"}
    assert (await admin.client.post("/api/accounts", content=b'{"name":"a"}', headers=charset)).status_code == 201


async def test_paths_and_methods_that_are_not_there(admin: Admin) -> None:
    for path in (
        "/api/nothing",
        "/api/accounts/",
        "/api/keys/x/y",
        "/API/keys",
        "/api/keys/%00",
        "/metrics",
        "/redoc",
        "/.env",
    ):
        problem(await admin.client.get(path), 404, "not_found")
    answer = await admin.client.put("/api/accounts", json={})
    problem(answer, 405, "method_not_allowed")
    assert "allow" in answer.headers
    for params in ({"limit": "0"}, {"limit": "1000"}, {"limit": "x"}, {"surprise": "1"}, {"cursor": "a" * 2000}):
        assert (await admin.client.get("/api/accounts", params=params)).status_code == 422


async def test_every_answer_says_who_it_is(admin: Admin) -> None:
    answer = await admin.client.get("/api/accounts", headers={"x-request-id": "mine"})
    assert answer.headers["x-request-id"] == answer.headers["x-oneapi-request-id"] != "mine"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_what_nobody_foresaw_is_a_problem_without_details(
    admin: Admin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("the secret detail")

    monkeypatch.setattr("services.admin.resources.accounts.queries.listed", broken)
    answer = await admin.client.get("/api/accounts")
    problem(answer, 500, "internal_error")
    assert "secret" not in answer.text
    assert "secret detail" in caplog.text


async def test_a_repeated_post_is_answered_again(admin: Admin) -> None:
    headers = {"idempotency-key": "once"}
    first = await admin.client.post("/api/keys", json={"name": "k"}, headers=headers)
    second = await admin.client.post("/api/keys", json={"name": "k"}, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len((await admin.client.get("/api/keys")).json()["data"]) == 1
    changed = await admin.client.post("/api/keys", json={"name": "other"}, headers=headers)
    problem(changed, 422, "idempotency_key_reused")
    elsewhere = await admin.client.post("/api/accounts", json={"name": "k"}, headers=headers)
    problem(elsewhere, 422, "idempotency_key_reused")
    stranger = await admin.token("admin")
    theirs = await stranger.post("/api/keys", json={"name": "k"}, headers=headers)
    assert theirs.json()["id"] != first.json()["id"]
    async with admin.parts.database.reading() as session:
        rows = (await session.execute(text("SELECT * FROM replays"))).all()
    assert first.json()["key"] not in str(rows)


async def test_what_failed_is_not_kept(admin: Admin) -> None:
    headers = {"idempotency-key": "once"}
    problem(await admin.client.post("/api/keys", json={"name": ""}, headers=headers), 422, "invalid_request")
    assert (await admin.client.post("/api/keys", json={"name": "k"}, headers=headers)).status_code == 201
    for bad in ("", "x" * 256):
        answer = await admin.client.post("/api/keys", json={"name": "k"}, headers={"idempotency-key": bad})
        problem(answer, 400, "bad_idempotency_key")


async def test_posts_without_an_effect_are_kept_too(admin: Admin) -> None:
    headers = {"idempotency-key": "once"}
    first = await admin.client.post("/api/channels/ch_sandbox/test", headers=headers)
    second = await admin.client.post("/api/channels/ch_sandbox/test", headers=headers)
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"


async def test_a_race_of_one_key_has_one_effect(admin: Admin) -> None:
    account = (await admin.create("accounts", name="a"))["id"]
    path = f"/api/accounts/{account}/credits"
    body = {"amount_usd": "1", "reason": "once"}
    headers = {"idempotency-key": "race"}
    answers = await asyncio.gather(*(admin.client.post(path, json=body, headers=headers) for _ in range(20)))
    statuses = {answer.status_code for answer in answers}
    assert 201 in statuses
    assert statuses <= {201, 409}
    for answer in answers:
        if answer.status_code == 409:
            problem(answer, 409, "idempotency_in_progress")
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert len((await admin.client.get(path)).json()["data"]) == 1


async def test_a_race_between_replicas_has_one_effect(make_admin: Callable[..., Admin]) -> None:
    replicas = [make_admin(), make_admin()]
    for replica in replicas:
        await replica.open()
    body = {"name": "once"}
    headers = {"idempotency-key": "race"}
    for _ in range(5):
        answers = await asyncio.gather(
            *(replica.client.post("/api/keys", json=body, headers=headers) for replica in replicas)
        )
        assert {answer.status_code for answer in answers} <= {201, 409}
        if all(answer.status_code == 201 for answer in answers):
            break
    else:
        raise AssertionError
    assert answers[0].json() == answers[1].json()
    assert len((await replicas[0].client.get("/api/keys")).json()["data"]) == 1


async def test_what_the_bus_could_not_take_is_refused(admin: Admin) -> None:
    models = [f"{'m' * 240}-{number}" for number in range(4000)]
    body = {"name": "big", "provider": "openai", "models": models}
    problem(await admin.client.post("/api/channels", json=body), 422, "entry_too_large")
    assert await admin.audit(action="channel.create", actor_id="first_administrator") == []


async def test_requests_are_counted_by_route(admin: Admin) -> None:
    await admin.client.get("/api/accounts/acc_operator")
    await admin.client.get("/api/secret-path-of-a-client")
    shown = generate_latest(REGISTRY).decode()
    assert 'oneapi_admin_requests_total{method="GET",route="/api/accounts/{account_id}",status="200"}' in shown
    assert 'oneapi_admin_requests_total{method="GET",route="unmatched",status="404"}' in shown
    assert "secret-path" not in shown
