"""Who may do what: tokens, roles, tenancy, sessions, on both databases."""

from typing import Any

import httpx2
import pytest

from services.admin.application import RESOURCES
from services.admin.identity.principals import Access
from services.admin.web.routes import ManagementRoute, access_of
from tests.integration.admin.gateway import ADMIN_TOKEN, Admin, problem

BODIES: dict[str, dict[str, Any]] = {
    "/api/accounts": {"name": "x"},
    "/api/accounts/{account_id}/credits": {"amount_usd": "1", "reason": "x"},
    "/api/users": {"name": "x"},
    "/api/keys": {"name": "x"},
    "/api/tokens": {"name": "x"},
    "/api/channels": {"name": "x", "provider": "openai", "models": ["m"]},
    "/api/mcp-servers": {"name": "x", "url": "https://a.example.com/mcp"},
    "/api/explain": {"model": "m"},
}


def routes() -> list[tuple[str, str, Access]]:
    return [
        (method, route.path_format, access_of(route))
        for router in RESOURCES
        for route in router.routes
        if isinstance(route, ManagementRoute)
        for method in sorted(route.methods or ())
    ]


class Tenants:
    """Two accounts, and what the other one has."""

    def __init__(self, admin: Admin) -> None:
        self.admin = admin
        self.ids: dict[str, str] = {}

    async def fill(self) -> None:
        self.mine = (await self.admin.create("accounts", name="mine"))["id"]
        other = (await self.admin.create("accounts", name="other"))["id"]
        user = (await self.admin.create("users", name="u", account_id=other))["id"]
        key = (await self.admin.create("keys", name="k", account_id=other))["id"]
        token = (await self.admin.create("tokens", name="t", account_id=other))["id"]
        self.ids = {"account_id": other, "user_id": user, "key_id": key, "token_id": token}


@pytest.fixture
async def tenants(admin: Admin) -> Tenants:
    made = Tenants(admin)
    await made.fill()
    return made


async def test_nobody_gets_in_without_a_credential(admin: Admin) -> None:
    relay_key = (await admin.create("keys", name="k"))["key"]
    expired = await admin.create("tokens", name="old", role="owner", expires_at="2020-01-01T00:00:00Z")
    revoked = await admin.create("tokens", name="gone", role="owner")
    await admin.client.delete(f"/api/tokens/{revoked['id']}")
    anonymous = admin.speaking_as(None)
    bad = ("", "nonsense", ADMIN_TOKEN + "x", relay_key, expired["token"], revoked["token"], "x" * 10_000)
    headers: list[list[tuple[str, str]]] = [[], *([("authorization", f"Bearer {token}")] for token in bad)]
    headers.append([("authorization", ADMIN_TOKEN)])
    headers.append([("authorization", f"Basic {ADMIN_TOKEN}")])
    headers.append([("authorization", f"Bearer {ADMIN_TOKEN}"), ("authorization", f"Bearer {ADMIN_TOKEN}")])
    headers.append([("x-api-key", ADMIN_TOKEN)])
    headers.append([("cookie", "oneapi_session=forged")])
    seen = set()
    for given in headers:
        answer = await anonymous.get("/api/keys", headers=given)
        body = problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
        seen.add(str({name: value for name, value in body.items() if name != "request_id"}))
    assert len(seen) == 1
    lower = await anonymous.get("/api/keys", headers={"authorization": f"bearer {ADMIN_TOKEN}"})
    assert lower.status_code == 200


async def test_every_route_asks_for_a_credential(admin: Admin) -> None:
    anonymous = admin.speaking_as(None)
    for method, path, access in routes():
        if access is not Access.PUBLIC:
            answer = await anonymous.request(method, path.replace("{", "").replace("}", ""), content=b"not json")
            problem(answer, 401, "unauthenticated")


async def test_members_only_read(tenants: Tenants) -> None:
    member = await tenants.admin.token("member", tenants.mine)
    for method, path, access in routes():
        answer = await member.request(method, path.format_map(_Ids(tenants.mine)), json=BODIES.get(path, {}))
        if access in {Access.MANAGE, Access.OPERATE}:
            problem(answer, 403, "forbidden")


async def test_an_accounts_administrator_does_not_run_the_gateway(tenants: Tenants) -> None:
    manager = await tenants.admin.token("owner", tenants.mine)
    for method, path, access in routes():
        if access is Access.OPERATE:
            answer = await manager.request(method, path.format_map(_Ids(tenants.mine)), json=BODIES.get(path, {}))
            problem(answer, 403, "forbidden")
    key = await manager.post("/api/keys", json={"name": "own"})
    assert (key.status_code, key.json()["account_id"]) == (201, tenants.mine)
    user = await manager.post("/api/users", json={"name": "own", "role": "admin"})
    assert (user.status_code, user.json()["account_id"]) == (201, tenants.mine)


