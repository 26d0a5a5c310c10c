"""What admin asks billing and the router, played by small gRPC servers; and what it says when they are away."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio
import pytest

from oneapi.dialects.conversion import upstream_dialects
from oneapi.runtime import rpc
from proto.billing.v1 import billing_pb2 as billing
from proto.billing.v1.billing_pb2_grpc import BillingServicer, add_BillingServicer_to_server
from proto.router.v1 import router_pb2 as router
from proto.router.v1.router_pb2_grpc import RouterServicer, add_RouterServicer_to_server
from tests.integration.admin.gateway import SECRET_KEY, Admin, problem

RECEIPT = b'{"request_id":"req_1","cost_usd":"0.10"}'


class Books(BillingServicer):
    """One receipt, of the operator's account; `asked` is the last question."""

    def __init__(self) -> None:
        self.asked: Any = None

    async def GetReceipt(self, request: Any, context: Any) -> billing.Receipt:  # noqa: N802 - gRPC's name
        self.asked = request
        if request.request_id != "req_1" or request.account_id not in {"", "acc_operator"}:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such receipt")
        return billing.Receipt(request_id="req_1", json=RECEIPT)

    async def ListReceipts(self, request: Any, context: Any) -> billing.ListReceiptsReply:  # noqa: N802
        self.asked = request
        if request.cursor == "bad":
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "bad cursor")
        return billing.ListReceiptsReply(receipts=[billing.Receipt(request_id="req_1", json=RECEIPT)], next_cursor="n")

    async def GetUsage(self, request: Any, context: Any) -> billing.GetUsageReply:  # noqa: N802
        self.asked = request
        row = billing.UsageRow(
            group={"model": "m", "key_id": "key_1"}, requests=3, errors=1, cost_nano=100_000_001, usage={"input": 5}
        )
        return billing.GetUsageReply(rows=[row])

    async def GetBalance(self, request: Any, context: Any) -> billing.Balance:  # noqa: N802
        self.asked = request
        return billing.Balance(
            account_id=request.account_id, credits_nano=10**9, charged_nano=3 * 10**8, unposted_nano=1, reserved_nano=2
        )

    async def GetStatus(self, request: Any, context: Any) -> billing.Status:  # noqa: N802
        return billing.Status(writer=True, stream_pending=4, dead_letters=0, last_insert_ms=1000, ledger_rows=9)

    async def Verify(self, request: Any, context: Any) -> AsyncIterator[billing.VerifyResult]:  # noqa: N802
        yield billing.VerifyResult()


class Routes(RouterServicer):
    """One channel for everything."""

    def __init__(self) -> None:
        self.asked: Any = None

    async def Explain(self, request: Any, context: Any) -> router.Explanation:  # noqa: N802 - gRPC's name
        self.asked = request
        chosen = router.Considered(channel_id="ch_1", channel_name="one", upstream_model="up", chosen=True, place=1)
        left = router.Considered(channel_id="ch_2", channel_name="two", reason="not enabled")
        return router.Explanation(considered=[chosen, left], catalog_revision=7)

    async def Pick(self, request: Any, context: Any) -> router.Plan:  # noqa: N802
        raise AssertionError

    async def Route(self, request_iterator: Any, context: Any) -> AsyncIterator[router.PlanBatch]:  # noqa: N802
        yield router.PlanBatch()

    async def Report(self, request: Any, context: Any) -> router.ReportReply:  # noqa: N802
        raise AssertionError


class Away:
    def __init__(self) -> None:
        self.books, self.routes = Books(), Routes()
        self.server = rpc.server(SECRET_KEY)
        add_BillingServicer_to_server(self.books, self.server)
        add_RouterServicer_to_server(self.routes, self.server)
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"


@pytest.fixture
async def others() -> AsyncIterator[Away]:
    made = Away()
    await made.server.start()
    yield made
    await made.server.stop(None)


@pytest.fixture
async def asking(others: Away, make_admin: Callable[..., Admin]) -> Admin:
    admin = make_admin(billing_addresses=(others.address,), router_addresses=(others.address,))
    await admin.open()
    return admin


async def test_receipts_pass_through(asking: Admin, others: Away) -> None:
    answer = await asking.client.get("/api/receipts/req_1")
    assert (answer.status_code, answer.content) == (200, RECEIPT)
    assert others.books.asked.account_id == ""
    problem(await asking.client.get("/api/receipts/req_2"), 404, "not_found")
    problem(await asking.client.get(f"/api/receipts/{'x' * 200}"), 404, "not_found")
    account = (await asking.create("accounts", name="a"))["id"]
    member = await asking.token("member", account)
    problem(await member.get("/api/receipts/req_1"), 404, "not_found")
    assert others.books.asked.account_id == account


