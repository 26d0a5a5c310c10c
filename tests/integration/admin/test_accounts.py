"""Accounts and credits through the whole application, on both databases."""

import asyncio

from oneapi.catalog.types import OPERATOR_ACCOUNT_ID
from tests.integration.admin.gateway import Admin, problem


async def test_an_account_lives(admin: Admin) -> None:
    made = await admin.create("accounts", name="team", group="gold")
    assert made["unlimited"] is False
    assert made["created_at"].endswith("Z")
    path = f"/api/accounts/{made['id']}"
    assert (await admin.client.get(path)).json() == made
    changed = await admin.client.patch(path, json={"name": "renamed", "unlimited": True})
    assert changed.status_code == 200
    assert changed.json() == made | {"name": "renamed", "unlimited": True, "updated_at": changed.json()["updated_at"]}
    assert (await admin.client.delete(path)).status_code == 204
    problem(await admin.client.get(path), 404, "not_found")
    problem(await admin.client.patch(path, json={"name": "x"}), 404, "not_found")
    problem(await admin.client.delete(path), 404, "not_found")
    actions = [entry["action"] for entry in await admin.audit(resource_id=made["id"])]
    assert actions == ["account.delete", "account.update", "account.create"]


async def test_lists_come_in_pages_newest_first(admin: Admin) -> None:
    made = [(await admin.create("accounts", name=f"n{number}"))["id"] for number in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await admin.client.get("/api/accounts", params=params)).json()
        assert len(page["data"]) <= 2
        seen += [account["id"] for account in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [one for one in seen if one != OPERATOR_ACCOUNT_ID] == made[::-1]
    problem(await admin.client.get("/api/accounts", params={"cursor": "%%%"}), 422, "invalid_field")


async def test_the_operators_account_stays(admin: Admin) -> None:
    path = f"/api/accounts/{OPERATOR_ACCOUNT_ID}"
    assert (await admin.client.get(path)).json()["unlimited"] is True
    problem(await admin.client.delete(path), 409, "operator_account")
    problem(await admin.client.patch(path, json={"enabled": False}), 409, "operator_account")
    problem(await admin.client.patch(path, json={"unlimited": False}), 409, "operator_account")


async def test_credits_are_exact_and_listed(admin: Admin) -> None:
    account = await admin.create("accounts", name="prepaid")
    path = f"/api/accounts/{account['id']}/credits"
    for amount in ("12.500000001", "-2.5"):
        answer = await admin.client.post(path, json={"amount_usd": amount, "reason": "a test"})
        assert answer.status_code == 201, answer.text
    listed = (await admin.client.get(path)).json()["data"]
    assert [credit["amount_usd"] for credit in listed] == ["-2.5", "12.500000001"]
    assert listed[0]["granted_by"] == "first_administrator"
    wrong: tuple[object, ...] = (1, "1e3", "0.0000000001", "nan", "9000000.1", "٣", "")
    for bad in wrong:
        problem(await admin.client.post(path, json={"amount_usd": bad, "reason": "x"}), 422, "invalid_request")
    problem(await admin.client.post(path, json={"amount_usd": "0", "reason": "x"}), 422, "invalid_field")
    problem(await admin.client.post(path, json={"amount_usd": "8999999", "reason": "x"}), 422, "invalid_field")
    problem(
        await admin.client.post("/api/accounts/none/credits", json={"amount_usd": "1", "reason": "x"}), 404, "not_found"
    )


async def test_an_account_goes_with_what_it_holds(admin: Admin) -> None:
    account = (await admin.create("accounts", name="gone"))["id"]
    user = (await admin.create("users", name="u", account_id=account, email="u@example.com", password="longenough"))[
        "id"
    ]
    key = (await admin.create("keys", name="k", account_id=account, user_id=user))["id"]
    member = await admin.token("member", account)
    assert (await member.get(f"/api/accounts/{account}")).status_code == 200
    await admin.client.post(f"/api/accounts/{account}/credits", json={"amount_usd": "1", "reason": "x"})
    assert (await admin.client.delete(f"/api/accounts/{account}")).status_code == 204
    problem(await member.get(f"/api/accounts/{account}"), 401, "unauthenticated")
    for path in (f"/api/users/{user}", f"/api/keys/{key}"):
        problem(await admin.client.get(path), 404, "not_found")
    login = await admin.speaking_as(None).post(
        "/api/session", json={"email": "u@example.com", "password": "longenough"}
    )
    problem(login, 401, "unauthenticated")


async def test_concurrent_changes_are_all_made(admin: Admin) -> None:
    account = (await admin.create("accounts", name="busy"))["id"]
    path = f"/api/accounts/{account}/credits"
    bodies = [{"amount_usd": "0.01", "reason": f"n{number}"} for number in range(30)]
    answers = await asyncio.gather(*(admin.client.post(path, json=body) for body in bodies))
    assert [answer.status_code for answer in answers] == [201] * 30
    listed = (await admin.client.get(path, params={"limit": "200"})).json()["data"]
    assert len(listed) == 30
