"""D-12 to D-17: attacks on money and on memory by those who may ask."""

import re
import socket
import threading
from collections import Counter
from typing import Any

import httpx2

from oneapi.runtime import relay_keys
from tests.e2e.gateway import eventually
from tests.security.table import Absent, Row
from tests.security.wire import (
    CHAT_PLACE,
    MESSAGES_PLACE,
    RESPONSES_PLACE,
    Place,
    filled,
    request,
    send,
    whole,
)
from tests.security.world import ASKED, CHAT, METRICS, World

HAMMERED = 500
PIPELINED = 50
RELEASED_S, CALM_S = 1.0, 5.0
VANISHING = 1_000


def spent(world: World, place: Place) -> None:
    """A spent budget under a hammer: 402 in each format, no retry is asked for, and nothing is written for it."""
    budget = {"amount_usd": "0.000000001", "window": "total"}
    made = world.gateway.create("keys", name="spent", budget=budget)
    key, key_id = str(made["key"]), made["id"]
    eventually(lambda: world.client(key).get("/v1/models").status_code == 200)
    before = _shipped(world)
    asked = whole(place).replace(b"%KEY%", key.encode()).replace(b"connection: close\r\n", b"")
    last = whole(place).replace(b"%KEY%", key.encode())
    for _ in range(HAMMERED // PIPELINED):
        answer = send(world.gateway.port, asked * (PIPELINED - 1) + last)
        heads = answer.split(b"HTTP/1.1 ")[1:]
        assert len(heads) == PIPELINED
        for one in heads:
            assert one.startswith(b"402 "), one
            assert b"x-should-retry: false" in one, one
            assert b"retry-after" not in one, one
    world.chat(world.key)
    rows = world.gateway.admin.get("/api/usage?group_by=key").json()["data"]
    assert not [row for row in rows if row["key_id"] == key_id]
    written = _shipped(world) - before
    assert written < HAMMERED / 10, f"{written} records were written for {HAMMERED} refusals"


def _shipped(world: World) -> float:
    """How many records the edge has written so far and sent, or is to send."""
    text = world.metrics()["edge" + METRICS]
    names = ("oneapi_spool_shipped_records_total", "oneapi_spool_unshipped_records")
    return sum(float(found[1]) for name in names if (found := re.search(rf"^{name} (\S+)", text, re.MULTILINE)))


# Label values and caches --------------------------------------------------------------------------------------------

DISTINCT, DISTINCT_MODELS = 400, 4_000
MORE_SERIES = 60


def distinct(world: World, kind: str) -> None:
    """Words of clients don't become series of metrics, and the memory of what is unknown is bounded."""
    before = {name: text.count("\n") for name, text in world.metrics().items()}
    size_mb = world.size_mb()
    for first in range(0, DISTINCT_MODELS if kind == "model" else DISTINCT, PIPELINED):
        requests = [_one_of(world, kind, first + n, "keep-alive") for n in range(PIPELINED - 1)]
        requests.append(_one_of(world, kind, first, "close"))
        answer = send(world.ports["mcp" if kind == "tool" else "edge"], filled(world, b"".join(requests)))
        assert b"HTTP/1.1 5" not in answer, answer[:300]
    for name, text in world.metrics().items():
        assert text.count("\n") < before[name] + MORE_SERIES, f"{name}: {text.count(chr(10))}, not {before[name]}"
        assert "canary-" not in text, name
    assert world.size_mb() < size_mb + 50


def _one_of(world: World, kind: str, number: int, connection: str) -> bytes:
    word = f"canary-{kind}-{number}"
    model = f'{{"model":"{word}","messages":[{{"role":"user","content":"hi"}}]}}'
    call = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{word}"}}}}'
    lines: dict[str, tuple[str, str, str]] = {
        "model": (f"POST {CHAT}", world.key, model),
        "model that is shown": (f"GET /v1/models/{word}", world.key, ""),
        "path": (f"GET /{word}", world.key, ""),
        "path of the API": (f"GET /api/{word}", world.gateway.admin_token, ""),
        "method": (f"{word.upper().replace('-', '')[:20]} /api/keys", world.gateway.admin_token, ""),
        "tool": ("POST /mcp", world.key, call),
        "method of MCP": ("POST /mcp", world.key, f'{{"jsonrpc":"2.0","id":1,"method":"{word}"}}'),
        "key": (f"GET /v1/models?{word}", relay_keys.mint(), ""),
        "idempotency key": ("POST /api/keys", world.gateway.admin_token, '{"x":1}'),
    }  # fmt: skip
    line, credential, body = lines[kind]
    sent = request(
        f"{line} HTTP/1.1",
        f"authorization: Bearer {credential}",
        "content-type: application/json",
        "accept: application/json, text/event-stream",
        f"idempotency-key: {word}",
        f"content-length: {len(body)}",
        body=body.encode(),
    )
    return sent.replace(b"connection: close", b"connection: " + connection.encode())


# Reservations -------------------------------------------------------------------------------------------------------


def vanish(world: World, how: str) -> None:
    """Requests that hold the most they may, whose clients leave at once: all is free again soon after."""
    account = world.gateway.create("accounts", name=f"vanishing {how}")["id"]
    credit = {"amount_usd": "1000", "reason": "to be held"}
    assert world.gateway.admin.post(f"/api/accounts/{account}/credits", json=credit).status_code == 201
    key = str(world.gateway.create("keys", name="vanishing", account_id=account)["key"])
    eventually(lambda: world.client(key).post(CHAT, json=ASKED).status_code == 200, 10)
    body = b'{"model":"sandbox","max_tokens":100000,"stream":true,"messages":[{"role":"user","content":"hi"}]}'
    sent = whole(CHAT_PLACE, body=body).replace(b"%KEY%", key.encode())
    for _ in range(VANISHING):
        sock = socket.create_connection(("127.0.0.1", world.gateway.port))
        if how == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.sendall(sent)
        sock.close()

    def released() -> bool:
        # So many at once are an overload, and for a moment nobody is let in.
        answer = world.gateway.admin.get(f"/api/balance?account_id={account}")
        assert answer.status_code in {200, 503}, answer.text
        return answer.status_code == 200 and float(answer.json()["reserved_usd"]) == 0

    eventually(released, RELEASED_S + CALM_S)
    eventually(lambda: world.client(key).post(CHAT, json=ASKED).status_code == 200, CALM_S)


def at_once(world: World, count: int) -> None:
    """Credit for one request, asked for by many at once: never more is spent than there is."""
    account = world.gateway.create("accounts", name="poor")["id"]
    credit = {"amount_usd": "0.000100000", "reason": "little"}
    assert world.gateway.admin.post(f"/api/accounts/{account}/credits", json=credit).status_code == 201
    key = str(world.gateway.create("keys", name="poor", account_id=account)["key"])
    eventually(lambda: world.client(key).get("/v1/models").status_code == 200)
    statuses: Counter[int] = Counter()

    def ask() -> None:
        body = {**ASKED, "max_tokens": 20}
        statuses[httpx2.post(f"{world.gateway.url}{CHAT}", json=body, headers=_bearer(key)).status_code] += 1

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 402}, statuses

    def settled() -> dict[str, Any] | None:
        balance: dict[str, Any] = world.gateway.admin.get(f"/api/balance?account_id={account}").json()
        return balance if float(balance["reserved_usd"]) == 0 else None

    balance = eventually(settled)
    assert balance is not None
    assert float(balance["available_usd"]) >= 0, balance


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


