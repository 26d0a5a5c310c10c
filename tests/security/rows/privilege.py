"""X: doing more than one may, with a credential that is good."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2

from tests.security.estate import (
    NOTHING,
    OPERATOR,
    insider,
    listed,
    login,
    new_token,
    newest_change,
    owned_by,
    picture,
)
from tests.security.management import Operation, operations
from tests.security.matrix import OPERATORS, allowed
from tests.security.table import Absent, Row
from tests.security.world import World

ROLES = ("member", "admin", "owner")
CALLERS = [f"{how}{role} of {whose}" for how in ("", "session of ") for role in ROLES for whose in ("a", "operator")]
DRY = {"x-oneapi-dry-run": "1"}

NOT_FIELDS: dict[str, Any] = {
    "id": "acc_operator",
    "org_id": OPERATOR,
    "owner_id": "x",
    "created_at": "2020-01-01T00:00:00Z",
    "updated_at": "2020-01-01T00:00:00Z",
    "created_by": "x",
    "granted_by": "x",
    "hash": "0" * 64,
    "hint": "x",
    "key": "sk-chosen-by-the-caller",
    "token": "oat-chosen-by-the-caller",
    "revision": 10**12,
    "spent": "0",
    "spent_usd": "0",
    "balance_usd": "1000000",
    "credits_usd": "1000000",
    "quota": 500_000_000,
    "permissions": ["*"],
    "scopes": ["*"],
    "allowed_routes": ["*"],
    "is_admin": True,
    "operates": True,
    "password_hash": "x",
    "has_password": True,
    "api_key_sealed": "x",
    "api_key_last4": "x",
    "headers_sealed": {"x": "y"},
    "auth_sealed": "x",
    "auth_last4": "x",
    "session_id": "x",
    "kind": "first_administrator",
    "versions": [],
    "user": {"role": "owner"},
    "account": {"unlimited": True},
    "data": [{"role": "owner"}],
    "$set": {"role": "owner"},
    "__proto__": {"role": "owner"},
    "__class__": "x",
    "role[]": "owner",
    "Role": "owner",
    "role ": "owner",
    "": "x",
}


def written(world: World, methods: tuple[str, ...], field: str) -> list[Operation]:
    """The operations that take a body which doesn't have this field."""
    found = [one for one in operations(world) if one.fields and one.method in methods and field not in one.fields]
    assert found
    return found


def assigned(world: World, methods: tuple[str, ...], field: str) -> None:
    before = newest_change(world)
    mine = owned_by(world, "operator").parameters()
    for one in written(world, methods, field):
        body = {**(one.body or {}), field: NOT_FIELDS[field]}
        answer = world.gateway.admin.request(one.method, one.place(mine), json=body)
        assert (answer.status_code, answer.json().get("code")) == (422, "unknown_field"), f"{one.name}: {answer.text}"
    assert newest_change(world) == before


def assigned_on_change(world: World, field: str) -> None:
    """Fields that nobody may write, in every change."""
    owned_by(world, "operator")
    assigned(world, ("PATCH",), field)


def assigned_on_creation(world: World, field: str) -> None:
    """Fields that nobody may write, in everything that is made."""
    owned_by(world, "operator")
    assigned(world, ("POST", "PUT"), field)


@dataclasses.dataclass(frozen=True)
class Climb:
    """`caller` tries to get or give more than its own role."""

    caller: str
    method: str
    path: str
    body: dict[str, Any]
    status: int = 403
    code: str = "role_too_high"

    @property
    def name(self) -> str:
        return f"{self.caller}: {self.method} {self.path} {self.body}"


