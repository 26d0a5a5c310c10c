"""Shares outcomes among routers over core NATS, so that each knows what the others' callers met.

Every outcome that reaches this router from a caller is published once with this router's name; what comes with its own
name is passed over. Delivery is not assured, and need not be. It must not know what outcomes mean.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable

import nats.errors
from google.protobuf.message import DecodeError
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from oneapi.bus.subjects import OUTCOMES
from proto.router.v1.router_pb2 import Outcome, OutcomeBatch

logger = logging.getLogger(__name__)

MAX_WAITING = 20_000
MAX_IN_MESSAGE = 1_000
EVERY_S = 0.05


class OutcomeSharing:
    """One router's half of the exchange. `learn` is called with the outcomes of peers."""

    def __init__(self, origin: str, learn: Callable[[Iterable[Outcome]], None]) -> None:
        self._origin = origin
        self._learn = learn
        self._waiting: deque[Outcome] = deque(maxlen=MAX_WAITING)
        self._nats: NatsClient | None = None
        self._subscription: Subscription | None = None

    async def join(self, client: NatsClient) -> None:
        """Begins to listen; the subscription survives reconnects. Raises a NATS error when that is not possible."""
        self._subscription = await client.subscribe(OUTCOMES, cb=self._on_message)
        self._nats = client

    async def leave(self) -> None:
        """Tells the others what is left to tell and stops listening."""
        await self.flush()
        if self._subscription is not None and self._nats is not None and self._nats.is_connected:
            await self._subscription.unsubscribe()
        self._nats = self._subscription = None

    def share(self, outcomes: Iterable[Outcome]) -> None:
        """Will tell the other routers; when there are too many, the oldest are forgotten."""
        self._waiting.extend(outcomes)

    async def flush(self) -> None:
        """Publishes what has gathered. Without a connection it is forgotten: old outcomes help nobody."""
        if not self._waiting:
            return
        client = self._nats
        if client is None or not client.is_connected:
            self._waiting.clear()
            return
        while self._waiting:
            count = min(len(self._waiting), MAX_IN_MESSAGE)
            batch = OutcomeBatch(origin=self._origin, outcomes=[self._waiting.popleft() for _ in range(count)])
            try:
                await client.publish(OUTCOMES, batch.SerializeToString())
            except (nats.errors.Error, OSError) as failure:
                logger.warning("outcomes could not be shared", extra={"fields": {"why": repr(failure)}})
                return

    async def _on_message(self, message: Msg) -> None:
        try:
            batch = OutcomeBatch.FromString(message.data)
        except DecodeError:
            logger.warning("a malformed message among routers", extra={"fields": {"bytes": len(message.data)}})
            return
        if batch.origin != self._origin:
            self._learn(batch.outcomes)