async def test_logs_and_their_filters(asking: Admin, others: Away) -> None:
    params = {"from": "2026-01-01T00:00:00Z", "model": "m", "outcome": "ok", "limit": "5", "key_id": "key_1"}
    answer = await asking.client.get("/api/logs", params=params)
    assert answer.json() == {"data": [{"request_id": "req_1", "cost_usd": "0.10"}], "next_cursor": "n"}
    asked = others.books.asked
    assert (asked.from_ms, asked.model, asked.outcome, asked.limit) == (1_767_225_600_000, "m", "ok", 5)
    account = (await asking.create("accounts", name="a"))["id"]
    member = await asking.token("member", account)
    await member.get("/api/logs")
    assert others.books.asked.account_id == account
    problem(await asking.client.get("/api/logs", params={"cursor": "bad"}), 422, "report_refused")
    for wrong in ({"from": "yesterday"}, {"outcome": "great"}, {"surprise": "x"}, {"key_id": "'; DROP"}):
        assert (await asking.client.get("/api/logs", params=wrong)).status_code == 422


async def test_usage_is_grouped(asking: Admin, others: Away) -> None:
    answer = await asking.client.get("/api/usage", params={"group_by": "model,key"})
    row = {
        "model": "m",
        "key_id": "key_1",
        "requests": 3,
        "errors": 1,
        "cost_usd": "0.100000001",
        "usage": {"input": 5},
    }
    assert answer.json() == {"data": [row], "next_cursor": None}
    assert list(others.books.asked.group_by) == ["model", "key"]
    for wrong in ("model,model", "planet", "model;x"):
        assert (await asking.client.get("/api/usage", params={"group_by": wrong})).status_code == 422


async def test_the_balance(asking: Admin, others: Away) -> None:
    assert (await asking.client.get("/api/balance")).json() == {
        "account_id": "acc_operator",
        "unlimited": True,
        "credits_usd": "1",
        "charged_usd": "0.3",
        "unposted_usd": "0.000000001",
        "reserved_usd": "0.000000002",
        "balance_usd": "0.699999999",
        "available_usd": "0.699999997",
    }
    problem(await asking.client.get("/api/balance", params={"account_id": "acc_none"}), 404, "not_found")


async def test_the_router_explains(asking: Admin, others: Away) -> None:
    account = (await asking.create("accounts", name="a", group="gold"))["id"]
    key = (await asking.create("keys", name="k", account_id=account, channels=["ch_sandbox"]))["id"]
    answer = (await asking.client.post("/api/explain", json={"model": "m", "key_id": key})).json()
    assert [one["chosen"] for one in answer["considered"]] == [True, False]
    assert (answer["refusal"], answer["catalog_revision"]) == (None, 7)
    asked = others.routes.asked
    assert (asked.model, asked.group, list(asked.allowed_channels)) == ("m", "gold", ["ch_sandbox"])
    assert list(asked.dialects) == list(upstream_dialects("openai_chat"))
    problem(await asking.client.post("/api/explain", json={"model": "m", "key_id": "key_no"}), 422, "unknown_key")


async def test_the_status_of_every_part(asking: Admin, others: Away) -> None:
    status = (await asking.client.get("/api/status")).json()
    assert status["status"] == "degraded"
    assert status["nats"]["status"] == "down"
    assert status["outbox"]["waiting"] == 3
    assert status["billing"] == {
        "status": "ok",
        "writer": True,
        "stream_pending": 4,
        "dead_letters": 0,
        "last_insert_at": "1970-01-01T00:00:01Z",
        "ledger_rows": 9,
    }
    assert status["router"] == {"status": "ok", "catalog_revision": 7}


async def test_when_they_are_away(admin: Admin) -> None:
    for path in ("/api/receipts/req_1", "/api/logs", "/api/usage", "/api/balance"):
        answer = await admin.client.get(path)
        problem(answer, 503, "billing_unavailable")
        assert answer.headers["retry-after"] == "1"
    problem(await admin.client.post("/api/explain", json={"model": "m"}), 503, "router_unavailable")
    status = (await admin.client.get("/api/status")).json()
    assert (status["billing"]["status"], status["router"]["status"]) == ("down", "down")
    assert (await admin.client.get("/api/keys")).status_code == 200