# Asking for much ----------------------------------------------------------------------------------------------------

GREEDY: list[tuple[Place, str]] = [
    (CHAT_PLACE, '"max_tokens":2147483647'),
    (CHAT_PLACE, '"max_completion_tokens":2147483647'),
    (CHAT_PLACE, '"n":128'),
    (CHAT_PLACE, '"n":1000000'),
    (CHAT_PLACE, '"best_of":1000'),
    (MESSAGES_PLACE, '"thinking":{"type":"enabled","budget_tokens":2147483647}'),
    (RESPONSES_PLACE, '"max_output_tokens":2147483647'),
    (CHAT_PLACE, '"reasoning_effort":"high","max_tokens":2000000000'),
]


def greedy(world: World, asked: tuple[Place, str]) -> None:
    """What asks for more than a budget holds is refused, whatever field says so, and nothing of it is spent."""
    place, field = asked
    budget = {"amount_usd": "0.0001", "window": "total"}
    key = str(world.gateway.create("keys", name="greedy", budget=budget)["key"])
    eventually(lambda: world.client(key).get("/v1/models").status_code == 200)
    body = place.body[:-1] + b"," + field.encode() + b"}"
    answer = send(world.gateway.port, whole(place, body=body).replace(b"%KEY%", key.encode()))
    cheap = "budget_tokens" in field or "best_of" in field
    expected = {b"200", b"400", b"402"} if cheap else {b"400", b"402"}
    assert answer[9:12] in expected, answer[:400]


LIMITED = [({"concurrency": 2}, b"concurrency_exceeded"), ({"rpm": 3}, b"requests_per_minute_exceeded"),
           ({"tpm": 100}, b"tokens_per_minute_exceeded")]  # fmt: skip


def limited(world: World, given: tuple[dict[str, int], bytes]) -> None:
    """A key's own bounds hold against many at once: 429 with a time to wait, and other keys go on."""
    limits, code = given
    key = str(world.gateway.create("keys", name="limited", limits=limits)["key"])
    eventually(lambda: world.client(key).get("/v1/models").status_code == 200)
    answers: list[bytes] = []
    body = b'{"model":"sandbox","stream":true,"max_tokens":50,"messages":[{"role":"user","content":"hi"}]}'
    sent = whole(CHAT_PLACE, body=body).replace(b"%KEY%", key.encode())
    threads = [threading.Thread(target=lambda: answers.append(send(world.gateway.port, sent))) for _ in range(40)]
    for thread in threads:
        thread.start()
    world.chat(world.key)
    for thread in threads:
        thread.join()
    refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 429 ")]
    assert refused, Counter(answer[9:12] for answer in answers)
    assert all(code in answer and b"retry-after: " in answer for answer in refused), refused[0]
    assert len(refused) + sum(answer.startswith(b"HTTP/1.1 200 ") for answer in answers) == 40


ROWS: list[Row | Absent] = [
    Row("D-12", "a spent budget under a hammer", spent, [CHAT_PLACE, MESSAGES_PLACE, RESPONSES_PLACE]),
    Row(
        "D-14",
        "thousands of distinct words",
        distinct,
        ["model", "model that is shown", "path", "path of the API", "method", "tool", "method of MCP", "key",
         "idempotency key"],
    ),
    Row("D-15", "requests for very much", greedy, GREEDY),
    Row("D-17", "reservations whose clients vanish", vanish, ["closed", "reset"]),
    Row("D-20", "one credit, asked for by many at once", at_once, [40]),
    Row("D-21", "a key's own bounds", limited, LIMITED),
]  # fmt: skip
