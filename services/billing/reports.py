"""Billing's gRPC service: receipts, usage, balances, and the proof that the ledger holds. Every replica answers.

It decides how questions are checked and which status an answer has. Who may ask what is for the services that call it.
"""

import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeVar

import grpc
import nats.errors
import nats.js.errors
from aiohttp import ClientError
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError
from nats.js import JetStreamContext
from opentelemetry.trace import SpanKind, get_current_span
from redis.exceptions import RedisError

from oneapi.bus.subjects import CONSUMER_BILLING, STREAM_DEAD_LETTERS, STREAM_LEDGER
from oneapi.runtime.redis_functions import AccountState, Counters, MoneyFunctions
from oneapi.runtime.semconv import RPC_METHOD, RPC_SYSTEM, SPAN_BILLING_REPORT
from oneapi.runtime.telemetry import tracer
from proto.billing.v1.billing_pb2 import (
    Balance,
    GetBalanceRequest,
    GetReceiptRequest,
    GetStatusRequest,
    GetUsageReply,
    GetUsageRequest,
    ListReceiptsReply,
    ListReceiptsRequest,
    Receipt,
    ScopeBalance,
    Status,
    UsageRow,
    VerifyRequest,
    VerifyResult,
)
from proto.billing.v1.billing_pb2_grpc import BillingServicer
from services.billing import report_queries as queries
from services.billing.hours import read_hours
from services.billing.invariants import Verification
from services.billing.receipts import render
from services.billing.report_queries import FILTERS, BadQuestion, Query
from services.billing.sums import AccountSums, Sums

logger = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]
Answer = TypeVar("Answer")

DAY_MS = 24 * 3_600_000
DEFAULT_DAYS = 30
_AHEAD_MS = 60_000
"""Receipts that clocks put a little into the future are shown too."""
_SPANS_MS = (3_600_000, DAY_MS, 31 * DAY_MS)
"""Newest receipts are looked for in the last hour, day and month before in everything."""
_MAX_SCOPES = 1_000

_STATUS = """
SELECT count(), (SELECT toUnixTimestamp64Milli(max(ingested_at)) FROM ledger WHERE reserved_at > now() - INTERVAL 2 DAY)
FROM ledger_v
"""
_UNAVAILABLE = (ClickHouseError, ClientError, RedisError, nats.errors.Error, OSError, TimeoutError)


