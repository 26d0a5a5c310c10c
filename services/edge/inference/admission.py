"""Lets a request in: its model, its price, its reservation and its channels.

It decides what is asked of the money path and of the router, both at the same time. It must not know how either works.
"""

import asyncio
import time

from oneapi.dialects.codec import CODECS
from oneapi.dialects.conversion import upstream_dialects
from oneapi.dialects.request import RequestFacts
from proto.router.v1 import router_pb2
from services.edge import refusals
from services.edge.inference import output_cap
from services.edge.inference.carriage import Carriage
from services.edge.inference.exchange import Exchange
from services.edge.inference.offers import Offer, Offers, may_use
from services.edge.inference.settling import VOID, Settler
from services.edge.money.estimate import Estimate, estimate
from services.edge.money.path import Claim, MoneyPath
from services.edge.router.client import Pick, RouterClient
from services.edge.upstream.target import total_s

LEASE_MARGIN_S = 120.0
UNKNOWN_MODEL = "unknown_model"
ALL_COOLING = "all_cooling"
MAX_AHEAD_BYTES = 64 * 1024
"""Of a body that is read before anybody has let it in: it may be refused, and then the work was for nothing."""
_AFFINITY_FIELDS = ("prompt_cache_key", "user", "cachedContent", "cached_content")


class Admission:
    """Admits the requests of this process."""

    def __init__(self, money: MoneyPath, router: RouterClient, carriage: Carriage, default_max_output: int) -> None:
        self._money = money
        self._router = router
        self._carriage = carriage
        self._offers = Offers()
        self._default_max_output = default_max_output

    async def admit(self, exchange: Exchange) -> router_pb2.Plan:
        """The plan, once the reservation is held too; both go out at once. Raises GatewayError, and holds nothing.

        Where nothing may be lost the plan comes first: what no channel can carry whole reserves nothing.
        """
        facts = exchange.facts
        offer = exchange.offer = self._offer(exchange)
        cap, least = output_cap.longest(exchange, self._default_max_output), output_cap.shortest(exchange)
        claim = _claim(exchange, estimate(facts, offer.ceiling, cap, least))
        pick = self._router.ask(_question(exchange))
        self._read_ahead(exchange)
        if exchange.strict:
            plan = self._carriage.whole(exchange, await _answered(exchange, pick))
            await self._reserve(exchange, claim)
            return plan
        try:
            await self._reserve(exchange, claim)
        except BaseException:
            pick.abandon()
            raise
        try:
            return await _answered(exchange, pick)
        except BaseException:
            exchange.settler.finish(VOID)
            raise

    async def admit_free(self, exchange: Exchange) -> router_pb2.Plan:
        """The plan for a request that calls no model: it counts for the rates of its key, and reserves nothing.

        Raises GatewayError as `admit` does, also for an account that could pay for no request.
        """
        exchange.offer = self._offer(exchange)
        await self._reserve(exchange, _claim(exchange, Estimate(0, 0)))
        try:
            return await _answered(exchange, self._router.ask(_question(exchange)))
        except BaseException:
            exchange.settler.finish(VOID)
            raise

    def _read_ahead(self, exchange: Exchange) -> None:
        """Where nothing but a conversion can serve it, reads the request while the answers are waited for."""
        dialect = exchange.endpoint.dialect
        if dialect in CODECS and dialect not in exchange.offer.dialects and len(exchange.body) <= MAX_AHEAD_BYTES:
            loop = asyncio.get_running_loop()
            # The loop's next turn sends what is asked; this is for the one after it.
            loop.call_soon(loop.call_soon, self._carriage.read_ahead, exchange)

    async def _reserve(self, exchange: Exchange, claim: Claim) -> None:
        hold = await self._money.begin(claim)
        exchange.settler = Settler(hold, exchange.caller.view, exchange.facts.model)
        exchange.timing.admitted()

    def _offer(self, exchange: Exchange) -> Offer:
        model = exchange.facts.model
        if not may_use(exchange.caller, model):
            raise refusals.model_not_found(model)
        offer = self._offers.find(exchange.caller, model, time.time_ns() // 1_000_000)
        if not offer.channels:
            raise refusals.model_not_found(model)
        if exchange.hard and offer.ceiling is None:
            raise refusals.model_not_priced(model)
        return offer


def affinity(exchange: Exchange) -> str:
    """What should meet the same channel again, where its provider may have kept something: the client's own words,
    else the thread of stored responses."""
    raw = exchange.facts.raw
    for field in _AFFINITY_FIELDS:
        value = raw.get(field)
        if isinstance(value, str) and value:
            return f"{exchange.key.id}:{value[:128]}"
    return f"{exchange.key.id}:{exchange.keeping.thread}" if exchange.keeping is not None else ""


async def _answered(exchange: Exchange, pick: Pick) -> router_pb2.Plan:
    """The plan. Raises GatewayError when nobody can serve the request."""
    plan = await pick.plan()
    exchange.timing.picked()
    if not plan.candidates:
        raise _refusal(plan, exchange.facts.model)
    return plan


def _question(exchange: Exchange) -> router_pb2.PickRequest:
    return router_pb2.PickRequest(
        model=exchange.facts.model,
        endpoint=exchange.endpoint.serves,
        dialects=upstream_dialects(exchange.endpoint.dialect),
        group=exchange.account.group,
        allowed_channels=exchange.key.channels or (),
        affinity=affinity(exchange),
        traceparent=exchange.trace.traceparent,
    )


def _claim(exchange: Exchange, estimated: Estimate) -> Claim:
    facts: RequestFacts = exchange.facts
    return Claim(
        request_id=exchange.arrival.request_id,
        key=exchange.key,
        account=exchange.account,
        user_id=exchange.key.user_id,
        model=facts.model,
        endpoint=exchange.endpoint.name,
        reserve_nano=estimated.reserve_nano,
        rates_ceiling=exchange.offer.ceiling,
        estimated_tokens=estimated.tokens,
        client_request_id=exchange.arrival.head.client_request_id,
        traceparent=exchange.trace.traceparent,
        streamed=facts.stream,
        lease_s=longest_s(exchange) + LEASE_MARGIN_S,
        prompt_bytes=facts.prompt_bytes,
    )


def longest_s(exchange: Exchange) -> float:
    """How long the request may take, whichever of its channels serve it."""
    return max(total_s(channel) for channel in exchange.offer.channels)


def _refusal(plan: router_pb2.Plan, model: str) -> Exception:
    if plan.refusal == ALL_COOLING:
        return refusals.channels_cooling(model, plan.retry_after_ms / 1000)
    if plan.refusal == UNKNOWN_MODEL:
        return refusals.model_not_found(model)
    return refusals.model_not_on_endpoint(model)
