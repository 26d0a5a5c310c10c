"""X: what stays as it is, whoever asks: ended sessions, money, the audit, the operator's own access."""

from typing import Any

from tests.e2e.gateway import eventually
from tests.security.estate import (
    OPERATOR,
    PASSWORD,
    client,
    insider,
    login,
    new_email,
    newest_change,
    owned_by,
)
from tests.security.management import operations
from tests.security.rows.privilege import DRY
from tests.security.table import Absent, Row
from tests.security.world import World


def ended_session(world: World, change: dict[str, str]) -> None:
    """A new role, password or logout ends what was open, and what is lower stays lower."""
    email = new_email()
    user = world.gateway.create("users", name="x", email=email, password=PASSWORD, role="admin")
    open_one = login(world, email=email, password=PASSWORD)
    assert open_one.get("/api/tokens").status_code == 200
    if change:
        assert world.gateway.admin.patch(f"/api/users/{user['id']}", json=change).status_code == 200
    else:
        cookie = dict(open_one.cookies)
        assert open_one.delete("/api/session").status_code == 204
        open_one.cookies.update(cookie)
    assert open_one.get("/api/session").status_code == 401
    if change.get("role") == "member":
        assert login(world, email=email, password=PASSWORD).get("/api/tokens").status_code == 403


def locked_out(world: World, payload: tuple[str, str, dict[str, Any] | None]) -> None:
    """The operator can't be locked out of the gateway."""
    method, path, body = payload
    before = newest_change(world)
    answer = world.gateway.admin.request(method, path, json=body)
    assert answer.status_code in {404, 409, 422}, answer.text
    assert newest_change(world) == before
    assert world.gateway.admin.get("/api/session").json()["principal"]["operates"] is True


LOCKOUTS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("DELETE", f"/api/accounts/{OPERATOR}", None),
    ("PATCH", f"/api/accounts/{OPERATOR}", {"enabled": False}),
    ("PATCH", f"/api/accounts/{OPERATOR}", {"unlimited": False}),
    ("PATCH", f"/api/accounts/{OPERATOR}", {"enabled": False, "name": "x"}),
    ("DELETE", "/api/tokens/first_administrator", None),
    ("DELETE", "/api/users/first_administrator", None),
    ("PATCH", "/api/tokens/first_administrator", {"role": "member"}),
]


def money(world: World, payload: tuple[str, str, str, dict[str, Any]]) -> None:
    """Nobody gives their own account money, or takes away its bound."""
    caller, method, path, body = payload
    mine = owned_by(world, "a").parameters()
    balance = insider(world, "admin of a").get("/api/balance").json()["credits_usd"]
    answer = insider(world, caller).request(method, path.format_map(mine), json=body)
    assert answer.status_code == 403, answer.text
    assert insider(world, "admin of a").get("/api/balance").json()["credits_usd"] == balance


MONEY: list[tuple[str, str, str, dict[str, Any]]] = [
    (caller, method, path, body)
    for caller in ("admin of a", "owner of a", "session of owner of a", "member of a", "member of operator")
    for method, path, body in (
        ("POST", "/api/accounts/{account_id}/credits", {"amount_usd": "100", "reason": "x"}),
        ("PATCH", "/api/accounts/{account_id}", {"unlimited": True}),
        ("PATCH", "/api/accounts/{account_id}", {"group": "premium"}),
        ("PUT", "/api/prices/sandbox", {"input": "0"}),
        ("POST", "/api/accounts", {"name": "x", "unlimited": True}),
    )
]


def sum_of_money(world: World, amount: object) -> None:
    """An amount that is none."""
    answer = world.gateway.admin.post(f"/api/accounts/{OPERATOR}/credits", json={"amount_usd": amount, "reason": "x"})
    assert answer.status_code == 422, answer.text


AMOUNTS: list[object] = [
    *("1e5", "Infinity", "NaN", "0", "-0", "0.0000000001", "9" * 5_000, "0." + "0" * 100 + "1", "1_0", "\u0661", " 1"),
    *("9000001", "-9000001", "0x10", "", "1,5", "+1", 1, 1.5, None, True, ["1"], {"a": "1"}),
]


def rewritten_audit(world: World, caller: str) -> None:
    """The audit can be read, and nothing else, by nobody."""
    world.gateway.create("accounts", name="to be remembered")
    entries = world.gateway.admin.get("/api/audit?limit=50").json()["data"]
    asking = world.gateway.admin if caller == "first administrator" else insider(world, caller)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for place in ("/api/audit", f"/api/audit/{entries[0]['id']}", "/api/audit?before=2099-01-01", "/api/logs"):
            answer = asking.request(method, place, json={"name": "x"})
            assert answer.status_code in {404, 405}, f"{method} {place}: {answer.status_code}"
    kept = {entry["id"]: entry for entry in world.gateway.admin.get("/api/audit?limit=200").json()["data"]}
    assert all(kept[entry["id"]] == entry for entry in entries)


def verbs(world: World, method: str) -> None:
    """A verb that a path doesn't have does nothing, also when a header says another."""
    before = newest_change(world)
    mine = owned_by(world, "operator").parameters()
    headers = {"x-http-method-override": "DELETE", "x-method-override": "DELETE", "x-http-method": "PATCH"}
    known = {(one.method, one.path) for one in operations(world)}
    for one in operations(world):
        if (method, one.path) not in known and one.path != "/api/session":
            answer = world.gateway.admin.request(method, one.place(mine), headers=headers)
            assert answer.status_code in {404, 405}, f"{method} {one.path}: {answer.status_code}"
    assert newest_change(world) == before


def revoked_while_running(world: World, role: str) -> None:
    """A token that is lowered is lower at its next request."""
    account = world.tenants[0].account_id
    token = world.gateway.create("tokens", name="x", role="admin", account_id=account)
    world.canaries.add(token["token"])
    asking = client(world, token["token"])
    assert asking.post("/api/keys", json={"name": "x"}, headers=DRY).status_code == 201
    assert world.gateway.admin.patch(f"/api/tokens/{token['id']}", json={"role": role}).status_code == 200
    expected = 403 if role == "member" else 201
    eventually(lambda: asking.post("/api/keys", json={"name": "x"}, headers=DRY).status_code == expected)


ROWS: list[Row | Absent] = [
    Row("X-04", "a token that was lowered", revoked_while_running, ["member", "owner"]),
    Row(
        "X-08",
        "sessions after a change of who they are",
        ended_session,
        [{"role": "member"}, {"role": "owner"}, {"password": "another password"}, {}],
    ),
    Row("X-09", "money for oneself", money, MONEY),
    Row(
        "X-11", "verbs that a path doesn't have", verbs, ["DELETE", "PUT", "PATCH", "POST", "TRACE", "OPTIONS", "HEAD"]
    ),
    Row("X-12", "the audit rewritten", rewritten_audit, ["first administrator", "owner of operator", "owner of a"]),
    Row("X-14", "the operator locked out", locked_out, LOCKOUTS),
    Row("X-15", "amounts that are none", sum_of_money, AMOUNTS),
]
