from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import nats.errors
from nats.aio.client import Client as NatsClient

from oneapi.bus.subjects import OUTCOMES
from proto.router.v1.router_pb2 import OUTCOME_KIND_OK, Outcome, OutcomeBatch
from services.router.peers import MAX_IN_MESSAGE, MAX_WAITING, OutcomeSharing

OUTCOME = Outcome(channel_id="c", model="m", kind=OUTCOME_KIND_OK)


@dataclass
class Message:
    data: bytes


@dataclass
class Subscription:
    ended: bool = False

    async def unsubscribe(self) -> None:
        self.ended = True


@dataclass
class Bus:
    """A NATS connection in memory."""

    is_connected: bool = True
    fails: bool = False
    published: list[OutcomeBatch] = field(default_factory=list)
    callback: Callable[[Any], Awaitable[None]] | None = None
    subscription: Subscription = field(default_factory=Subscription)

    async def subscribe(self, subject: str, cb: Callable[[Any], Awaitable[None]]) -> Subscription:
        assert subject == OUTCOMES
        self.callback = cb
        return self.subscription

    async def publish(self, subject: str, payload: bytes) -> None:
        assert subject == OUTCOMES
        if self.fails:
            raise nats.errors.OutboundBufferLimitError
        self.published.append(OutcomeBatch.FromString(payload))

    async def deliver(self, data: bytes) -> None:
        assert self.callback is not None
        await self.callback(Message(data))


class Router:
    """A router's half of the sharing, on a bus in memory."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.learned: list[Outcome] = []
        self.sharing = OutcomeSharing("me", self._learn)

    def _learn(self, outcomes: Iterable[Outcome]) -> None:
        self.learned.extend(outcomes)

    async def join(self) -> None:
        await self.sharing.join(cast(NatsClient, self.bus))


async def test_what_callers_report_is_published_once_in_batches() -> None:
    router = Router()
    await router.join()
    router.sharing.share([OUTCOME] * (MAX_IN_MESSAGE + 5))
    await router.sharing.flush()
    await router.sharing.flush()
    assert [len(batch.outcomes) for batch in router.bus.published] == [MAX_IN_MESSAGE, 5]
    assert {batch.origin for batch in router.bus.published} == {"me"}


async def test_peers_are_heard_and_itself_is_not() -> None:
    router = Router()
    await router.join()
    await router.bus.deliver(OutcomeBatch(origin="me", outcomes=[OUTCOME]).SerializeToString())
    assert router.learned == []
    await router.bus.deliver(OutcomeBatch(origin="you", outcomes=[OUTCOME]).SerializeToString())
    assert router.learned == [OUTCOME]
    await router.bus.deliver(b"\xff\xff not a batch")
    assert router.learned == [OUTCOME]
    await router.sharing.flush()
    assert router.bus.published == [], "what peers said is not said again"


async def test_without_a_connection_nothing_is_kept() -> None:
    router = Router()
    router.sharing.share([OUTCOME])
    await router.sharing.flush()
    await router.join()
    router.bus.is_connected = False
    router.sharing.share([OUTCOME] * (MAX_WAITING + 10))
    await router.sharing.flush()
    router.bus.is_connected = True
    await router.sharing.flush()
    assert router.bus.published == []


async def test_a_full_buffer_is_survived() -> None:
    router = Router()
    await router.join()
    router.bus.fails = True
    router.sharing.share([OUTCOME])
    await router.sharing.flush()


async def test_leaving_tells_what_is_left() -> None:
    router = Router()
    await router.join()
    router.sharing.share([OUTCOME])
    await router.sharing.leave()
    assert len(router.bus.published) == 1
    assert router.bus.subscription.ended
