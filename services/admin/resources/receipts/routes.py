"""Receipts, logs, usage and balances, asked of billing.

Decides whose money a caller may ask about: a principal of one account only ever asks about that one. It must not know
how billing finds the answers.
"""

from typing import Annotated

import msgspec
from fastapi import Query as QueryParameters
from starlette.responses import Response

from oneapi.pricing.money import usd_text
from proto.billing.v1 import billing_pb2 as billing
from services.admin.identity.accounts import visible_account
from services.admin.identity.principals import Access, Principal
from services.admin.resources.receipts.schemas import (
    BalanceQuery,
    BalanceShown,
    LogQuery,
    ReceiptList,
    ReceiptShown,
    UsageList,
    UsageQuery,
    usage_row,
)
from services.admin.web import problems
from services.admin.web.routes import CallDep, asks, resource_router

MAX_REQUEST_ID = 128
receipts = resource_router("/api/receipts", "receipts")
logs = resource_router("/api/logs", "receipts")
usage = resource_router("/api/usage", "receipts")
balance = resource_router("/api/balance", "receipts")


@receipts.get("/{request_id}", responses={200: {"model": ReceiptShown}})
@asks(Access.READ)
async def get_receipt(call: CallDep, request_id: str) -> Response:
    """The receipt of one request. It can be read within 5 s of the request's end."""
    if len(request_id) > MAX_REQUEST_ID:
        raise problems.not_found()
    asked = billing.GetReceiptRequest(request_id=request_id, account_id=call.principal.account_scope or "")
    found = await call.parts.reports.receipt(asked)
    return Response(found.json, media_type="application/json")


@logs.get("", responses={200: {"model": ReceiptList}})
@asks(Access.READ)
async def list_logs(call: CallDep, query: Annotated[LogQuery, QueryParameters()]) -> Response:
    """Receipts, newest first."""
    reply = await call.parts.reports.receipts(
        billing.ListReceiptsRequest(
            account_id=_account(call.principal, query.account_id),
            key_id=query.key_id or "",
            user_id=query.user_id or "",
            model=query.model or "",
            channel_id=query.channel_id or "",
            outcome=query.outcome or "",
            from_ms=query.start or 0,
            to_ms=query.end or 0,
            limit=query.limit,
            cursor=query.cursor or "",
        )
    )
    body = {"data": [msgspec.Raw(receipt.json) for receipt in reply.receipts], "next_cursor": reply.next_cursor or None}
    return Response(msgspec.json.encode(body), media_type="application/json")


@usage.get("", responses={200: {"model": UsageList}})
@asks(Access.READ)
async def get_usage(call: CallDep, query: Annotated[UsageQuery, QueryParameters()]) -> Response:
    """Requests, errors, cost and usage, grouped; by default of the last 30 days."""
    reply = await call.parts.reports.usage(
        billing.GetUsageRequest(
            from_ms=query.start or 0,
            to_ms=query.end or 0,
            group_by=query.group_by,
            account_id=_account(call.principal, query.account_id),
            key_id=query.key_id or "",
            user_id=query.user_id or "",
            model=query.model or "",
            channel_id=query.channel_id or "",
        )
    )
    rows = [
        usage_row(dict(row.group), row.requests, row.errors, usd_text(row.cost_nano), dict(row.usage))
        for row in reply.rows
    ]
    return Response(msgspec.json.encode({"data": rows, "next_cursor": None}), media_type="application/json")


@balance.get("")
@asks(Access.READ)
async def get_balance(call: CallDep, query: Annotated[BalanceQuery, QueryParameters()]) -> BalanceShown:
    """The balance of an account, by default the caller's own."""
    account_id = query.account_id or call.principal.account_id
    account = await visible_account(await call.read(), call.principal, account_id)
    if account is None:
        raise problems.not_found()
    reply = await call.parts.reports.balance(billing.GetBalanceRequest(account_id=account_id))
    left = reply.credits_nano - reply.charged_nano - reply.unposted_nano
    return BalanceShown(
        account_id=account_id,
        unlimited=account.unlimited,
        credits_usd=usd_text(reply.credits_nano),
        charged_usd=usd_text(reply.charged_nano),
        unposted_usd=usd_text(reply.unposted_nano),
        reserved_usd=usd_text(reply.reserved_nano),
        balance_usd=usd_text(left),
        available_usd=usd_text(left - reply.reserved_nano),
    )


def _account(principal: Principal, asked: str | None) -> str:
    """The account to ask about; empty for all. Raises Problem 404 for one that the principal may not see."""
    if asked is not None and not principal.sees(asked):
        raise problems.not_found()
    return asked or principal.account_scope or ""
