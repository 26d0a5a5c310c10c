"""What the tenants and the operator own, one of every kind of thing, and who acts for tenant A.

It is made once for a world. Rows compare it before and after: nothing of it may be seen, changed or deleted by others.
"""

import dataclasses
import functools
import json
import uuid
from typing import Any

import httpx2

from tests.e2e.gateway import eventually
from tests.security.world import World

PASSWORD = "correct horse battery staple"
CANARY = "canary-of-the-estate"
OPERATOR = "acc_operator"
PRICED = "priced-on-one-channel"
CSRF = {"x-oneapi-csrf": "1"}


@dataclasses.dataclass(frozen=True)
class Owned:
    """Ids of one of each kind. `request_id` has a receipt. Channels, servers and prices are the operator's alone."""

    account_id: str
    user_id: str
    token_id: str
    key_id: str
    key: str
    request_id: str
    channel_id: str = ""
    server_id: str = ""

    def ids(self) -> set[str]:
        """Every id that no stranger may find in an answer."""
        ids = {self.account_id, self.user_id, self.token_id, self.key_id, self.request_id}
        return {*ids, self.channel_id, self.server_id} - {""}

    def parameters(self) -> dict[str, str]:
        """Its ids under the names that they have in paths and queries."""
        return {
            "account_id": self.account_id,
            "user_id": self.user_id,
            "token_id": self.token_id,
            "key_id": self.key_id,
            "request_id": self.request_id,
            "channel_id": self.channel_id or "ch_nothing",
            "server_id": self.server_id or "mcp_nothing",
            "model": PRICED,
        }


NOTHING = Owned("acc_nothing", "usr_nothing", "tok_nothing", "key_nothing", "", "req_nothing")
"""Ids of nobody: what is another's must look like this."""


@functools.cache
def owned_by(world: World, owner: str) -> Owned:
    """What `a`, `b` or the `operator` owns, or `nothing`."""
    if owner == "nothing":
        return NOTHING
    key = world.key if owner == "operator" else world.tenants["ab".index(owner)].key
    account = OPERATOR if owner == "operator" else world.tenants["ab".index(owner)].account_id
    user = world.gateway.create("users", name=CANARY, email=new_email(), account_id=account)
    token = world.gateway.create("tokens", name=CANARY, account_id=account)
    made = world.gateway.create("keys", name=CANARY, account_id=account)
    request_id = world.chat(key).headers["x-request-id"]
    eventually(lambda: world.gateway.admin.get(f"/api/receipts/{request_id}").status_code == 200)
    world.gateway.create(f"accounts/{account}/credits", amount_usd="1", reason=CANARY)
    channel = server = ""
    if owner == "operator":
        fields = {"name": CANARY, "provider": "openai-compatible", "models": [PRICED]}
        channel = world.gateway.create("channels", base_url=f"{world.upstream.url}/v1", **fields)["id"]
        price = {"input": "1", "channel": channel}
        assert world.gateway.admin.put(f"/api/prices/{PRICED}", json=price).status_code == 201
        url = f"{world.upstream.url}/mcp"
        server = world.gateway.create("mcp-servers", name=CANARY, url=url, enabled=False)["id"]
    return Owned(account, user["id"], token["id"], made["id"], made["key"], request_id, channel, server)


def picture(world: World) -> str:
    """Everything that is configured, as text: two pictures are equal when nothing has changed."""
    shown: dict[str, Any] = {}
    for name in ("accounts", "users", "tokens", "keys", "channels", "mcp-servers", "prices"):
        shown[name] = listed(world.gateway.admin, f"/api/{name}")
    for account in shown["accounts"]:
        shown[account["id"]] = listed(world.gateway.admin, f"/api/accounts/{account['id']}/credits")
    return json.dumps(shown, sort_keys=True)


def newest_change(world: World) -> str:
    """The id of the newest entry of the audit: another one means that something has changed."""
    newest: str = world.gateway.admin.get("/api/audit?limit=1").json()["data"][0]["id"]
    return newest


def listed(client: httpx2.Client, path: str) -> list[dict[str, Any]]:
    """All pages of a list."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"limit": 200, **({"cursor": cursor} if cursor else {})}
        answer = client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        found += answer.json()["data"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


@functools.cache
def insider(world: World, caller: str) -> httpx2.Client:
    """Somebody with a management credential: `admin of a`, `session of member of operator` and so on."""
    how, _, whose = caller.rpartition(" of ")
    account = OPERATOR if whose == "operator" else world.tenants["ab".index(whose)].account_id
    role = how.removeprefix("session of ")
    if not how.startswith("session of "):
        return client(world, new_token(world, role, account))
    email = new_email()
    world.gateway.create("users", name=caller, email=email, password=PASSWORD, role=role, account_id=account)
    return login(world, email=email, password=PASSWORD)


def new_email() -> str:
    return f"{uuid.uuid4().hex}@example.com"


def client(world: World, token: str = "") -> httpx2.Client:
    """A client of the management API with this token, or with none."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx2.Client(base_url=world.gateway.url, headers=headers, timeout=30)


def new_token(world: World, role: str, account_id: str) -> str:
    """A management token, which is secret from now on."""
    token = str(
        world.gateway.create("tokens", name=f"{role} of {account_id}", role=role, account_id=account_id)["token"]
    )
    world.canaries.add(token)
    return token


def login(world: World, **credentials: str) -> httpx2.Client:
    """A client with a session's cookie, which shows that it is one of our pages."""
    browser = httpx2.Client(base_url=world.gateway.url, headers=CSRF, timeout=30)
    answer = browser.post("/api/session", json=credentials)
    assert answer.status_code == 201, answer.text
    world.canaries |= set(browser.cookies.values())
    return browser