class _Ids(dict[str, str]):
    def __init__(self, account_id: str) -> None:
        super().__init__(account_id=account_id, model="sandbox")

    def __missing__(self, name: str) -> str:
        return "none"


async def test_what_is_foreign_is_not_there(tenants: Tenants) -> None:
    """Every route with an id, every verb: the other account's things are 404, and nothing of them is listed."""
    for role in ("member", "admin", "owner"):
        client = await tenants.admin.token(role, tenants.mine)
        for method, path, access in routes():
            named = [name for name in tenants.ids if f"{{{name}}}" in path]
            if not named or access is Access.OPERATE or (access is Access.MANAGE and role == "member"):
                continue
            body = {"name": "x"} if method == "PATCH" else BODIES.get(path)
            problem(await client.request(method, path.format_map(tenants.ids), json=body), 404, "not_found")
        for resource in ("accounts", "users", "keys"):
            listed = (await client.get(f"/api/{resource}")).text
            assert not any(identity in listed for identity in tenants.ids.values())
        for resource in ("keys", "users"):
            assert (await client.get(f"/api/{resource}", params={"account_id": tenants.ids["account_id"]})).json()[
                "data"
            ] == []
        for resource in ("balance", "usage", "logs"):
            foreign = await client.get(f"/api/{resource}", params={"account_id": tenants.ids["account_id"]})
            problem(foreign, 404, "not_found")
    manager = await tenants.admin.token("admin", tenants.mine)
    for resource in ("keys", "users", "tokens"):
        answer = await manager.post(f"/api/{resource}", json={"name": "x", "account_id": tenants.ids["account_id"]})
        problem(answer, 422, "unknown_account")
    audit = (await manager.get("/api/audit")).text
    assert not any(identity in audit for identity in tenants.ids.values())
    headers = {"x-org-id": tenants.ids["account_id"], "openai-organization": tenants.ids["account_id"]}
    assert tenants.ids["key_id"] not in (await manager.get("/api/keys", headers=headers)).text


async def test_a_role_grants_no_more_than_it_has(admin: Admin) -> None:
    administrator = await admin.token("admin")
    for resource in ("users", "tokens"):
        refused = await administrator.post(f"/api/{resource}", json={"name": "x", "role": "owner"})
        problem(refused, 403, "role_too_high")
        owner = await admin.create(resource, name="o", role="owner")
        path = f"/api/{resource}/{owner['id']}"
        problem(await administrator.patch(path, json={"name": "mine"}), 403, "role_too_high")
        problem(await administrator.delete(path), 403, "role_too_high")
        member = await admin.create(resource, name="m", role="member")
        raised = await administrator.patch(f"/api/{resource}/{member['id']}", json={"role": "owner"})
        problem(raised, 403, "role_too_high")


async def test_a_token_is_shown_once_and_can_be_changed(admin: Admin) -> None:
    made = await admin.create("tokens", name="ci", role="admin")
    token = made.pop("token")
    client = admin.speaking_as(token)
    assert (await client.get(f"/api/tokens/{made['id']}")).json() == made
    assert token not in (await admin.client.get("/api/tokens")).text
    path = f"/api/tokens/{made['id']}"
    assert (await admin.client.patch(path, json={"role": "member"})).json()["role"] == "member"
    problem(await client.get("/api/channels"), 403, "forbidden")
    assert (await admin.client.patch(path, json={"expires_at": "2020-01-01T00:00:00Z"})).status_code == 200
    problem(await client.get("/api/keys"), 401, "unauthenticated")
    assert (await admin.client.patch(path, json={"expires_at": None})).status_code == 200
    assert (await client.get("/api/keys")).status_code == 200


async def test_users_have_one_address_each(admin: Admin) -> None:
    made = await admin.create("users", name="A", email="A@Example.com", password="longenough")
    assert (made["email"], made["has_password"]) == ("a@example.com", True)
    problem(await admin.client.post("/api/users", json={"name": "B", "email": "a@example.com"}), 409, "email_taken")
    other = await admin.create("users", name="B")
    problem(await admin.client.patch(f"/api/users/{other['id']}", json={"email": "a@example.com"}), 409, "email_taken")
    assert (await admin.client.patch(f"/api/users/{made['id']}", json={"email": None})).json()["email"] is None
    for wrong in ({"email": "no"}, {"password": "short"}, {"role": "god"}, {"has_password": True}):
        assert (await admin.client.post("/api/users", json={"name": "C"} | wrong)).status_code == 422
    assert (await admin.client.delete(f"/api/users/{made['id']}")).status_code == 204


