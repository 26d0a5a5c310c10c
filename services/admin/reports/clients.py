"""The gRPC clients of billing and the router, with one deadline and one meaning of failure.

Decides how long a report may take. It must not know who asks or how an answer is shown.
"""

from collections.abc import Awaitable, Sequence
from typing import TypeVar

import grpc
import grpc.aio

from oneapi.runtime import rpc
from proto.billing.v1 import billing_pb2 as billing
from proto.billing.v1.billing_pb2_grpc import BillingStub
from proto.router.v1 import router_pb2 as router
from proto.router.v1.router_pb2_grpc import RouterStub

DEADLINE_S = 10.0
STATUS_DEADLINE_S = 2.0
Reply = TypeVar("Reply")


class ReportMissing(Exception):
    """The service has no such thing, or not for this account."""


class ReportRefused(Exception):
    """The service doesn't accept the question. The text is its reason."""


class ReportUnavailable(Exception):
    """The service doesn't answer. The text is its name."""


class Reports:
    """Clients that connect when they are first used."""

    def __init__(self, billing_addresses: Sequence[str], router_addresses: Sequence[str], secret: str) -> None:
        self._channels = (rpc.channel(billing_addresses, secret), rpc.channel(router_addresses, secret))
        self._billing = BillingStub(self._channels[0])
        self._router = RouterStub(self._channels[1])

    async def receipt(self, request: billing.GetReceiptRequest) -> billing.Receipt:
        """Raises ReportMissing, ReportRefused, ReportUnavailable; so do the others."""
        return await _ask("billing", self._billing.GetReceipt(request, timeout=DEADLINE_S))

    async def receipts(self, request: billing.ListReceiptsRequest) -> billing.ListReceiptsReply:
        return await _ask("billing", self._billing.ListReceipts(request, timeout=DEADLINE_S))

    async def usage(self, request: billing.GetUsageRequest) -> billing.GetUsageReply:
        return await _ask("billing", self._billing.GetUsage(request, timeout=DEADLINE_S))

    async def balance(self, request: billing.GetBalanceRequest) -> billing.Balance:
        return await _ask("billing", self._billing.GetBalance(request, timeout=DEADLINE_S))

    async def billing_status(self) -> billing.Status:
        return await _ask("billing", self._billing.GetStatus(billing.GetStatusRequest(), timeout=STATUS_DEADLINE_S))

    async def explain(self, request: router.PickRequest, deadline_s: float = DEADLINE_S) -> router.Explanation:
        return await _ask("router", self._router.Explain(request, timeout=deadline_s))

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()


async def _ask(service: str, call: Awaitable[Reply]) -> Reply:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            raise ReportMissing from error
        if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
            raise ReportRefused(error.details() or "") from error
        raise ReportUnavailable(service) from error
