"""Asks the router over one long-lived stream, in batches that form by themselves; by single calls when it is down.

It decides deadlines, what counts as an answer, and when an old plan must do. It must not know what a pick is for.
"""

import asyncio
import logging
from collections import deque

import grpc
import grpc.aio

from oneapi.runtime import semconv
from oneapi.runtime.metrics import counter
from oneapi.runtime.rpc import call_metadata
from oneapi.runtime.tasks import TaskSet
from proto.router.v1 import router_pb2, router_pb2_grpc
from services.edge import refusals
from services.edge.deadlines import Deadlines
from services.edge.router.plans import LastPlans, plan_key

logger = logging.getLogger(__name__)

PICK_LIMIT_S = 0.5
RECONNECT_S = 0.1
MAX_OUTCOMES = 10_000
MAX_BATCH = 512
WRITE_S = 0.004
"""The least time between two writes: what is asked meanwhile shares one. A quiet edge's questions go out at once."""
TELL_S = 0.05
"""How long an outcome waits for a pick to travel with."""

PICK_FAILURES = counter(semconv.METRIC_PICK_FAILURES, "Picks that no router answered, by what helped", ("then",))

Stream = grpc.aio.StreamStreamCall[router_pb2.RouteBatch, router_pb2.PlanBatch]


class RouterClient:
    """Picks and outcomes of this process. `channel` spreads its calls over all routers."""

    def __init__(self, channel: grpc.aio.Channel, secret: str, grace_s: float) -> None:
        self._stub = router_pb2_grpc.RouterStub(channel)
        self._secret = secret
        self._last = LastPlans(grace_s)
        self._tasks = TaskSet()
        self._waiting: dict[int, asyncio.Future[router_pb2.Plan]] = {}
        self._picks: list[router_pb2.PickRequest] = []
        self._outcomes: deque[router_pb2.Outcome] = deque(maxlen=MAX_OUTCOMES)
        self._wake = asyncio.Event()
        self.deadlines = Deadlines(PICK_LIMIT_S)
        self._telling: asyncio.TimerHandle | None = None
        self._next_id = 0
        self.connected = False

    def start(self) -> None:
        """Opens the stream in the background."""
        self._tasks.spawn_forever(self._keep_stream, "router stream")

    async def stop(self) -> None:
        """Sends what is left to say, then closes the stream."""
        if self._telling is not None:
            self._telling.cancel()
        if self.connected and self._outcomes:
            self._wake.set()
            await asyncio.sleep(0)
        await self._tasks.close()

    @property
    def usable(self) -> bool:
        """Whether picks can be answered now: by a router, or for a while by what one said."""
        return self.connected or self._last.fresh(asyncio.get_running_loop().time())

    def report(self, outcome: router_pb2.Outcome) -> None:
        """Tells the routers how a channel did, with the next batch. The oldest are dropped while none can be told."""
        self._outcomes.append(outcome)
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(TELL_S, self._tell)

    def _tell(self) -> None:
        self._telling = None
        if self._outcomes:
            self._wake.set()

    def ask(self, request: router_pb2.PickRequest) -> "Pick":
        """Sends the question at once; the answer is awaited with `plan()`. `pick_id` is set here."""
        pick = Pick(self, request)
        if self.connected:
            self._next_id += 1
            request.pick_id = self._next_id
            self._waiting[request.pick_id] = pick.answer
            self._picks.append(request)
            self._wake.set()
        else:
            pick.answer.cancel()
        return pick

    async def settle_pick(self, request: router_pb2.PickRequest, plan: router_pb2.Plan | None) -> router_pb2.Plan:
        """Makes do without the stream's answer where there is none. Raises GatewayError 503."""
        if plan is None and not self.connected:
            plan = await self._pick_by_call(request)
        now_s = asyncio.get_running_loop().time()
        if plan is not None:
            self._last.heard(now_s)
            self._last.keep(plan_key(request), plan)
            return plan
        plan = self._last.find(plan_key(request), now_s)
        PICK_FAILURES.labels("refused" if plan is None else "last_plan").inc()
        if plan is None:
            raise refusals.router_unavailable()
        return plan

    def forget(self, pick_id: int) -> None:
        """Nobody waits for this pick any more."""
        self._waiting.pop(pick_id, None)

    async def _pick_by_call(self, request: router_pb2.PickRequest) -> router_pb2.Plan | None:
        """One call, and one more when the router was not there for the first."""
        request.pick_id = 0
        for _ in range(2):
            try:
                return await self._stub.Pick(request, timeout=PICK_LIMIT_S / 2)
            except grpc.aio.AioRpcError as failure:
                if failure.code() is not grpc.StatusCode.UNAVAILABLE:
                    logger.warning("the router failed a pick", extra={"fields": {"status": failure.code().name}})
                    return None
        return None

    async def _keep_stream(self) -> None:
        while True:
            call: Stream = self._stub.Route(metadata=call_metadata(self._secret))
            writer = asyncio.ensure_future(self._write(call))
            try:
                await call.wait_for_connection()
                self.connected = True
                async for batch in call:
                    self._deliver(batch)
            except grpc.aio.AioRpcError as failure:
                fields = {"status": failure.code().name, "was_connected": self.connected}
                logger.warning("the router's stream broke", extra={"fields": fields})
            finally:
                if self.connected:
                    self._last.heard(asyncio.get_running_loop().time())
                self.connected = False
                writer.cancel()
                call.cancel()
                self._give_up_waiting()
            await asyncio.sleep(RECONNECT_S)

    async def _write(self, call: Stream) -> None:
        """Writes whatever has gathered since the last write: the busier the process, the larger the batches."""
        loop = asyncio.get_running_loop()
        written_s = float("-inf")
        while True:
            await self._wake.wait()
            wait_s = written_s + WRITE_S - loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self._wake.clear()
            written_s = loop.time()
            while self._picks or self._outcomes:
                picks, self._picks = self._picks[:MAX_BATCH], self._picks[MAX_BATCH:]
                outcomes = [self._outcomes.popleft() for _ in range(min(len(self._outcomes), MAX_BATCH))]
                try:
                    await call.write(router_pb2.RouteBatch(picks=picks, outcomes=outcomes))
                except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                    # The reader of the stream sees the same end and starts another.
                    self._outcomes.extendleft(reversed(outcomes))
                    return

    def _deliver(self, batch: router_pb2.PlanBatch) -> None:
        for plan in batch.plans:
            answer = self._waiting.get(plan.pick_id)
            if answer is not None and not answer.done():
                answer.set_result(plan)

    def _give_up_waiting(self) -> None:
        """Lets those who wait on a broken stream try a single call."""
        self._picks.clear()
        for answer in self._waiting.values():
            answer.cancel()


class Pick:
    """One question to the routers, already on its way."""

    __slots__ = ("_client", "_request", "answer")

    def __init__(self, client: RouterClient, request: router_pb2.PickRequest) -> None:
        loop = asyncio.get_running_loop()
        self._client = client
        self._request = request
        self.answer: asyncio.Future[router_pb2.Plan] = loop.create_future()
        client.deadlines.add(self)

    def expire(self) -> None:
        """No router has answered in time."""
        self.answer.cancel()

    async def plan(self) -> router_pb2.Plan:
        """The plan, or the last one of its kind when no router answers in time. Raises GatewayError 503."""
        try:
            plan = await self.answer
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            plan = None
        finally:
            self.abandon()
        return await self._client.settle_pick(self._request, plan)

    def abandon(self) -> None:
        """Waits no longer."""
        self._client.deadlines.remove(self)
        self.answer.cancel()
        self._client.forget(self._request.pick_id)