CLIMBS = [
    *(
        Climb(caller, "POST", f"/api/{resource}", {"name": "x", "role": role})
        for resource in ("users", "tokens")
        for caller, role in (
            ("admin of a", "owner"),
            ("admin of operator", "owner"),
            ("session of admin of a", "owner"),
            ("session of admin of operator", "owner"),
        )
    ),
    *(
        Climb(caller, "PATCH", f"/api/{resource}/{{of_{role}}}", body)
        for resource in ("users", "tokens")
        for caller, role, body in (
            ("admin of a", "member", {"role": "owner"}),
            ("admin of a", "owner", {"name": "x"}),
            ("admin of a", "owner", {"role": "member"}),
            ("session of admin of a", "member", {"role": "owner"}),
        )
    ),
    *(Climb("admin of a", "DELETE", f"/api/{resource}/{{of_owner}}", {}) for resource in ("users", "tokens")),
    Climb("admin of a", "PATCH", "/api/users/{of_owner}", {"password": "taken over"}),
    Climb("admin of a", "PATCH", "/api/users/{of_owner}", {"email": "taken@example.com"}),
    *(
        Climb(f"{how}member of {whose}", method, path, body, code="forbidden")
        for how in ("", "session of ")
        for whose in ("a", "operator")
        for method, path, body in (
            ("POST", "/api/tokens", {"name": "x", "role": "member"}),
            ("POST", "/api/users", {"name": "x", "role": "member"}),
            ("POST", "/api/keys", {"name": "x"}),
            ("PATCH", "/api/users/{of_member}", {"role": "admin"}),
            ("PATCH", "/api/users/{of_member}", {"name": "x"}),
        )
    ),
    *(
        Climb("admin of a", "POST", f"/api/{resource}", {"name": "x", "role": role}, 422, "invalid_request")
        for resource in ("users", "tokens")
        for role in ("root", "OWNER", "owner ", "", None, 3, ["owner"], {"owner": True}, True)
    ),
]


def climbed(world: World, climb: Climb) -> None:
    caller = insider(world, climb.caller)
    names = {f"of_{role}": made(world, climb.path.split("/")[2], role) for role in ROLES}
    before = newest_change(world)
    answer = caller.request(climb.method, climb.path.format_map(names), json=climb.body or None)
    assert (answer.status_code, answer.json().get("code")) == (climb.status, climb.code), answer.text
    assert newest_change(world) == before


def made(world: World, resource: str, role: str) -> str:
    """The id of a user or token of tenant A with this role."""
    account = world.tenants[0].account_id
    if resource not in {"users", "tokens"}:
        return ""
    return str(world.gateway.create(resource, name=f"a {role}", role=role, account_id=account)["id"])


def matrix(world: World, caller: str) -> None:
    """Every operation, by every kind of caller: the table that was written by hand holds, and it is whole."""
    assert {one.name for one in operations(world)} == OPERATORS
    asking = insider(world, caller)
    mine = owned_by(world, "operator" if caller.endswith("operator") else "a").parameters()
    before = picture(world)
    for one in operations(world):
        if one.name in {"POST /api/session", "DELETE /api/session"} or one.path.endswith("/test"):
            continue
        answer = asking.request(one.method, one.place(mine), json=one.body, headers=DRY)
        if one.name in allowed(caller):
            assert answer.status_code not in {401, 403}, f"{one.name}: {answer.status_code} {answer.text}"
        else:
            assert (answer.status_code, answer.json().get("code")) == (403, "forbidden"), f"{one.name}: {answer.text}"
    assert picture(world) == before


def no_credential(world: World, headers: dict[str, str]) -> None:
    """Every operation, with what proves nothing: one and the same 401."""
    filled = {name: value.replace("%KEY%", world.key) for name, value in headers.items()}
    # Each from a network of its own: failures are counted by them.
    way = httpx2.HTTPTransport(local_address=f"127.1.{NO_CREDENTIALS.index(headers)}.9")
    asking = httpx2.Client(base_url=world.gateway.url, headers=filled, transport=way)
    bodies = set()
    for one in operations(world):
        if one.name == "POST /api/session":
            continue
        answer = asking.request(one.method, one.place(NOTHING.parameters()), json=one.body)
        assert answer.status_code == 401, f"{one.name}: {answer.status_code} {answer.text}"
        bodies.add(answer.text.replace(answer.headers["x-request-id"], ""))
    assert len(bodies) == 1, bodies


NO_CREDENTIALS: list[dict[str, str]] = [
    {},
    {"authorization": "Bearer %KEY%"},
    {"x-api-key": "%KEY%"},
    {"cookie": "oneapi_session=%KEY%", "x-oneapi-csrf": "1"},
    {"cookie": "oneapi_session=", "x-oneapi-csrf": "1"},
    {"authorization": "Bearer first_administrator"},
    {"authorization": "Basic YWRtaW46YWRtaW4="},
    {"x-forwarded-user": "admin", "x-role": "owner", "x-oneapi-csrf": "1"},
    {"authorization": "Bearer null"},
]


