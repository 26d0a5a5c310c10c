"""Budgets hold under concurrency, and each request's cost is found where an operator looks for it."""

import asyncio
from decimal import Decimal

import httpx2
import pytest

from tests.e2e.gateway import Gateway, UpstreamServer, eventually

CHAT = {"messages": [{"role": "user", "content": "hi"}]}


async def ask_together(gateway: Gateway, key: str, count: int, body: dict[str, object]) -> list[httpx2.Response]:
    limits = httpx2.Limits(max_connections=count)
    headers = {"authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(base_url=gateway.url, headers=headers, limits=limits, timeout=60) as client:
        return list(await asyncio.gather(*(client.post("/v1/chat/completions", json=body) for _ in range(count))))


async def test_a_budget_for_fifty_serves_fifty_of_two_hundred(gateway: Gateway, upstream: UpstreamServer) -> None:
    gateway.channel(upstream, {"per-call": "play:tokens=1,gap_ms=5"})
    answer = gateway.admin.put("/api/prices/per-call", json={"per_call": "0.01"})
    assert answer.status_code in {200, 201}
    key = gateway.key(budget={"amount_usd": "0.50", "window": "total"})
    eventually(lambda: ask_price(gateway, "per-call") == "0.01")
    before = len(upstream.served(model="play:tokens=1,gap_ms=5"))
    answers = await ask_together(gateway, key, 200, {"model": "per-call", **CHAT})
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(200) == 50
    assert statuses.count(402) == 150
    assert len(upstream.served(model="play:tokens=1,gap_ms=5")) - before == 50
    refused = next(answer for answer in answers if answer.status_code == 402)
    assert "0.5" in refused.text
    served = [answer for answer in answers if answer.status_code == 200]
    receipts = [gateway.receipt(key, answer.headers["x-request-id"]) for answer in served]
    assert sum(Decimal(receipt["cost_usd"]) for receipt in receipts) == Decimal("0.50")


def ask_price(gateway: Gateway, model: str) -> str:
    """The per-call price that the management API shows for a model."""
    row = gateway.admin.get(f"/api/prices/{model}").json()
    return str(Decimal(row["per_call"]).normalize()) if row.get("per_call") else ""


def test_an_account_without_credit_is_refused_until_it_has_some(gateway: Gateway, upstream: UpstreamServer) -> None:
    gateway.channel(upstream, {"prepaid": "play:tokens=2"})
    account = gateway.create("accounts", name="prepaid")
    key = gateway.key(account_id=account["id"])
    client = gateway.client(key)
    body = {"model": "prepaid", "max_tokens": 10, **CHAT}
    assert client.post("/v1/chat/completions", json=body).status_code == 402
    credit = gateway.admin.post(
        f"/api/accounts/{account['id']}/credits", json={"amount_usd": "1.25", "reason": "a test"}
    )
    assert credit.status_code == 201, credit.text
    answer = eventually(lambda: served(client, body))
    receipt = gateway.receipt(key, answer.headers["x-request-id"])
    cost = Decimal(receipt["cost_usd"])
    assert cost == Decimal(11 * 2 + 2 * 8) / 1_000_000

    def balance() -> bool:
        shown = gateway.admin.get("/api/balance", params={"account_id": account["id"]}).json()
        return Decimal(shown["balance_usd"]) == Decimal("1.25") - cost

    eventually(balance)


def served(client: httpx2.Client, body: dict[str, object]) -> httpx2.Response | None:
    answer = client.post("/v1/chat/completions", json=body)
    return answer if answer.status_code == 200 else None


@pytest.mark.parametrize("stream", [False, True])
def test_receipt_lines_add_up_and_usage_has_them(gateway: Gateway, stream: bool) -> None:
    key = gateway.key()
    answer = gateway.client(key).post("/v1/chat/completions", json={"model": "sandbox", "stream": stream, **CHAT})
    assert answer.status_code == 200
    receipt = gateway.receipt(key, answer.headers["x-request-id"])
    assert receipt["outcome"] == "ok"
    assert receipt["evidence"] == "provider"
    assert Decimal(receipt["cost_usd"]) > 0
    assert sum(Decimal(line["amount_usd"]) for line in receipt["lines"]) == Decimal(receipt["cost_usd"])
    seen = gateway.admin.get(f"/api/receipts/{receipt['request_id']}").json()
    assert seen == receipt
    usage = gateway.admin.get("/api/usage", params={"group_by": "key"}).json()
    row = next(row for row in usage["data"] if row["key_id"] == receipt["key_id"])
    assert row["requests"] == 1
    assert Decimal(row["cost_usd"]) == Decimal(receipt["cost_usd"])
    assert row["usage"] == receipt["usage"]


def test_a_receipt_of_another_key_is_not_found(gateway: Gateway) -> None:
    mine, other = gateway.key(), gateway.key()
    answer = gateway.client(mine).post("/v1/chat/completions", json={"model": "sandbox", **CHAT})
    request_id = answer.headers["x-request-id"]
    gateway.receipt(mine, request_id)
    assert gateway.client(other).get(f"/v1/receipts/{request_id}").status_code == 404


def test_rate_limit_is_429_with_retry_after(gateway: Gateway) -> None:
    client = gateway.client(gateway.key(limits={"rpm": 2}))
    answers = [client.post("/v1/chat/completions", json={"model": "sandbox", **CHAT}) for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)


def test_the_ledger_verifies(gateway: Gateway) -> None:
    def verifies() -> bool:
        return gateway.oneapi("ledger", "verify").returncode == 0

    assert eventually(verifies, 30)
