"""T: one tenant and the configuration and records of another."""

import dataclasses
from typing import Any

import httpx2

from tests.e2e.gateway import eventually
from tests.security.estate import (
    CANARY,
    NOTHING,
    OPERATOR,
    Owned,
    client,
    insider,
    listed,
    login,
    new_email,
    newest_change,
    owned_by,
    picture,
)
from tests.security.management import Operation, operations
from tests.security.matrix import allowed
from tests.security.table import Absent, Row
from tests.security.wire import GOOGLE_PLACE
from tests.security.world import ASKED, CHAT, World

STRANGERS = ("admin of a", "owner of a", "member of a", "session of admin of a", "session of member of a")
OWNERS = ("b", "operator")
PAIRS_AT_LEAST = 300
REVOKED_LIMIT_S = 5.0


@dataclasses.dataclass(frozen=True)
class Reach:
    """`caller` reaches for what `owner` has; `dry`: only asks what would happen."""

    caller: str
    owner: str
    dry: bool = False

    @property
    def name(self) -> str:
        return f"{self.caller} -> {self.owner}{' (dry run)' * self.dry}"


REACHES = [Reach(caller, owner) for caller in STRANGERS for owner in OWNERS]
EVERY_REACH = [*REACHES, Reach("admin of a", "b", dry=True), Reach("session of member of a", "operator", dry=True)]


def without_id(answer: httpx2.Response) -> tuple[int, str]:
    """What an answer says, apart from which request it was."""
    return answer.status_code, answer.text.replace(answer.headers["x-request-id"], "")


def foreign_ids(world: World, reach: Reach) -> None:
    """Every operation with an id in its path: another's looks like nobody's, and nothing changes."""
    target, stranger = owned_by(world, reach.owner), insider(world, reach.caller)
    headers = {"x-oneapi-dry-run": "1"} if reach.dry else {}
    before = picture(world)
    aimed = [one for one in operations(world) if one.ids]
    assert len(aimed) * len(EVERY_REACH) >= PAIRS_AT_LEAST
    for one in aimed:
        expected = 404 if one.name in allowed(reach.caller) else 403

        def ask(owned: Owned, one: Operation = one) -> httpx2.Response:
            place = one.place(owned.parameters())
            return stranger.request(one.method, place, json=one.body, headers=headers)

        answer = ask(target)
        assert answer.status_code == expected, f"{one.name}: {answer.status_code} {answer.text}"
        assert without_id(answer) == without_id(ask(NOTHING)), one.name
    assert picture(world) == before


def foreign_queries(world: World, reach: Reach) -> None:
    """Every parameter that narrows a list or a report to something of another's: as if there were no such thing."""
    target, stranger = owned_by(world, reach.owner), insider(world, reach.caller)
    tried = 0
    for one in operations(world):
        for query in one.queries:
            wanted = {**target.parameters(), "channel": target.channel_id, "resource_id": target.key_id}
            wanted |= {"actor_id": target.token_id}
            if one.ids or one.method != "GET" or not wanted.get(query):
                continue
            answer = stranger.get(one.path, params={query: wanted[query]})
            if one.name not in allowed(reach.caller):
                assert answer.status_code == 403, answer.text
                continue
            assert answer.status_code in {200, 404}, answer.text
            # A report of nothing may have one row of noughts.
            found = [row for row in answer.json().get("data", ()) if row.get("requests") != 0]
            assert not found, f"{one.name}?{query}: {answer.text}"
            tried += 1
    assert tried >= 10


def foreign_rows(world: World, reach: Reach) -> None:
    """Everything that can be read without an id holds nothing of another's."""
    target, stranger = owned_by(world, reach.owner), insider(world, reach.caller)
    groups = ("account", "key", "user", "channel", "key,model,day", "account,endpoint,outcome,hour")
    places = [one.path for one in operations(world) if one.method == "GET" and not one.ids]
    places += [f"/api/usage?group_by={group}" for group in groups]
    places += ["/openapi.json", "/api/keys?name=" + CANARY, "/api/accounts?name=tenant b"]
    for place in places:
        answer = stranger.get(place)
        text = answer.text
        if answer.status_code == 200 and answer.json().get("next_cursor"):
            text = str(listed(stranger, place))
        for identity in target.ids() - {OPERATOR}:
            assert identity not in text, f"{place} holds {identity}"


