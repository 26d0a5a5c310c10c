"""The router's gRPC service: picks on streams and by single calls, explanations, and reports of outcomes.

It decides batching, tracing and what happens while the catalog is missing. It must not know how channels are chosen.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio
from opentelemetry import trace

from oneapi.runtime import semconv
from oneapi.runtime.telemetry import context_from, current_traceparent, sampled, tracer
from proto.router.v1 import router_pb2_grpc
from proto.router.v1.router_pb2 import (
    Explanation,
    OutcomeBatch,
    PickRequest,
    Plan,
    PlanBatch,
    ReportReply,
    RouteBatch,
)
from services.router.peers import OutcomeSharing
from services.router.picker import Picker

Context = grpc.aio.ServicerContext[Any, Any]


class RouterService(router_pb2_grpc.RouterServicer):
    """Answers callers once the catalog is loaded, and UNAVAILABLE before: an empty catalog is no answer."""

    def __init__(self, picker: Picker, sharing: OutcomeSharing, loaded: Callable[[], bool]) -> None:
        self._picker = picker
        self._sharing = sharing
        self._loaded = loaded
        self._draining = False
        self._reading: set[asyncio.Task[Any]] = set()

    async def Pick(self, request: PickRequest, context: Context) -> Plan:  # noqa: N802 - the name of the RPC
        """One plan."""
        await self._require_catalog(context)
        return self._pick(request, current_traceparent() or request.traceparent)

    async def Explain(self, request: PickRequest, context: Context) -> Explanation:  # noqa: N802 - the name of the RPC
        """Every channel that was considered."""
        await self._require_catalog(context)
        traceparent = current_traceparent() or request.traceparent
        if not sampled(traceparent):
            return self._picker.explain(request)
        with tracer().start_as_current_span(
            semconv.SPAN_ROUTER_EXPLAIN, context=context_from(traceparent), kind=trace.SpanKind.SERVER
        ) as span:
            span.set_attribute(semconv.GEN_AI_REQUEST_MODEL, request.model)
            return self._picker.explain(request)

    async def Report(self, request: OutcomeBatch, context: Context) -> ReportReply:  # noqa: N802 - the name of the RPC
        """Takes outcomes from callers without a stream."""
        await self._require_catalog(context)
        self._picker.learn(request.outcomes)
        self._sharing.share(request.outcomes)
        return ReportReply()

    async def Route(  # noqa: N802 - the name of the RPC
        self, request_iterator: AsyncIterator[RouteBatch], context: Context
    ) -> AsyncIterator[PlanBatch]:
        """Answers each batch of picks with one batch of plans until the caller or the router ends.

        The caller gathers picks while its last message is on its way, so batches grow with the load by themselves.
        """
        await self._require_catalog(context)
        await context.send_initial_metadata(())
        while not self._draining:
            batch = await self._next(request_iterator)
            if batch is None:
                return
            if batch.outcomes:
                self._picker.learn(batch.outcomes)
                self._sharing.share(batch.outcomes)
            if batch.picks:
                yield PlanBatch(plans=[self._pick(pick, pick.traceparent) for pick in batch.picks])

    def end_streams(self) -> None:
        """Ends every stream that waits for its caller, the others after their next answer. Callers go elsewhere."""
        self._draining = True
        for task in self._reading:
            task.cancel()

    async def _next(self, batches: AsyncIterator[RouteBatch]) -> RouteBatch | None:
        """The next batch; None when the caller has ended the stream or the router drains."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a stream is served outside of a task")
        self._reading.add(task)
        try:
            return await anext(batches, None)
        except asyncio.CancelledError:
            if not self._draining:
                raise
            return None
        finally:
            self._reading.discard(task)

    def _pick(self, request: PickRequest, traceparent: str) -> Plan:
        if not sampled(traceparent):
            return self._picker.pick(request)
        span = tracer().start_span(
            semconv.SPAN_ROUTER_PICK, context=context_from(traceparent), kind=trace.SpanKind.SERVER
        )
        try:
            plan = self._picker.pick(request)
            attributes: dict[str, str | int] = {
                semconv.GEN_AI_REQUEST_MODEL: request.model,
                semconv.ENDPOINT: request.endpoint,
                semconv.CATALOG_REVISION: plan.catalog_revision,
            }
            if plan.candidates:
                best = plan.candidates[0]
                attributes[semconv.CHANNEL_ID] = best.channel_id
                attributes[semconv.UPSTREAM_DIALECT] = best.dialect
                attributes[semconv.REASON] = best.reason
            else:
                attributes[semconv.REASON] = plan.refusal
            span.set_attributes(attributes)
            return plan
        finally:
            span.end()

    async def _require_catalog(self, context: Context) -> None:
        if self._draining or not self._loaded():
            why = "the router drains" if self._draining else "the catalog is not loaded yet"
            await context.abort(grpc.StatusCode.UNAVAILABLE, why)
