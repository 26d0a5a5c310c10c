"""Relay keys through the whole application, on both databases."""

from typing import Any

import pytest
from sqlalchemy import text

from oneapi.catalog.types import OPERATOR_ACCOUNT_ID
from oneapi.runtime.relay_keys import well_formed
from tests.integration.admin.gateway import Admin, problem


async def test_a_key_is_shown_once_and_stored_hashed(admin: Admin) -> None:
    made = await admin.create("keys", name="app")
    key = made.pop("key")
    assert well_formed(key)
    assert made["account_id"] == OPERATOR_ACCOUNT_ID
    assert made["hint"] == f"sk-…{key[-4:]}"
    assert (await admin.client.get(f"/api/keys/{made['id']}")).json() == made
    listed = await admin.client.get("/api/keys")
    assert listed.json()["data"] == [made]
    async with admin.parts.database.reading() as session:
        for table in ("keys", "audit", "outbox", "replays"):
            rows = (await session.execute(text(f"SELECT * FROM {table}"))).all()
            assert key not in str(rows), table
    assert key not in str(await admin.audit())


async def test_every_field_is_kept_and_changed(admin: Admin) -> None:
    account = (await admin.create("accounts", name="team"))["id"]
    user = (await admin.create("users", name="someone", account_id=account))["id"]
    given: dict[str, Any] = {
        "user_id": user,
        "models": ["gpt-x", "vendor/model-y"],
        "tools": ["search"],
        "channels": ["ch_sandbox"],
        "budget": [
            {"amount_usd": "10", "window": "month", "timezone": "Europe/Berlin"},
            {"amount_usd": "0.5", "window": "day", "timezone": "UTC"},
        ],
        "limits": {"rpm": 10, "tpm": 1000, "concurrency": 2},
        "expires_at": "2030-01-01T00:00:00Z",
        "allowed_ips": ["192.0.2.1", "2001:db8::/32"],
        "disconnect": "drain",
        "strict": True,
        "enabled": False,
    }
    made = await admin.create("keys", name="all", account_id=account, **given)
    assert {name: made[name] for name in given} == given
    path = f"/api/keys/{made['id']}"
    changed = await admin.client.patch(
        path, json={"budget": {"amount_usd": "1.25"}, "models": None, "expires_at": None, "enabled": True}
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["budget"] == {"amount_usd": "1.25", "window": "total", "timezone": "UTC"}
    assert changed.json()["models"] is None
    assert changed.json()["expires_at"] is None
    assert changed.headers["x-oneapi-changed"] == "budget, enabled, expires_at, models"
    assert (await admin.client.patch(path, json={"budget": []})).json()["budget"] is None
    again = await admin.client.patch(path, json={"enabled": True})
    assert again.headers["x-oneapi-changed"] == ""
    assert len(await admin.audit(resource_id=made["id"])) == 3
    past = await admin.client.patch(path, json={"expires_at": "2020-01-01T00:00:00+02:00"})
    assert past.json()["expires_at"] == "2019-12-31T22:00:00Z"


@pytest.mark.parametrize(
    "wrong",
    [
        {"surprise": 1},
        {"name": ""},
        {"name": "x\u0007"},
        {"name": " x"},
        {"models": "gpt"},
        {"models": ["a", "a"]},
        {"models": ["a\nb"]},
        {"budget": {"amount_usd": 1}},
        {"budget": {"amount_usd": "0"}},
        {"budget": {"amount_usd": "-1"}},
        {"budget": {"amount_usd": "9000001"}},
        {"budget": {"amount_usd": "1", "window": "year"}},
        {"budget": {"amount_usd": "1", "timezone": "Mars/Base"}},
        {"budget": [{"amount_usd": "1"}, {"amount_usd": "2"}]},
        {"limits": {"rpm": 0}},
        {"limits": {"rpm": True}},
        {"limits": {"rpm": 1.0}},
        {"limits": {"rpm": "5"}},
        {"limits": {"rps": 5}},
        {"expires_at": "tomorrow"},
        {"expires_at": "2026-01-01T00:00:00"},
        {"expires_at": 1760000000},
        {"allowed_ips": ["300.1.1.1"]},
        {"disconnect": "explode"},
        {"enabled": "yes"},
        {"id": "key_mine"},
        {"key": "sk-mine"},
        {"created_at": "2026-01-01T00:00:00Z"},
    ],
    ids=str,
)
async def test_what_is_wrong_is_refused(untouched: Admin, wrong: dict[str, Any]) -> None:
    body = problem(await untouched.client.post("/api/keys", json={"name": "k"} | wrong), 422, _code(wrong))
    field = next(iter(wrong))
    assert any(error["field"].split(".")[0] == field for error in body["errors"])


def _code(wrong: dict[str, Any]) -> str:
    unknown = set(wrong) & {"surprise", "id", "key", "created_at"} or "rps" in wrong.get("limits", {})
    return "unknown_field" if unknown else "invalid_request"


async def test_references_must_exist(admin: Admin) -> None:
    stranger = (await admin.create("users", name="x", account_id=(await admin.create("accounts", name="o"))["id"]))[
        "id"
    ]
    for wrong, code in (
        ({"account_id": "acc_none"}, "unknown_account"),
        ({"user_id": stranger}, "unknown_user"),
        ({"channels": ["ch_none"]}, "unknown_channel"),
    ):
        problem(await admin.client.post("/api/keys", json={"name": "k"} | wrong), 422, code)


async def test_a_deleted_key_is_gone(admin: Admin) -> None:
    path = f"/api/keys/{(await admin.create('keys', name='k'))['id']}"
    assert (await admin.client.delete(path)).status_code == 204
    problem(await admin.client.get(path), 404, "not_found")
    problem(await admin.client.delete(path), 404, "not_found")
