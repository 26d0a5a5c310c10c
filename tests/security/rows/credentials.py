"""A-03 to A-16: keys that were good, keys that never were, and very many of them."""

import asyncio
import re
import socket
import time
from collections.abc import Callable

import nats

from oneapi.runtime import relay_keys
from tests.e2e.gateway import eventually
from tests.security.table import Absent, Row
from tests.security.wire import (
    AUTHORIZED,
    BEHIND_THE_DOOR,
    LISTENERS,
    MANAGER,
    Place,
    filled,
    get,
    send,
    whole,
)
from tests.security.world import World

REVOKED_S = 5.0
_OWN = re.compile(rb"(?mi)^(?:(?:x-|x-oneapi-)?request-id|date|server-timing): .*\r\n")
_ID = re.compile(rb'"request_?[iI]d":"[^"]*"')


def refusal(answer: bytes) -> bytes:
    """An answer without what is each one's own."""
    return _ID.sub(b"", _OWN.sub(b"", answer))


def ask(world: World, credential: str, place: Place | None = None, source: str = "") -> bytes:
    """A good request with this credential instead of the good one."""
    if place is None:
        return send(world.gateway.port, get("/v1/models", f"authorization: Bearer {credential}"), source=source)
    sent = whole(place).replace(place.credential.encode(), f"authorization: Bearer {credential}".encode(), 1)
    return send(world.ports[place.listener], filled(world, sent), source=source)


def status(answer: bytes) -> int:
    return int(answer[9:12] or b"0")


# Keys that the gateway has never heard of ---------------------------------------------------------------------------


def wrong_sum(key: str) -> str:
    """The key with another last character."""
    return key[:-1] + ("0" if key[-1] != "0" else "1")


async def _heard(world: World, send_all: Callable[[], object]) -> int:
    """How often the keys' bucket is asked meanwhile."""
    client = await nats.connect(world.environment()["NATS_URL"])
    heard = 0

    async def hear(_message: object) -> None:
        nonlocal heard
        heard += 1

    await client.subscribe("$JS.API.DIRECT.GET.KV_keys.>", cb=hear)
    await client.subscribe("$JS.API.STREAM.MSG.GET.KV_keys", cb=hear)
    await client.flush()
    await asyncio.to_thread(send_all)
    await client.flush()  # what is on its way comes first
    await client.close()
    return heard


def asks_nobody(world: World, kind: str) -> None:
    kinds: dict[str, Callable[[], str]] = {
        "bad checksum": lambda: wrong_sum(relay_keys.mint()),
        "checksum of another case": lambda: world.key[:-6] + world.key[-6:].swapcase(),
        "management token": relay_keys.mint_management,
        "too long": lambda: relay_keys.mint() + "a",
        "too short": lambda: relay_keys.mint()[:-1],
        "no prefix": lambda: relay_keys.mint()[3:],
    }
    made = kinds[kind]

    def several() -> None:
        for _ in range(20):
            answer = ask(world, made())
            assert status(answer) == 401, answer[:200]

    heard = asyncio.run(_heard(world, several))
    assert heard == 0, f"the bucket was asked {heard} times"


def is_counted(world: World, kind: str) -> None:
    """An unknown key asks nobody. A new good one is asked for, which proves that the counting hears at all."""
    if kind == "unknown":
        key = relay_keys.mint()
        heard = asyncio.run(_heard(world, lambda: [ask(world, key) for _ in range(3)]))
        assert heard == 0, heard
        return
    key = str(world.gateway.create("keys", name="new")["key"])
    heard = asyncio.run(_heard(world, lambda: eventually(lambda: status(ask(world, key)) == 200)))
    assert heard, "a key is read before it is let in"


# Keys that were good ------------------------------------------------------------------------------------------------


def _made_bad(world: World, kind: str) -> str:
    """A key that was good a moment ago, or is good elsewhere."""
    gateway = world.gateway
    if kind == "from elsewhere":
        return str(gateway.create("keys", name="elsewhere", allowed_ips=["198.51.100.7/32", "2001:db8::/32"])["key"])
    if kind == "expired":
        key = str(gateway.create("keys", name="expired", expires_at=_soon())["key"])
        eventually(lambda: status(ask(world, key)) == 200)
        return key
    account = gateway.create("accounts", name="to be disabled", unlimited=True)["id"]
    made = gateway.create("keys", name=kind, account_id=account)
    key, path = str(made["key"]), f"/api/keys/{made['id']}"
    eventually(lambda: status(ask(world, key)) == 200)
    if kind == "deleted":
        answer = gateway.admin.delete(path)
    elif kind == "disabled":
        answer = gateway.admin.patch(path, json={"enabled": False})
    elif kind == "account disabled":
        answer = gateway.admin.patch(f"/api/accounts/{account}", json={"enabled": False})
    elif kind == "moved elsewhere":
        answer = gateway.admin.patch(path, json={"allowed_ips": ["198.51.100.7"]})
    else:
        answer = gateway.admin.patch(path, json={"expires_at": _soon()})
    assert answer.status_code in {200, 204}, answer.text
    return key


def _soon() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))


KINDS = ("deleted", "disabled", "account disabled", "moved elsewhere", "expires", "expired", "from elsewhere")