class Reports(BillingServicer):
    """Answers from ClickHouse and Redis. `is_writer()` says whether this replica is the one that writes."""

    def __init__(
        self,
        client: AsyncClient,
        money: MoneyFunctions,
        js: JetStreamContext,
        verification: Verification,
        is_writer: Callable[[], bool],
    ) -> None:
        self._client = client
        self._money = money
        self._js = js
        self._verification = verification
        self._is_writer = is_writer
        self._sums = Sums(client)

    async def GetReceipt(self, request: GetReceiptRequest, context: Context) -> Receipt:  # noqa: N802 - the contract's name
        """NOT_FOUND when it isn't in the ledger, or is another account's or key's."""
        if not request.request_id:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a request id is needed")
        question = queries.receipt(request.request_id, request.account_id, request.key_id)
        rows = await self._answer(context, "GetReceipt", self._rows(question))
        if not rows:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such receipt")
        return Receipt(request_id=rows[0]["request_id"], json=render(rows[0]))

    async def ListReceipts(self, request: ListReceiptsRequest, context: Context) -> ListReceiptsReply:  # noqa: N802 - the contract's name
        """Newest first; `next_cursor` is empty on the last page."""
        return await self._answer(context, "ListReceipts", self._list(request))

    async def GetUsage(self, request: GetUsageRequest, context: Context) -> GetUsageReply:  # noqa: N802 - the contract's name
        """Grouped sums of what receipts show one by one."""
        return await self._answer(context, "GetUsage", self._usage(request))

    async def GetBalance(self, request: GetBalanceRequest, context: Context) -> Balance:  # noqa: N802 - the contract's name
        """What Redis knows of an open account, at one instant; of another one, what the ledger has."""
        if not request.account_id or len(request.scopes) > _MAX_SCOPES:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"an account and at most {_MAX_SCOPES} scopes")
        return await self._answer(context, "GetBalance", self._balance(request.account_id, list(request.scopes)))

    async def Verify(self, request: VerifyRequest, context: Context) -> AsyncIterator[VerifyResult]:  # noqa: N802 - the contract's name
        """One result for each invariant, as soon as it is known."""
        try:
            with _span("Verify"):
                async for result in self._verification.run():
                    yield VerifyResult(invariant=result.invariant, holds=result.holds, detail=result.detail)
        except _UNAVAILABLE as failure:
            await _unavailable(context, "Verify", failure)

    async def GetStatus(self, request: GetStatusRequest, context: Context) -> Status:  # noqa: N802 - the contract's name
        """How far the ledger is behind the stream."""
        return await self._answer(context, "GetStatus", self._status())

    async def _answer(self, context: Context, method: str, work: Awaitable[Answer]) -> Answer:
        try:
            with _span(method):
                return await work
        except BadQuestion as wrong:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(wrong))
        except _UNAVAILABLE as failure:
            await _unavailable(context, method, failure)
        raise AssertionError("abort returned")

    async def _rows(self, question: Query) -> list[dict[str, Any]]:
        result = await self._client.query(question.text, parameters=question.parameters)
        return [dict(zip(question.names, row, strict=True)) for row in result.result_rows]

    async def _list(self, request: ListReceiptsRequest) -> ListReceiptsReply:
        limit = queries.page_size(request.limit)
        after = queries.decode_cursor(request.cursor) if request.cursor else None
        to_ms = request.to_ms or _now_ms() + _AHEAD_MS
        start_ms = min(to_ms, after[0]) if after else to_ms
        filters = {name: getattr(request, name) for name in FILTERS}
        rows: list[dict[str, Any]] = []
        for span in (*_SPANS_MS, None):
            from_ms = max(request.from_ms, 0 if span is None else start_ms - span)
            rows = await self._rows(queries.receipts(from_ms, to_ms, filters, after, limit + 1))
            if len(rows) > limit or from_ms == max(request.from_ms, 0):
                break
        page = rows[:limit]
        more = len(rows) > limit
        return ListReceiptsReply(
            receipts=[Receipt(request_id=row["request_id"], json=render(row)) for row in page],
            next_cursor=queries.encode_cursor(page[-1]["at_ms"], page[-1]["request_id"]) if more else "",
        )

    async def _usage(self, request: GetUsageRequest) -> GetUsageReply:
        to_ms = request.to_ms or _now_ms() + _AHEAD_MS
        from_ms = request.from_ms or to_ms - DEFAULT_DAYS * DAY_MS
        filters = {name: getattr(request, name, "") for name in FILTERS}
        question = queries.usage(from_ms, to_ms, list(request.group_by), filters, await read_hours(self._client))
        result = await self._client.query(question.text, parameters=question.parameters)
        width = len(question.names)
        reply = GetUsageReply()
        for row in result.result_rows:
            requests, errors, cost, usage = row[width:]
            reply.rows.append(
                UsageRow(
                    group=dict(zip(question.names, (str(value) for value in row[:width]), strict=True)),
                    requests=int(requests),
                    errors=int(errors),
                    cost_nano=int(cost),
                    usage={str(bucket): int(count) for bucket, count in usage.items() if count},
                )
            )
        return reply

    async def _balance(self, account_id: str, scopes: list[str]) -> Balance:
        state = await self._money.balances(account_id, scopes)
        if state.epoch:
            return _shown(account_id, state.credits, state.account, state.scopes)
        ledger = await self._ledger_sums(account_id, scopes)
        held = _held_in(state, ledger, scopes)
        return _shown(account_id, ledger.credits, Counters(posted=ledger.charged), held)

    async def _ledger_sums(self, account_id: str, scopes: list[str]) -> AccountSums:
        found = await self._sums.quick({account_id: scopes}, await read_hours(self._client))
        return found[account_id]

    async def _status(self) -> Status:
        ((rows, last_insert_ms),) = (await self._client.query(_STATUS)).result_rows
        letters = await self._js.stream_info(STREAM_DEAD_LETTERS)
        try:
            info = await self._js.consumer_info(STREAM_LEDGER, CONSUMER_BILLING)
            pending = (info.num_pending or 0) + (info.num_ack_pending or 0)
        except nats.js.errors.NotFoundError:
            # No writer has been here yet: everything there is waits.
            pending = (await self._js.stream_info(STREAM_LEDGER)).state.messages
        return Status(
            writer=self._is_writer(),
            stream_pending=pending,
            dead_letters=letters.state.messages,
            last_insert_ms=max(int(last_insert_ms), 0),
            ledger_rows=int(rows),
        )


def _held_in(state: AccountState, ledger: AccountSums, scopes: list[str]) -> dict[str, Counters]:
    """Scopes of an account that isn't open: posted is the ledger's, nothing else is known."""
    return {scope: Counters(posted=ledger.scopes.get(scope, 0)) for scope in scopes if scope in state.scopes}


def _shown(account_id: str, credit: int, account: Counters, scopes: Mapping[str, Counters]) -> Balance:
    return Balance(
        account_id=account_id,
        credits_nano=credit,
        charged_nano=account.posted,
        unposted_nano=account.unposted,
        reserved_nano=account.reserved,
        scopes=[
            ScopeBalance(
                scope=scope,
                posted_nano=counters.posted,
                unposted_nano=counters.unposted,
                reserved_nano=counters.reserved,
            )
            for scope, counters in scopes.items()
        ],
    )


async def _unavailable(context: Context, method: str, failure: BaseException) -> None:
    logger.warning("a report can't be made", extra={"fields": {"method": method, "why": repr(failure)[:300]}})
    await context.abort(grpc.StatusCode.UNAVAILABLE, "a store of the billing service can't be asked")


@contextlib.contextmanager
def _span(method: str) -> Iterator[None]:
    """A span when the caller's trace is recorded; otherwise nothing."""
    if not get_current_span().get_span_context().trace_flags & 1:
        yield
        return
    attributes = {RPC_SYSTEM: "grpc", RPC_METHOD: f"proto.billing.v1.Billing/{method}"}
    with tracer().start_as_current_span(SPAN_BILLING_REPORT, kind=SpanKind.SERVER, attributes=attributes):
        yield


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