def foreign_references(world: World, payload: "Reference") -> None:
    """A body that names something of another's."""
    target = owned_by(world, payload.owner)
    stranger = insider(world, payload.caller)
    mine = owned_by(world, "a").parameters()
    before = newest_change(world)
    body = {name: value.format_map(target.parameters()) for name, value in payload.body.items()}
    answer = stranger.request(payload.method, payload.path.format_map(mine), json={"name": "x", **body})
    assert (answer.status_code, answer.json()["code"]) == (422, payload.code), answer.text
    for identity in target.ids():
        assert identity not in answer.text
    assert newest_change(world) == before


@dataclasses.dataclass(frozen=True)
class Reference:
    """`{account_id}` and the like are the owner's in the body, and the caller's own in the path."""

    method: str
    path: str
    body: dict[str, str]
    code: str
    owner: str = "b"
    caller: str = "admin of a"

    @property
    def name(self) -> str:
        return f"{self.caller}: {self.method} {self.path} {sorted(self.body)} of {self.owner}"


REFERENCES = [
    Reference(method, path, body, code, owner, caller)
    for caller in ("admin of a", "owner of a", "session of admin of a")
    for owner in OWNERS
    for method, path, body, code in (
        ("POST", "/api/keys", {"account_id": "{account_id}"}, "unknown_account"),
        ("POST", "/api/keys", {"user_id": "{user_id}"}, "unknown_user"),
        ("POST", "/api/users", {"account_id": "{account_id}"}, "unknown_account"),
        ("POST", "/api/tokens", {"account_id": "{account_id}"}, "unknown_account"),
        ("PATCH", "/api/keys/{key_id}", {"user_id": "{user_id}"}, "unknown_user"),
        ("PATCH", "/api/keys/{key_id}", {"account_id": "{account_id}"}, "unknown_field"),
        ("PATCH", "/api/users/{user_id}", {"account_id": "{account_id}"}, "unknown_field"),
        ("PATCH", "/api/tokens/{token_id}", {"account_id": "{account_id}"}, "unknown_field"),
    )
]


def stored_artefact(world: World, path: str) -> None:
    """What one tenant's request has left is not there for another's key."""
    target = owned_by(world, "b")
    stranger = world.client(world.tenants[0].key)
    answer = stranger.get(path.format_map(target.parameters()))
    assert answer.status_code == 404, answer.text
    assert target.request_id not in answer.text.replace(answer.headers["x-request-id"], "")


ARTEFACTS = [
    "/v1/receipts/{request_id}",
    "/v1/receipts/{request_id}?account_id={account_id}&key_id={key_id}",
    "/v1/responses/resp_{request_id}",
    "/v1/responses/resp_{request_id}/input_items",
    "/v1/conversations/conv_1",
    "/v1/videos/video_1",
    "/v1/videos/video_1/content",
    "/v1/files/file-1",
    "/v1/files/file-1/content",
    "/v1/batches/batch_1",
    "/v1/chat/completions/{request_id}",
]


@dataclasses.dataclass(frozen=True)
class Kept:
    """A request that names what a provider keeps, and the field that the refusal must name."""

    path: str
    body: dict[str, Any]
    field: str

    @property
    def name(self) -> str:
        return f"{self.path} with {self.field}"


def kept_at_a_provider(world: World, kept: Kept) -> None:
    """All tenants share a provider's account: what is kept there is nobody's but the operator's."""
    for tenant in world.tenants:
        answer = world.client(tenant.key).post(kept.path, json={"model": "sandbox", "max_tokens": 5, **kept.body})
        assert answer.status_code == (400 if kept.field == "previous_response_id" else 404), answer.text
        error = answer.json()["error"]
        assert kept.field in error["message"], answer.text


def _said(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def _parts(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "parts": list(parts)}]


