"""Reports say what the ledger says: usage over hours that were summed up, dirty or open, and pages of receipts."""

import time
from collections.abc import Awaitable
from typing import Any

import grpc
import msgspec
import pytest

from oneapi.runtime.ids import uuid7
from proto.billing.v1.billing_pb2 import GetReceiptRequest, GetStatusRequest, GetUsageRequest, ListReceiptsRequest
from services.billing.hours import read_hours
from services.billing.sums import Sums
from tests.integration.billing.world import QUICK, Replica, World, balance, until, usage_event

ACCOUNT = "acc_1"
HOUR_MS = 3_600_000

DIRECT = """
SELECT model, key_id, count(), sum(amount_nano), sumMap(usage)
FROM ledger_v WHERE line = 'main' AND outcome != 'void' GROUP BY model, key_id ORDER BY model, key_id
"""


def hours_ago(hours: float) -> int:
    """An instant in the middle of a closed hour."""
    now_ms = time.time_ns() // 1_000_000
    return now_ms - now_ms % HOUR_MS - int(hours * HOUR_MS) + HOUR_MS // 2


async def same_as_direct(world: World, replica: Replica) -> None:
    """The report equals a query over every line."""
    report = [
        (row["model"], row["key_id"], row["requests"], row["cost_nano"], row["usage"])
        for row in await replica.usage("model", "key")
    ]
    direct = [(*row[:4], {name: count for name, count in row[4].items() if count}) for row in await world.query(DIRECT)]
    assert sorted(report, key=repr) == sorted(direct, key=repr)
    sums = Sums(world.clickhouse)
    quick = await sums.quick({ACCOUNT: ["key:key_1:total"]}, await read_hours(world.clickhouse))
    full = await sums.full([ACCOUNT])
    assert quick[ACCOUNT].charged == full[ACCOUNT].charged
    assert quick[ACCOUNT].credits == full[ACCOUNT].credits
    assert quick[ACCOUNT].scopes["key:key_1:total"] == full[ACCOUNT].scopes.get("key:key_1:total", 0)


async def clean_hours(world: World) -> int:
    return int((await world.query("SELECT countIf(clean) FROM rollup_hours FINAL"))[0][0])


async def test_usage_is_the_ledger_whatever_comes_late_or_twice(world: World) -> None:
    replica = await world.writer(pace=QUICK)
    await world.opened(ACCOUNT, unlimited=True)
    scope = ["key:key_1:total"]
    hold = usage_event(
        ACCOUNT, version=1, usage={}, rates=None, evidence="hold", outcome="recovered", model="h",
        amount_nano=90_000, reserved_nano=90_000, reserved_at_ms=hours_ago(3), channel_id="",
    )  # fmt: skip
    events = [
        usage_event(
            ACCOUNT, reserved_at_ms=hours_ago(hours), scopes=scope, key_id=f"key_{hours % 2}", model=f"m{hours}"
        )
        for hours in (1, 2, 3, 5, 26, 27, 50)
    ]
    await world.ship(*events, hold, usage_event(ACCOUNT, outcome="void", amount_nano=0, usage={}, rates=None))
    await world.ship(usage_event(ACCOUNT), usage_event(ACCOUNT, usage={"search": 2}, rates={"search": 10**9}))
    await world.credit(ACCOUNT, 1_000, "cr_1")
    await until(world.drained)
    await same_as_direct(world, replica)
    await until(lambda: _is(clean_hours(world), 7))
    await same_as_direct(world, replica)
    rolled = await world.query("SELECT sum(requests) FROM usage_hourly")
    assert rolled == [(8,)]
    # Late ones, one of them in an hour that nobody had known; repeated ones; and the hold's true end.
    late = [
        usage_event(ACCOUNT, reserved_at_ms=hours_ago(2), scopes=scope, model="late"),
        usage_event(ACCOUNT, reserved_at_ms=hours_ago(4), scopes=scope, model="late"),
        usage_event(ACCOUNT, request_id=hold.request_id, reserved_at_ms=hours_ago(3), model="h"),
    ]
    await world.ship(*late, *events)
    await world.ship(*events[:3], hold)
    await until(world.drained)
    await same_as_direct(world, replica)
    await until(lambda: _is(clean_hours(world), 8))
    await same_as_direct(world, replica)
    assert await world.query("SELECT sum(requests), sum(cost_nano) FROM usage_hourly") == [
        (10, sum(event.amount_nano for event in [*events, *late]))
    ]
    assert await world.query("SELECT countIf(cost_nano = 90000) FROM usage_hourly") == [(0,)]
    await until(lambda: world.settled_state(ACCOUNT))