def environment_like(world: World, text: str) -> None:
    """What looks like a reference to a file or a variable is kept as it is, and opened by nobody."""
    fields = {"provider": "openai-compatible", "models": [f"env {len(text)} {abs(hash(text))}"], "enabled": False}
    place = f"{world.upstream.url}/v1"
    channel = world.gateway.create("channels", name=text, base_url=place, api_key=text, config={"k": text}, **fields)
    try:
        shown = world.gateway.admin.get(f"/api/channels/{channel['id']}").json()
        assert (shown["name"], shown["config"]) == (text, {"k": text}), shown
        assert world.gateway.admin_token not in str(shown)
    finally:
        world.gateway.admin.delete(f"/api/channels/{channel['id']}")


ENVIRONMENT = [
    *("os.environ/ONEAPI_ADMIN_TOKEN", "${ONEAPI_ADMIN_TOKEN}", "$ONEAPI_ADMIN_TOKEN", "env:ONEAPI_ADMIN_TOKEN"),
    *("!!python/object/apply:os.system [id]", "!ENV ONEAPI_ADMIN_TOKEN", "file:///etc/passwd", "@/etc/passwd"),
    *("{{env.ONEAPI_SECRET_KEY}}", "vault:secret/data/x#y", "aws_secret/x", "__import__('os').getcwd()", "$(env)"),
]


def one_idempotency_key(world: World, resource: str) -> None:
    """Twenty requests with one key at once make one thing."""
    name = f"race of {resource}"

    def create(_: int) -> int:
        headers = {"idempotency-key": name, "authorization": f"Bearer {world.gateway.admin_token}"}
        return httpx2.post(
            f"{world.gateway.url}/api/{resource}", json={"name": name}, headers=headers, timeout=30
        ).status_code

    with ThreadPoolExecutor(20) as racing:
        statuses = list(racing.map(create, range(20)))
    assert set(statuses) <= {201, 409}, statuses
    assert 201 in statuses
    assert len([one for one in listed(world.gateway.admin, f"/api/{resource}") if one["name"] == name]) == 1


@dataclasses.dataclass(frozen=True)
class Page:
    """What a browser adds to a request that a page makes. `good`: a page of ours."""

    headers: dict[str, str]
    good: bool = False

    @property
    def name(self) -> str:
        return f"{self.headers}"


PAGES = [
    Page({}),
    Page({"origin": "https://evil.example"}),
    Page({"origin": "null"}),
    Page({"origin": "https://evil.example", "sec-fetch-site": "cross-site"}),
    Page({"x-oneapi-csrf": "1", "sec-fetch-site": "cross-site"}),
    Page({"referer": "https://evil.example/"}),
    Page({"origin": "http://%HOST%.evil.example"}),
    Page({"origin": "http://%HOST%", "sec-fetch-site": "same-origin"}, good=True),
    Page({"x-oneapi-csrf": "1"}, good=True),
]


def cross_site(world: World, page: Page) -> None:
    """A cookie alone changes nothing: the change must come from a page of ours."""
    with_cookie = login(world, token=new_token(world, "admin", world.tenants[0].account_id))
    del with_cookie.headers["x-oneapi-csrf"]
    host = world.gateway.url.removeprefix("http://")
    headers = {name: value.replace("%HOST%", host) for name, value in page.headers.items()}
    before = newest_change(world)
    for method, path, body in (("POST", "/api/keys", {"name": "x"}), ("DELETE", "/api/keys/key_nothing", None)):
        answer = with_cookie.request(method, path, json=body, headers={**headers, **DRY})
        if page.good:
            assert answer.status_code in {201, 404}, answer.text
        else:
            assert (answer.status_code, answer.json().get("code")) == (403, "cross_site"), answer.text
    assert newest_change(world) == before


ROWS: list[Row | Absent] = [
    Row("X-01", "fields that nobody may change", assigned_on_change, list(NOT_FIELDS), at_once=1),
    Row("X-02", "roles above one's own", climbed, CLIMBS),
    Row("X-03", "every operation by everyone", matrix, CALLERS),
    Row("X-05", "configuration that looks like a reference", environment_like, ENVIRONMENT),
    Row("X-06", "one Idempotency-Key at once", one_idempotency_key, ["keys", "accounts", "tokens"]),
    Row("X-07", "changes from pages of other sites", cross_site, PAGES),
    Row("X-10", "no credential on any operation", no_credential, NO_CREDENTIALS),
    Row("X-13", "fields that nobody may set", assigned_on_creation, list(NOT_FIELDS)),
]