GOOGLES_FILE = "https://generativelanguage.googleapis.com/v1beta/files/abc"
KEPT = [
    Kept("/v1/responses", {"input": "hi", "previous_response_id": "resp_1"}, "previous_response_id"),
    Kept("/v1/responses", {"input": "hi", "conversation": "conv_1"}, "conversation"),
    Kept("/v1/responses", {"input": "hi", "conversation": {"id": "conv_1"}}, "conversation"),
    Kept("/v1/responses", {"input": "hi", "prompt": {"id": "pmpt_1"}}, "prompt"),
    Kept("/v1/responses", {"input": [{"type": "item_reference", "id": "msg_1"}]}, "item_reference"),
    Kept("/v1/responses", {"input": _said({"type": "input_file", "file_id": "file-1"})}, "file_id"),
    Kept(
        "/v1/responses",
        {"input": "hi", "tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]},
        "vector_store_ids",
    ),
    Kept("/v1/responses", {"input": "hi", "tools": [{"type": "code_interpreter", "container": "cntr_1"}]}, "container"),
    Kept("/v1/chat/completions", {"messages": _said({"type": "file", "file": {"file_id": "file-1"}})}, "file_id"),
    Kept(
        "/v1/messages",
        {"messages": _said({"type": "document", "source": {"type": "file", "file_id": "file_1"}})},
        "file_id",
    ),
    Kept("/v1/messages", {"messages": _said({"type": "text", "text": "hi"}), "container": "container_1"}, "container"),
    Kept(
        GOOGLE_PLACE.target, {"contents": _parts({"text": "hi"}), "cachedContent": "cachedContents/a"}, "cachedContent"
    ),
    Kept(GOOGLE_PLACE.target, {"contents": _parts({"text": "hi"}), "cached_content": "c/a"}, "cached_content"),
    Kept(GOOGLE_PLACE.target, {"contents": _parts({"fileData": {"fileUri": GOOGLES_FILE}})}, "fileUri"),
    Kept(GOOGLE_PLACE.target, {"contents": _parts({"file_data": {"file_uri": "files/abc"}})}, "file_uri"),
    Kept(
        GOOGLE_PLACE.target,
        {
            "contents": _parts({"text": "hi"}),
            "tools": [{"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/a"]}}],
        },
        "fileSearch",
    ),
]


def pretended(world: World, header: tuple[str, str]) -> None:
    """A header that names another account changes nothing."""
    target = owned_by(world, "b")
    named = {header[0]: header[1].format_map(target.parameters())}
    stranger = insider(world, "admin of a")
    for place in ("/api/accounts", "/api/keys", "/api/users", "/api/session"):
        assert stranger.get(place, headers=named).json() == stranger.get(place).json(), place
    tenant = world.tenants[0]
    assert stranger.get("/api/balance", headers=named).json()["account_id"] == tenant.account_id
    answer = world.client(tenant.key).post(CHAT, json={**ASKED, "user": target.user_id}, headers=named)
    world.bills(tenant.key, 1)
    receipt = world.gateway.receipt(tenant.key, answer.headers["x-request-id"])
    assert (receipt["account_id"], receipt["key_id"], receipt["user_id"]) == (tenant.account_id, tenant.key_id, "")


PRETENDED = [
    (name, value)
    for name, value in (
        ("x-org-id", "{account_id}"),
        ("openai-organization", "{account_id}"),
        ("openai-project", "{account_id}"),
        ("x-account-id", "{account_id}"),
        ("x-oneapi-account", "{account_id}"),
        ("x-tenant-id", "{account_id}"),
        ("x-user-id", "{user_id}"),
        ("x-forwarded-user", "{user_id}"),
        ("x-remote-user", "{user_id}"),
        ("x-key-id", "{key_id}"),
        ("x-oneapi-key-id", "{key_id}"),
        ("x-original-url", "/api/accounts/{account_id}"),
        ("x-rewrite-url", "/api/accounts/{account_id}"),
        ("x-http-method-override", "DELETE"),
        ("x-role", "owner"),
        ("forwarded", "for=127.0.0.1;by={account_id}"),
        ("cookie", "account_id={account_id}; role=owner"),
    )
]


def anothers_idempotency_key(world: World, resource: str) -> None:
    """The same Idempotency-Key and body of two tenants are two things, and the answer of one is not the other's."""
    headers = {"idempotency-key": f"of-everybody-{resource}"}
    made: list[dict[str, Any]] = []
    for caller in ("admin of b", "admin of a", "owner of a", "admin of operator"):
        answer = insider(world, caller).post(f"/api/{resource}", json={"name": "same"}, headers=headers)
        assert answer.status_code == 201, answer.text
        assert "idempotent-replayed" not in answer.headers
        made.append(answer.json())
    world.canaries |= {secret for one in made for name, secret in one.items() if name in {"key", "token"}}
    assert len({one["id"] for one in made}) == len(made)
    assert len({one["account_id"] for one in made}) == 3