async def test_hourly_sums_that_were_spoiled_are_found(world: World) -> None:
    replica = await world.writer(pace=QUICK)
    await world.opened(ACCOUNT, unlimited=True)
    await world.ship(usage_event(ACCOUNT, reserved_at_ms=hours_ago(2)))
    await until(lambda: _is(clean_hours(world), 1))
    await world.clickhouse.command("INSERT INTO usage_hourly SELECT * FROM usage_hourly")
    assert (await replica.usage())[0]["requests"] == 2

    async def right_again() -> bool:
        return bool((await replica.usage())[0]["requests"] == 1)

    await until(right_again)
    await same_as_direct(world, replica)


async def test_a_report_begins_and_ends_at_the_millisecond(world: World) -> None:
    replica = await world.writer(pace=QUICK)
    await world.opened(ACCOUNT, unlimited=True)
    at = hours_ago(2)
    await world.ship(*(usage_event(ACCOUNT, reserved_at_ms=at + step) for step in (-1, 0, 1, HOUR_MS)))
    await until(lambda: _is(clean_hours(world), 2))

    async def counted(from_ms: int, to_ms: int) -> int:
        reply = await replica.stub.GetUsage(GetUsageRequest(from_ms=from_ms, to_ms=to_ms))
        return sum(row.requests for row in reply.rows)

    assert await counted(at, at + 1) == 1
    assert await counted(at - 1, at + 1) == 2
    assert await counted(at, at + HOUR_MS) == 2
    assert await counted(at, at + HOUR_MS + 1) == 3
    assert await counted(at - HOUR_MS, at + 2 * HOUR_MS) == 4
    hour = at - at % HOUR_MS
    assert await counted(hour, hour + HOUR_MS) == 3
    assert await counted(hour + HOUR_MS, hour + 2 * HOUR_MS) == 1


async def test_usage_is_grouped_and_narrowed(world: World) -> None:
    replica = await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    now = time.gmtime()
    await world.ship(
        usage_event(ACCOUNT, model="a", user_id="u1"),
        usage_event(ACCOUNT, model="a", user_id="u2", outcome="upstream_error", status=502, usage={}),
        usage_event(ACCOUNT, model="b", user_id="u1", outcome="client_gone"),
    )
    await until(world.drained)
    by_model = {row["model"]: (row["requests"], row["errors"]) for row in await replica.usage("model")}
    assert by_model == {"a": (2, 1), "b": (1, 0)}
    days = await replica.usage("day", "account")
    assert [(row["day"], row["account_id"], row["requests"]) for row in days] == [
        (time.strftime("%Y-%m-%d", now), ACCOUNT, 3)
    ]
    assert (await replica.usage("hour"))[0]["hour"] == time.strftime("%Y-%m-%dT%H:00:00Z", now)
    assert [row["requests"] for row in await replica.usage(user_id="u1")] == [2]
    assert await replica.usage("model", key_id="nobody") == []
    for wrong in ("cost_nano", "model; DROP TABLE ledger"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await replica.usage(wrong)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_receipts_come_in_pages_newest_first(world: World) -> None:
    replica = await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    ages_h = [0, 0, 0, 2, 30, 30, 24 * 60]
    events = [usage_event(ACCOUNT, reserved_at_ms=time.time_ns() // 1_000_000 - age * HOUR_MS) for age in ages_h]
    await world.ship(*events, usage_event("acc_2"))
    await until(world.drained)
    seen: list[str] = []
    cursor = ""
    while True:
        page = await replica.stub.ListReceipts(ListReceiptsRequest(account_id=ACCOUNT, limit=3, cursor=cursor))
        assert all(msgspec.json.decode(one.json)["request_id"] == one.request_id for one in page.receipts)
        seen += [one.request_id for one in page.receipts]
        cursor = page.next_cursor
        if not cursor:
            break
    ordered = sorted(events, key=lambda event: (event.reserved_at_ms, event.request_id), reverse=True)
    assert seen == [event.request_id for event in ordered]
    wrongs: list[dict[str, Any]] = [{"cursor": "nonsense"}, {"limit": 201}]
    for wrong in wrongs:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await replica.stub.ListReceipts(ListReceiptsRequest(**wrong))
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_status_and_what_is_not_there(world: World) -> None:
    replica = await world.writer()
    await world.opened(ACCOUNT, unlimited=True)
    await world.ship(usage_event(ACCOUNT))
    await until(world.drained)
    status = await replica.stub.GetStatus(GetStatusRequest())
    assert (status.writer, status.stream_pending, status.dead_letters, status.ledger_rows) == (True, 0, 0, 1)
    assert abs(status.last_insert_ms - time.time() * 1000) < 60_000
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await replica.stub.GetReceipt(GetReceiptRequest(request_id=uuid7()))
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    # An account that Redis has lost is shown as the ledger has it.
    await world.redis.flushall()
    await world.edge("silent")
    shown = await balance(replica, ACCOUNT, "key:key_1:total")
    assert shown.charged_nano == await world.charged(ACCOUNT)


async def _is(value: Awaitable[int], wanted: int) -> bool:
    return await value == wanted
