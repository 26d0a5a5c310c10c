"""The edge's neighbours as tests need them: they do what they are told and remember what they were asked."""

import asyncio
import json
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from aiohttp import web

from oneapi.catalog.types import Channel
from oneapi.providers.registry import PROVIDERS
from proto.billing.v1 import billing_pb2
from proto.router.v1 import router_pb2, router_pb2_grpc
from tests.ports import free_port
from tests.upstream.server import application


class FakeRouter(router_pb2_grpc.RouterServicer):
    """Plans all channels of a model by priority. `plans` overrides a model's, `silent` lets every pick wait."""

    def __init__(self, channels: dict[str, Channel]) -> None:
        self._channels = channels
        self.plans: dict[str, router_pb2.Plan] = {}
        self.outcomes: list[router_pb2.Outcome] = []
        self.picks: list[router_pb2.PickRequest] = []
        self.batches: list[int] = []
        self.silent = False

    def plan(self, pick: router_pb2.PickRequest) -> router_pb2.Plan:
        self.picks.append(pick)
        told = self.plans.get(pick.model)
        if told is not None:
            return router_pb2.Plan(
                pick_id=pick.pick_id,
                refusal=told.refusal,
                retry_after_ms=told.retry_after_ms,
                candidates=told.candidates,
            )
        serving = sorted(
            (channel for channel in self._channels.values() if pick.model in channel.models),
            key=lambda channel: -channel.priority,
        )
        candidates = [
            router_pb2.Candidate(
                channel_id=channel.id,
                upstream_model=channel.model_mapping.get(pick.model, pick.model),
                dialect=_spoken(channel, pick),
                reason="the test says so",
            )
            for channel in serving
        ]
        return router_pb2.Plan(pick_id=pick.pick_id, candidates=candidates)

    async def Pick(self, request: router_pb2.PickRequest, context: Any) -> router_pb2.Plan:  # noqa: N802 - the contract names it
        if self.silent:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "silent")
        return self.plan(request)

    async def Explain(self, request: router_pb2.PickRequest, context: Any) -> router_pb2.Explanation:  # noqa: N802 - the contract names it
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "the edge explains nothing")
        return router_pb2.Explanation()

    async def Report(self, request: router_pb2.OutcomeBatch, context: Any) -> router_pb2.ReportReply:  # noqa: N802 - the contract names it
        self.outcomes += request.outcomes
        return router_pb2.ReportReply()

    async def Route(self, requests: Any, context: Any) -> None:  # type: ignore[override]  # noqa: N802 - the contract names it
        await context.send_initial_metadata(())
        async for batch in requests:
            self.outcomes += batch.outcomes
            if batch.picks and not self.silent:
                self.batches.append(len(batch.picks))
                await context.write(router_pb2.PlanBatch(plans=[self.plan(pick) for pick in batch.picks]))


def _spoken(channel: Channel, pick: router_pb2.PickRequest) -> str:
    """The client's own dialect where the channel speaks it, else the channel's best."""
    dialects = channel.dialects or (PROVIDERS[channel.provider].dialects if pick.endpoint == "chat" else ())
    if not dialects or pick.dialects[0] in dialects:
        return pick.dialects[0]
    return next(dialect for dialect in dialects if dialect in pick.dialects)


class FakeBilling:
    """Has the receipts that it is given, by request and key; the edge asks billing for nothing else."""

    def __init__(self) -> None:
        self.receipts: dict[tuple[str, str], bytes] = {}

    async def answer(self, request: billing_pb2.GetReceiptRequest, context: Any) -> billing_pb2.Receipt:
        found = self.receipts.get((request.request_id, request.key_id))
        if found is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such receipt")
        return billing_pb2.Receipt(request_id=request.request_id, json=found or b"")

    def add_to(self, server: grpc.aio.Server) -> None:
        handler = grpc.unary_unary_rpc_method_handler(
            self.answer,
            request_deserializer=billing_pb2.GetReceiptRequest.FromString,
            response_serializer=billing_pb2.Receipt.SerializeToString,
        )
        handlers = grpc.method_handlers_generic_handler("proto.billing.v1.Billing", {"GetReceipt": handler})
        server.add_generic_rpc_handlers((handlers,))


class Behind:
    """A service behind the edge: says what it was asked, streams, fails."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[dict[str, Any]] = []
        self.gone = 0
        self.port = free_port()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        asked = {
            "service": self.name,
            "method": request.method,
            "path": request.raw_path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": body.decode(),
        }
        self.asked.append(asked)
        if request.path.endswith("/events"):
            return await self._events(request)
        headers = {"x-from": self.name, "connection": "x-private", "x-private": "1", "set-cookie": "a=1"}
        answer = web.json_response(asked, headers=headers)
        answer.headers.add("set-cookie", "b=2")
        return answer

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        try:
            while True:
                await response.write(b"data: tick\n\n")
                await asyncio.sleep(0.05)
        finally:
            self.gone += 1


class Upstream:
    """The upstream test server inside this process, with its record."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._path = folder / "upstream.jsonl"
        self._file = self._path.open("a")
        self._runner = web.AppRunner(application(self._file), access_log=None, handler_cancellation=True)

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        await self._runner.cleanup()
        self._file.close()

    def served(self, **asked: Any) -> list[dict[str, Any]]:
        rows = [json.loads(line) for line in self._path.read_text().splitlines()]
        return [row for row in rows if all(row[name] == value for name, value in asked.items())]