def public_numbers(world: World, path: str) -> None:
    """No numbers of tenants on the public port, whatever credential asks."""
    credentials = ("", world.tenants[0].key, world.tenants[0].token, world.gateway.admin_token)
    for credential in credentials:
        answer = client(world, credential).get(path)
        # A relay key is no management token: what would be there for one is not even looked for.
        assert answer.status_code in {404, 401, 405}, f"{credential[:3]}: {answer.status_code}"
        assert world.tenants[1].account_id not in answer.text


NUMBERS = [
    "/metrics",
    "/v1/metrics",
    "/api/metrics",
    "/api/usage/export",
    "/api/logs/export",
    "/metrics/",
    "/debug/vars",
]


def ended_access(world: World, way: str) -> None:
    """What a tenant had is worth nothing after the end of the account, user or token that it hung on."""
    gateway = world.gateway
    account = gateway.create("accounts", name=f"ends by {way}", unlimited=True)["id"]
    email = new_email()
    user = gateway.create("users", name="u", email=email, password="long enough", role="admin", account_id=account)
    key = world.new_key(account_id=account, user_id=user["id"])
    request_id = world.chat(key).headers["x-request-id"]
    token = gateway.create("tokens", name="t", role="admin", account_id=account)
    world.canaries.add(token["token"])
    bearer = client(world, token["token"])
    by_password = login(world, email=email, password="long enough")
    by_token = login(world, token=token["token"])
    everything = {"bearer": bearer, "by password": by_password, "by token": by_token, "key": world.client(key)}
    dead = {
        "deleted account": set(everything),
        "disabled account": set(everything),
        "deleted user": {"by password", "key"},
        "deleted token": {"bearer", "by token"},
        "expired token": {"bearer", "by token"},
        "another password": {"by password"},
        "another role": {"by password"},
    }[way]
    gateway.receipt(key, request_id)
    change, place, body = {
        "deleted account": ("DELETE", f"accounts/{account}", None),
        "disabled account": ("PATCH", f"accounts/{account}", {"enabled": False}),
        "deleted user": ("DELETE", f"users/{user['id']}", None),
        "deleted token": ("DELETE", f"tokens/{token['id']}", None),
        "expired token": ("PATCH", f"tokens/{token['id']}", {"expires_at": "2020-01-01T00:00:00Z"}),
        "another password": ("PATCH", f"users/{user['id']}", {"password": "another one"}),
        "another role": ("PATCH", f"users/{user['id']}", {"role": "member"}),
    }[way]
    answer = gateway.admin.request(change, f"/api/{place}", json=body)
    assert answer.status_code in {200, 204}, answer.text
    for name, holder in everything.items():
        where = "/v1/models" if name == "key" else "/api/session"
        if name in dead:
            eventually(lambda holder=holder, where=where: holder.get(where).status_code == 401, REVOKED_LIMIT_S)  # type: ignore[misc]
        else:
            assert holder.get(where).status_code == 200, name
    # The record of money stays.
    assert gateway.admin.get(f"/api/receipts/{request_id}").json()["account_id"] == account


ROWS: list[Row | Absent] = [
    Row("T-01", "ids of another tenant in every path", foreign_ids, EVERY_REACH),
    Row("T-02", "ids of another tenant in bodies", foreign_references, REFERENCES),
    Row("T-03", "what another tenant's request left behind", stored_artefact, ARTEFACTS),
    Row("T-14", "what a provider keeps for its account", kept_at_a_provider, KEPT),
    Row("T-04", "ids of another tenant in queries", foreign_queries, REACHES),
    Row("T-05", "headers that name another account", pretended, PRETENDED, at_once=8),
    Row("T-08", "another tenant's Idempotency-Key", anothers_idempotency_key, ["keys", "tokens", "users"]),
    Row("T-09", "numbers of tenants on the public port", public_numbers, NUMBERS),
    Row(
        "T-10",
        "what is left of an account, user or token that has ended",
        ended_access,
        [
            "deleted account",
            "disabled account",
            "deleted user",
            "deleted token",
            "expired token",
            "another password",
            "another role",
        ],
        at_once=7,
    ),
    Row("T-13", "lists and reports that hold another's rows", foreign_rows, REACHES),
]
