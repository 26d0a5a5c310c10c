"""Rotation of keys, tokens and of the secret key itself, through the whole application on both databases."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from sqlalchemy import text, update

from oneapi.catalog.types import RelayKey
from oneapi.runtime.relay_keys import KeyHasher
from services.admin.clock import now_ms, parse_instant
from services.admin.identity.authentication import COOKIE
from services.admin.publishing import published
from services.admin.publishing.rehashing import Rehashing
from services.admin.rotation.dependents import Dependents
from services.admin.rotation.run import Rotation
from services.admin.store.schema import Key, Session, Token
from tests.integration.admin.gateway import SECRET_KEY, Admin, problem

NEW = "a new secret key"
DAY_S = 24 * 3600


def rotation(admin: Admin) -> Rotation:
    return Rotation(admin.parts.database, admin.parts.hasher, admin.parts.sealer, lambda: None)


def rehashing(admin: Admin) -> Rehashing:
    return Rehashing(None, admin.parts.database, admin.parts.hasher, lambda: None)  # type: ignore[arg-type]


async def filed(admin: Admin) -> dict[str, RelayKey]:
    """What the keys that are there say for each hash."""
    async with admin.parts.database.reading() as session:
        rows = (await session.execute(text("SELECT id FROM keys"))).all()
        keys = [await session.get_one(Key, row.id) for row in rows]
    return {digest: record for key in keys for digest, record in published.key_entries(key)}


async def outbox(admin: Admin) -> list[str]:
    async with admin.parts.database.reading() as session:
        return [row.name for row in await session.execute(text("SELECT name FROM outbox ORDER BY revision"))]


async def works(admin: Admin, token: str) -> bool:
    return (await admin.speaking_as(token).get("/api/session")).status_code == 200


async def over(admin: Admin, table: type[Key | Token]) -> None:
    """Lets every overlap of these be over."""
    async with admin.parts.database.writing() as session:
        await session.execute(update(table).values(previous_ends_at_ms=now_ms() - 1))


# One key


async def test_a_key_gets_another_secret_and_stays_the_same_key(admin: Admin) -> None:
    hasher = admin.parts.hasher
    made = await admin.create("keys", name="app", limits={"rpm": 5}, budget={"amount_usd": "1"})
    path = f"/api/keys/{made['id']}"
    answer = await admin.client.post(f"{path}/rotate", json={"overlap_seconds": 60})
    assert answer.status_code == 200, answer.text
    rotated = answer.json()
    assert rotated["key"] != made["key"]
    same = ("id", "account_id", "limits", "budget", "name", "enabled", "expires_at")
    assert {name: rotated[name] for name in same} == {name: made[name] for name in same}
    assert (rotated["hint"][-4:], rotated["previous_hint"]) == (rotated["key"][-4:], made["hint"])
    ends_at_ms = parse_instant(rotated["previous_ends_at"])
    assert 0 < ends_at_ms - now_ms() <= 60_000
    records = await filed(admin)
    assert records.keys() == {hasher.hash(made["key"]), hasher.hash(rotated["key"])}
    assert records[hasher.hash(made["key"])].expires_at_ms == ends_at_ms
    assert records[hasher.hash(rotated["key"])].expires_at_ms is None
    # Changes hold for both, and an end of the key itself that comes sooner wins.
    await admin.client.patch(path, json={"enabled": False, "expires_at": "2020-01-01T00:00:00Z"})
    for record in (await filed(admin)).values():
        assert not record.enabled
        assert record.expires_at_ms == parse_instant("2020-01-01T00:00:00Z")
    assert set((await outbox(admin))[-2:]) == set(records)
    shown = (await admin.client.get(path)).json()
    assert "key" not in shown
    entry = (await admin.audit(resource_id=made["id"], action="key.rotate"))[0]
    assert (entry["before"]["hint"], entry["after"]["hint"]) == (made["hint"], rotated["hint"])
    assert rotated["key"] not in str(await admin.audit())
    assert (await admin.client.delete(path)).status_code == 204
    assert set((await outbox(admin))[-2:]) == set(records)
    assert await filed(admin) == {}


async def test_never_more_than_two_secrets_of_a_key(admin: Admin) -> None:
    hasher = admin.parts.hasher
    made = await admin.create("keys", name="app")
    path = f"/api/keys/{made['id']}/rotate"
    second = (await admin.client.post(path)).json()
    assert DAY_S - 60 < (parse_instant(second["previous_ends_at"]) - now_ms()) / 1000 <= DAY_S
    third = (await admin.client.post(path, json={})).json()
    assert (await filed(admin)).keys() == {hasher.hash(each["key"]) for each in (second, third)}
    assert (await outbox(admin))[-1] == hasher.hash(made["key"])
    last = (await admin.client.post(path, json={"overlap_seconds": 0})).json()
    assert (last["previous_hint"], last["previous_ends_at"]) == (None, None)
    assert (await filed(admin)).keys() == {hasher.hash(last["key"])}
    assert set((await outbox(admin))[-2:]) == {hasher.hash(each["key"]) for each in (second, third)}


async def test_an_overlap_that_is_over_is_tidied(admin: Admin) -> None:
    made = await admin.create("keys", name="app")
    rotated = (await admin.client.post(f"/api/keys/{made['id']}/rotate", json={"overlap_seconds": 5})).json()
    await rotation(admin).once()
    assert len(await filed(admin)) == 2
    await over(admin, Key)
    await rotation(admin).once()
    assert (await filed(admin)).keys() == {admin.parts.hasher.hash(rotated["key"])}
    assert (await outbox(admin))[-1] == admin.parts.hasher.hash(made["key"])
    shown = (await admin.client.get(f"/api/keys/{made['id']}")).json()
    assert (shown["previous_hint"], shown["previous_ends_at"]) == (None, None)


@pytest.mark.parametrize("overlap", [-1, 30 * DAY_S + 1, "60", 1.5, None])
async def test_overlaps_that_are_refused(admin: Admin, overlap: object) -> None:
    made = await admin.create("keys", name="app")
    token = await admin.create("tokens", name="script")
    for path in (f"/api/keys/{made['id']}/rotate", f"/api/tokens/{token['id']}/rotate"):
        answer = await admin.client.post(path, json={"overlap_seconds": overlap})
        problem(answer, 422, "invalid_request")
    assert await works(admin, token["token"])


async def test_a_rotation_is_repeated_by_its_idempotency_key(admin: Admin) -> None:
    made = await admin.create("keys", name="app")
    path = f"/api/keys/{made['id']}/rotate"
    headers = {"idempotency-key": "once"}
    first = await admin.client.post(path, json={}, headers=headers)
    again = await admin.client.post(path, json={}, headers=headers)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    dry = await admin.client.post(path, json={}, headers={"x-oneapi-dry-run": "1"})
    assert dry.status_code == 200
    assert (await filed(admin)).keys() == {admin.parts.hasher.hash(each["key"]) for each in (made, first.json())}


async def test_who_may_rotate_what(admin: Admin) -> None:
    account = (await admin.create("accounts", name="team"))["id"]
    own = await admin.create("keys", name="own", account_id=account)
    foreign = await admin.create("keys", name="foreign")
    owner_token = await admin.create("tokens", name="o", role="owner", account_id=account)
    foreign_token = await admin.create("tokens", name="f", role="member")
    administrator = await admin.token("admin", account)
    member = await admin.token("member", account)
    assert (await administrator.post(f"/api/keys/{own['id']}/rotate")).status_code == 200
    problem(await administrator.post(f"/api/keys/{foreign['id']}/rotate"), 404, "not_found")
    problem(await administrator.post(f"/api/tokens/{foreign_token['id']}/rotate"), 404, "not_found")
    problem(await administrator.post(f"/api/tokens/{owner_token['id']}/rotate"), 403, "role_too_high")
    problem(await member.post(f"/api/keys/{own['id']}/rotate"), 403, "forbidden")
    problem(await admin.speaking_as(None).post(f"/api/keys/{own['id']}/rotate"), 401, "unauthenticated")
    problem(await admin.speaking_as(own["key"]).post(f"/api/keys/{own['id']}/rotate"), 401, "unauthenticated")
    assert await works(admin, owner_token["token"])


# One token


async def test_a_token_gets_another_secret(admin: Admin) -> None:
    made = await admin.create("tokens", name="script", role="admin")
    path = f"/api/tokens/{made['id']}/rotate"
    second = (await admin.client.post(path, json={"overlap_seconds": 60})).json()
    assert (second["id"], second["role"], second["previous_hint"]) == (made["id"], "admin", made["hint"])
    assert [await works(admin, each["token"]) for each in (made, second)] == [True, True]
    third = (await admin.client.post(path, json={"overlap_seconds": 60})).json()
    assert [await works(admin, each["token"]) for each in (made, second, third)] == [False, True, True]
    # A token may renew itself.
    fourth = (await admin.speaking_as(third["token"]).post(path, json={"overlap_seconds": 0})).json()
    assert [await works(admin, each["token"]) for each in (second, third, fourth)] == [False, False, True]
    assert (await admin.client.delete(f"/api/tokens/{made['id']}")).status_code == 204
    assert not await works(admin, fourth["token"])


async def test_an_old_token_ends_on_time_and_its_sessions_with_it(admin: Admin) -> None:
    made = await admin.create("tokens", name="script")
    await session_of(admin, token=made["token"])
    second = (await admin.client.post(f"/api/tokens/{made['id']}/rotate")).json()
    assert await works(admin, made["token"])
    await over(admin, Token)
    # Nothing had to be tidied for that.
    assert [await works(admin, each["token"]) for each in (made, second)] == [False, True]
    await rotation(admin).once()
    async with admin.parts.database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM sessions")) == 0
    await session_of(admin, token=second["token"])
    await admin.client.post(f"/api/tokens/{made['id']}/rotate", json={"overlap_seconds": 0})
    async with admin.parts.database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM sessions")) == 0


# The secret key


async def session_of(admin: Admin, **credential: str) -> str:
    """The cookie of a new console session."""
    answer = await admin.speaking_as(None).post("/api/session", json=credential)
    assert answer.status_code == 201, answer.text
    return str(answer.cookies[COOKIE])


async def resumes(admin: Admin, cookie: str) -> bool:
    client = admin.speaking_as(None)
    return (await client.get("/api/session", headers={"cookie": f"{COOKIE}={cookie}"})).status_code == 200


async def secret_key_status(admin: Admin) -> dict[str, int]:
    found: dict[str, int] = (await admin.client.get("/api/status")).json()["secret_key"]
    return found


async def opened(admin: Admin, channel: dict[str, Any]) -> httpx2.Response:
    """Gives the same secrets again: the answer says whether they are those that are kept."""
    given = {"api_key": "sk-upstream-credential", "headers": {"x-org": "hidden"}}
    return await admin.client.patch(f"/api/channels/{channel['id']}", json=given)


async def test_the_secret_key_is_changed_and_the_old_one_taken_away(make_admin: Callable[..., Admin]) -> None:
    first = make_admin()
    await first.open()
    used, idle = [await first.create("keys", name=name) for name in ("used", "idle")]
    token, unused = [await first.create("tokens", name=name) for name in ("used", "unused")]
    rotated = (await first.client.post(f"/api/keys/{used['id']}/rotate")).json()
    cookies = [await session_of(first, token=token["token"]), await session_of(first, token=first.settings.admin_token)]
    secrets = {"api_key": "sk-upstream-credential", "headers": {"x-org": "hidden"}}
    channel = await first.create("channels", name="c", provider="openai", models=["m"], **secrets)
    server = {"name": "tools", "url": "https://tools.example.com/mcp", "auth": "hush", "headers": {"x-a": "hidden"}}
    await first.create("mcp-servers", **server)
    replayed = await first.client.post("/api/keys", json={"name": "r"}, headers={"idempotency-key": "r"})
    assert (await secret_key_status(first))["depending"] == 0
    await first.close()

    both = make_admin(secret_key=NEW, previous_secret_keys=(SECRET_KEY,))
    await both.open()
    before = await secret_key_status(both)
    assert before == {
        "previous": 1, "depending": 10, "keys": 3, "tokens": 2, "sessions": 2, "channels": 1, "mcp_servers": 1,
        "replays": 1,
    }  # fmt: skip
    assert (await opened(both, channel)).headers["x-oneapi-changed"] == ""
    again = await both.client.post("/api/keys", json={"name": "r"}, headers={"idempotency-key": "r"})
    assert again.json() == replayed.json()
    assert await works(both, token["token"])
    assert [await resumes(both, cookie) for cookie in cookies] == [True, True]
    old, new = KeyHasher(SECRET_KEY), KeyHasher(NEW)
    keys = [used["key"], rotated["key"]]
    notices = [(old.hash(key), new.hash(key)) for key in keys]
    assert await rehashing(both).apply(notices) == 2
    assert await rehashing(both).apply(notices) == 0
    # The new entries come first, so that the key is never unknown.
    names = await outbox(both)
    for gone, come in notices:
        assert names.index(come) < len(names) - 1 - names[::-1].index(gone)
    assert {new.hash(key) for key in keys} <= (await filed(both)).keys()
    published_before = len(names)
    found = await rotation(both).once()
    assert found == Dependents(keys=2, tokens=1)
    renewed = (await outbox(both))[published_before:]
    assert [name.split(".")[0] for name in renewed] == ["channel", "mcp_server"]
    assert (await secret_key_status(both))["depending"] == 3
    # A second run finds nothing to do.
    published_before = len(await outbox(both))
    assert await rotation(both).once() == found
    assert len(await outbox(both)) == published_before
    await both.close()

    last = make_admin(secret_key=NEW)
    await last.open()
    assert (await opened(last, channel)).headers["x-oneapi-changed"] == ""
    again = await last.client.post("/api/keys", json={"name": "r"}, headers={"idempotency-key": "r"})
    assert again.json() == replayed.json()
    assert [await works(last, each["token"]) for each in (token, unused)] == [True, False]
    assert [await resumes(last, cookie) for cookie in cookies] == [True, True]
    # A key that nobody used is refused from now on, and comes back with a secret of its own.
    assert new.hash(idle["key"]) not in await filed(last)
    revived = (await last.client.post(f"/api/keys/{idle['id']}/rotate")).json()
    assert new.hash(revived["key"]) in await filed(last)


async def test_hashes_without_a_version_are_of_the_only_secret_key(make_admin: Callable[..., Admin]) -> None:
    first = make_admin()
    await first.open()
    await first.create("keys", name="k")
    async with first.parts.database.writing() as session:
        for table in (Key, Token, Session):
            await session.execute(update(table).values(hash_version=""))
    both = make_admin(secret_key=NEW, previous_secret_keys=(SECRET_KEY,))
    await both.open()
    assert (await rotation(both).once()).keys == 1
    await rotation(first).once()
    async with first.parts.database.reading() as session:
        assert await session.scalar(text("SELECT hash_version FROM keys")) == KeyHasher(SECRET_KEY).version