def was_good(world: World, kind: str) -> None:
    """Refused within the bound everywhere, and told what an unknown key is told."""
    key = _made_bad(world, kind)
    world.canaries.add(key)
    for place in (None, *(place for place in (*BEHIND_THE_DOOR, LISTENERS[1]) if place.credential == AUTHORIZED)):
        eventually(lambda place=place: status(ask(world, key, place)) == 401, REVOKED_S)  # type: ignore[misc]
        told, unknown = ask(world, key, place), ask(world, relay_keys.mint(), place)
        assert refusal(told) == refusal(unknown), (told, unknown)


def management_was_good(world: World, kind: str) -> None:
    """The same for management tokens, at once: admin reads its own store."""
    gateway = world.gateway
    expires = {"expires_at": _soon()} if kind == "expired" else {}
    account = gateway.create("accounts", name="tokens", unlimited=True)["id"]
    made = gateway.create("tokens", name=kind, role="admin", account_id=account, **expires)
    token = str(made["token"])
    world.canaries.add(token)
    if kind == "deleted":
        assert gateway.admin.delete(f"/api/tokens/{made['id']}").status_code == 204
    elif kind == "account disabled":
        assert gateway.admin.patch(f"/api/accounts/{account}", json={"enabled": False}).status_code == 200
    for place in BEHIND_THE_DOOR[-1:] + LISTENERS[2:]:
        eventually(lambda place=place: status(ask(world, token, place)) == 401, REVOKED_S)  # type: ignore[misc]
        told, unknown = ask(world, token, place), ask(world, relay_keys.mint_management(), place)
        assert refusal(told) == refusal(unknown), (told, unknown)


# One answer ---------------------------------------------------------------------------------------------------------


def one_answer(world: World, place: Place) -> None:
    """Status, headers and body are the same for every kind of bad credential."""
    management = place.credential == MANAGER
    good = world.tenants[0].token if management else world.key
    kinds = {
        "unknown": relay_keys.mint_management() if management else relay_keys.mint(),
        "bad checksum": wrong_sum(good),
        "no key": "x",
        "empty": "",
        "very long": "sk-" + "a" * 1_000,
        "of another part": world.key if management else world.gateway.admin_token,
    }
    told = {kind: refusal(ask(world, credential, place)) for kind, credential in kinds.items()}
    assert all(answer.startswith(b"HTTP/1.1 401 ") for answer in told.values()), told
    assert len(set(told.values())) == 1, told
    assert b"www-authenticate: bearer" in next(iter(told.values())).lower(), told


# Very many ----------------------------------------------------------------------------------------------------------

GUESSES = {"well formed": 10_000, "malformed": 2_000}
PIPELINED = 50
GUESSER = "127.0.9.9"


def guesses(world: World, kind: str) -> None:
    """Bad keys without end from one address: 401, then 429 with Retry-After. Good keys go on, from there, too."""
    seen = {401: 0, 429: 0}
    began = time.monotonic()
    for number in range(GUESSES[kind] // PIPELINED):
        keys = [relay_keys.mint() if kind == "well formed" else f"sk-{number}-{n}" for n in range(PIPELINED)]
        head = "GET /v1/models HTTP/1.1\r\nhost: gw\r\nauthorization: Bearer {}\r\n\r\n"
        data = "".join(head.format(key) for key in keys).encode()
        last = f"GET /v1/models HTTP/1.1\r\nhost: gw\r\n{AUTHORIZED}\r\nconnection: close\r\n\r\n".encode()
        answer = send(world.gateway.port, filled(world, data + last), source=GUESSER)
        heads = answer.split(b"HTTP/1.1 ")[1:]
        assert len(heads) == PIPELINED + 1, len(heads)
        assert heads[-1].startswith(b"200"), "a good key is kept out"
        for one in heads[:-1]:
            seen[int(one[:3])] += 1
            assert (b"retry-after: " in one) == one.startswith(b"429"), one
            assert one.startswith(b"401") or b"auth_rate_limited" in one, one
    took_s = time.monotonic() - began
    assert seen[401] <= 100 + 20 * took_s + PIPELINED, (seen, took_s)
    assert seen[401] + seen[429] == GUESSES[kind]
    assert status(ask(world, world.key, source="127.0.10.9")) == 200
    assert status(ask(world, relay_keys.mint(), source="127.0.10.9")) == 401, "another network pays for it"


def churn(world: World, count: int) -> None:
    """Each guess on a connection of its own, which is the costlier way."""
    for _ in range(count):
        with socket.create_connection(("127.0.0.1", world.gateway.port), source_address=("127.0.11.9", 0)) as sock:
            sock.sendall(get("/v1/models", "authorization: Bearer sk-x"))
            assert sock.recv(65_536)[9:12] in {b"401", b"429"}


ROWS: list[Row | Absent] = [
    Row(
        "A-03",
        "keys that can't be ours are refused without asking",
        asks_nobody,
        ["bad checksum", "checksum of another case", "management token", "too long", "too short", "no prefix"],
    ),
    Row("A-04", "a key that nobody made asks nobody", is_counted, ["unknown", "new"]),
    Row("A-05", "keys that were good, or are good elsewhere", was_good, KINDS[-2:]),
    Row("A-11", "what is taken back ends within seconds", was_good, KINDS[:-2]),
    Row("A-24", "tokens that are taken back", management_was_good, ["deleted", "account disabled", "expired"]),
    Row("A-13", "guessing keys", guesses, list(GUESSES)),
    Row("A-25", "guessing keys on many connections", churn, [500]),
    Row("A-16", "one answer to every bad credential", one_answer, [*BEHIND_THE_DOOR, *LISTENERS[1:]]),
]
