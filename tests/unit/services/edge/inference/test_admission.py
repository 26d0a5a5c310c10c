"""What is done while the router and the money path are waited for."""

import asyncio
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from oneapi.catalog.types import Account, Channel, RelayKey
from oneapi.catalog.view import CatalogView
from oneapi.dialects.registry import DIALECTS
from proto.router.v1.router_pb2 import Candidate, Plan
from services.edge.authentication import Caller
from services.edge.inference.admission import MAX_AHEAD_BYTES, Admission
from services.edge.inference.carriage import Carriage
from services.edge.inference.endpoints import ENDPOINTS
from services.edge.inference.exchange import Exchange

CHAT, MESSAGES = "openai_chat", "anthropic_messages"
PLAN = Plan(candidates=[Candidate(channel_id="ch", dialect=MESSAGES)])


class Waiting:
    """Stands for the money path and the router, which answer when they are told to, and for what reads ahead."""

    def __init__(self) -> None:
        self.answered = asyncio.Event()
        self.read: list[Exchange] = []

    async def begin(self, claim: object) -> object:
        await self.answered.wait()
        return SimpleNamespace()

    def ask(self, question: object) -> "Waiting":
        return self

    async def plan(self) -> Plan:
        await self.answered.wait()
        return PLAN

    def read_ahead(self, exchange: Exchange) -> None:
        self.read.append(exchange)


def exchange(channels: list[Channel], prompt: str) -> Exchange:
    raw = msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": prompt}]})
    catalog = CatalogView(channels=MappingProxyType({each.id: each for each in channels}), prices=MappingProxyType({}))
    caller = Caller(RelayKey(id="k", name="k", account_id="a"), Account(id="a", name="a", unlimited=True), catalog)
    arrival = SimpleNamespace(request_id="r", started_s=0.0, head=SimpleNamespace(client_request_id=""))
    endpoint = next(each for each in ENDPOINTS.values() if each.dialect == CHAT and not each.counts)
    made = Exchange(
        cast("Any", arrival),
        endpoint,
        DIALECTS[CHAT],
        cast("Any", None),
        cast("Any", None),
        cast("Any", SimpleNamespace(traceparent="")),
    )
    made.caller, made.body, made.facts = caller, raw, DIALECTS[CHAT].inspect(raw)
    return made


def channel(name: str, *dialects: str) -> Channel:
    return Channel(id=name, name=name, provider="anthropic", models=("m",), dialects=dialects)


@pytest.mark.parametrize(
    ("channels", "prompt", "times"),
    [
        ([channel("a", MESSAGES)], "hi", 1),
        ([channel("a", MESSAGES), channel("b", CHAT)], "hi", 0),
        ([channel("a", MESSAGES)], "x" * MAX_AHEAD_BYTES, 0),
    ],
    ids=["it must be converted", "it may pass through", "it is long"],
)
async def test_a_request_is_read_ahead_while_answers_are_waited_for(
    channels: list[Channel], prompt: str, times: int
) -> None:
    waiting = Waiting()
    others = cast("Any", waiting)
    asked = exchange(channels, prompt)
    admitting = asyncio.create_task(Admission(others, others, cast(Carriage, waiting), 100).admit(asked))
    for _ in range(5):
        await asyncio.sleep(0)
    assert waiting.read == [asked] * times
    assert not admitting.done()
    waiting.answered.set()
    assert await admitting == PLAN
    assert waiting.read == [asked] * times