async def login(admin: Admin, **given: str) -> tuple[httpx2.AsyncClient, httpx2.Response]:
    browser = admin.speaking_as(None)
    return browser, await browser.post("/api/session", json=given)


CSRF = {"x-oneapi-csrf": "1"}


async def test_a_session_lives_and_ends(admin: Admin) -> None:
    user = await admin.create("users", name="A", email="a@example.com", password="a long password", role="admin")
    for wrong in ({"email": "a@example.com", "password": "wrong"}, {"email": "b@example.com", "password": "wrong"}):
        problem((await login(admin, **wrong))[1], 401, "unauthenticated")
    browser, answer = await login(admin, email="A@example.com", password="a long password")
    assert answer.status_code == 201
    assert answer.json()["principal"]["id"] == user["id"]
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("oneapi_session=", "HttpOnly", "SameSite=strict", "Path=/"))
    assert (await browser.get("/api/session")).json() == answer.json()
    problem(await browser.post("/api/keys", json={"name": "k"}), 403, "cross_site")
    for headers in ({"origin": "https://evil.test"}, {"sec-fetch-site": "cross-site"} | CSRF, {"origin": "null"}):
        problem(await browser.post("/api/keys", json={"name": "k"}, headers=headers), 403, "cross_site")
    for headers in (CSRF, {"origin": "http://gateway.test"}):
        assert (await browser.post("/api/keys", json={"name": "k"}, headers=headers)).status_code == 201
    assert (await admin.audit(resource="key"))[0]["actor"]["name"] == "A"
    stolen = browser.cookies["oneapi_session"]
    assert (await browser.delete("/api/session", headers=CSRF)).status_code == 204
    after = await admin.speaking_as(None).get("/api/session", headers={"cookie": f"oneapi_session={stolen}"})
    problem(after, 401, "unauthenticated")


async def test_what_ends_a_session(admin: Admin) -> None:
    user = await admin.create("users", name="A", email="a@example.com", password="first password", role="admin")
    path = f"/api/users/{user['id']}"
    for change in ({"role": "member"}, {"password": "second password"}):
        browser, _ = await login(admin, email="a@example.com", password="first password")
        assert (await browser.get("/api/keys")).status_code == 200
        assert (await admin.client.patch(path, json=change)).status_code == 200
        problem(await browser.get("/api/keys"), 401, "unauthenticated")
    browser, _ = await login(admin, email="a@example.com", password="second password")
    assert (await admin.client.delete(path)).status_code == 204
    problem(await browser.get("/api/keys"), 401, "unauthenticated")
    token = await admin.create("tokens", name="t", role="admin")
    browser, answer = await login(admin, token=token["token"])
    assert answer.json()["principal"]["kind"] == "token"
    assert (await browser.get("/api/keys")).status_code == 200
    assert (await admin.client.delete(f"/api/tokens/{token['id']}")).status_code == 204
    problem(await browser.get("/api/keys"), 401, "unauthenticated")


async def test_the_first_administrator_logs_in_with_the_token(admin: Admin) -> None:
    browser, answer = await login(admin, token=ADMIN_TOKEN)
    assert answer.json()["principal"] | {"id": ""} == {
        "id": "", "kind": "first_administrator", "name": "first administrator", "account_id": "acc_operator",
        "role": "owner", "operates": True,
    }  # fmt: skip
    assert (await browser.get("/api/channels")).status_code == 200
    problem((await login(admin, token="wrong"))[1], 401, "unauthenticated")
    for wrong in ({}, {"email": "a@b.c"}, {"token": "x", "email": "a@b.c", "password": "x"}):
        problem((await login(admin, **wrong))[1], 422, "invalid_request")


async def test_guessing_a_password_has_to_wait(admin: Admin) -> None:
    await admin.create("users", name="A", email="a@example.com", password="a long password")
    for _ in range(10):
        problem((await login(admin, email="a@example.com", password="guess"))[1], 401, "unauthenticated")
    _, answer = await login(admin, email="a@example.com", password="a long password")
    problem(answer, 429, "too_many_attempts")
    assert int(answer.headers["retry-after"]) > 0
