"""The installation's secret is changed, and so are single keys, while clients go on with what they have."""

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from oneapi.runtime.relay_keys import KeyHasher
from services.admin.identity.authentication import COOKIE
from tests.e2e.gateway import Gateway, UpstreamServer, eventually

OLD, NEW = "the first secret key of this installation", "the second secret key of this installation"
MODEL = "told"
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}
TOOLS = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path / "data", {"ONEAPI_SECRET_KEY": OLD})
    gateway.start()
    yield gateway
    if gateway.process is not None and gateway.process.poll() is None:
        gateway.stop()


def chat(gateway: Gateway, key: str) -> int:
    return gateway.client(key).post("/v1/chat/completions", json=CHAT).status_code


def lists_tools(gateway: Gateway, key: str) -> int:
    headers = {"accept": "application/json, text/event-stream"}
    return gateway.client(key).post("/mcp", json=TOOLS, headers=headers).status_code


def manages(gateway: Gateway, **headers: str) -> int:
    return httpx2.get(f"{gateway.url}/api/session", headers=headers, timeout=30).status_code


def depending(gateway: Gateway) -> dict[str, int]:
    found: dict[str, int] = gateway.admin.get("/api/status").json()["secret_key"]
    return found


def filed_under_the_new_one(gateway: Gateway) -> set[str]:
    """Names of the keys whose hashes were made with the new secret key."""
    with contextlib.closing(sqlite3.connect(gateway.data_dir / "oneapi.sqlite3")) as database:
        version = KeyHasher(NEW).version
        return {name for (name,) in database.execute("SELECT name FROM keys WHERE hash_version = ?", (version,))}


def refused(gateway: Gateway, key: str) -> bool:
    return chat(gateway, key) == 401


@pytest.mark.timeout(300)
def test_the_secret_key_is_changed(own: Gateway, upstream: UpstreamServer) -> None:
    own.channel(upstream, {MODEL: "play:tokens=1"})
    used, for_tools, idle = [own.key(name=name) for name in ("used", "tools", "idle")]
    token = own.create("tokens", name="script")["token"]
    login = httpx2.post(f"{own.url}/api/session", json={"token": own.admin_token}, timeout=30)
    cookie = f"{COOKIE}={login.cookies[COOKIE]}"
    named = {"name": "replayed"}
    once = {"idempotency-key": uuid.uuid4().hex}
    replayed = own.admin.post("/api/keys", json=named, headers=once).json()

    def works() -> None:
        # A tool's first listing may find mcp still starting.
        eventually(lambda: lists_tools(own, for_tools) != 503)
        assert chat(own, used) == 200
        assert upstream.served(path="/v1/chat/completions")[-1]["credential"] == "Bearer upstream-credential"
        assert lists_tools(own, for_tools) == 200
        assert manages(own, authorization=f"Bearer {token}") == 200
        assert manages(own, cookie=cookie) == 200
        assert own.admin.post("/api/keys", json=named, headers=once).json() == replayed

    works()
    own.restart(ONEAPI_SECRET_KEY=NEW, ONEAPI_SECRET_KEY_PREVIOUS=OLD)
    works()
    made = own.key(name="made meanwhile")

    def only_unused_keys_depend() -> bool:
        # What edge and mcp told while admin was starting is told again at a later use.
        assert (chat(own, used), lists_tools(own, for_tools)) == (200, 200)
        counts = depending(own)
        assert counts["previous"] == 1
        return counts["depending"] == counts["keys"] and {"used", "tools"} <= filed_under_the_new_one(own)

    eventually(only_unused_keys_depend, 60)
    assert depending(own)["keys"] > 0
    assert "idle" not in filed_under_the_new_one(own)
    works()
    own.restart(ONEAPI_SECRET_KEY=NEW, ONEAPI_SECRET_KEY_PREVIOUS="")
    works()
    assert chat(own, made) == 200
    assert refused(own, idle)
    assert depending(own)["previous"] == depending(own)["depending"] == 0


def test_a_key_is_rotated_with_an_overlap(gateway: Gateway) -> None:
    def lists(key: str) -> int:
        return gateway.client(key).get("/v1/models").status_code

    made = gateway.create("keys", name="rotated")
    path = f"/api/keys/{made['id']}"
    first = made["key"]
    eventually(lambda: lists(first) == 200)
    second = gateway.admin.post(f"{path}/rotate").json()["key"]
    eventually(lambda: [lists(key) for key in (first, second)] == [200, 200])
    gateway.admin.patch(path, json={"enabled": False}).raise_for_status()
    eventually(lambda: [lists(key) for key in (first, second)] == [401, 401])
    gateway.admin.patch(path, json={"enabled": True}).raise_for_status()
    eventually(lambda: [lists(key) for key in (first, second)] == [200, 200])
    # One that ends soon: it is refused from that moment on.
    third = gateway.admin.post(f"{path}/rotate", json={"overlap_seconds": 6}).json()["key"]
    eventually(lambda: [lists(key) for key in (first, second, third)] == [401, 200, 200], 5)
    eventually(lambda: [lists(key) for key in (first, second, third)] == [401, 401, 200])
    gateway.admin.delete(path).raise_for_status()
    eventually(lambda: [lists(key) for key in (first, second, third)] == [401, 401, 401])
