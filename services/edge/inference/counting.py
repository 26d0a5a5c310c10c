"""Counts the tokens of a request, without calling a model.

It decides who counts: the provider of the first channel that the request would go to, where it has a call for that;
else, and when that call fails, the edge's own tokenizer, whose answer is marked as an estimate. It must not know how
tokens are made.
"""

import asyncio
import logging
import time

import msgspec

from oneapi.catalog.types import Channel
from oneapi.dialects.counting import CLIENT_COUNTS, UPSTREAM_COUNTS
from oneapi.dialects.errors import GatewayError
from oneapi.pricing.money import usd_text
from proto.router.v1 import router_pb2
from services.edge import refusals
from services.edge.answers import Headers, id_headers, send_whole
from services.edge.inference.attempts import Attempts, own_words
from services.edge.inference.carriage import Carriage
from services.edge.inference.carried import Carried
from services.edge.inference.exchange import Exchange
from services.edge.inference.interruption import Interrupted, Reason
from services.edge.inference.relay import JSON_HEADERS, NOSNIFF
from services.edge.inference.settling import VOID
from services.edge.tokenizer.client import Tokenizer
from services.edge.upstream.caller import Call, Callers
from services.edge.upstream.failures import UpstreamFailure
from services.edge.upstream.target import Target, Targets

logger = logging.getLogger(__name__)

ESTIMATE_HEADER = b"x-oneapi-estimate"
PROVIDER_LIMIT_S = 10.0
"""How long a provider may take to count before the edge does."""
FORGOTTEN_S = 600.0
"""How long a channel isn't asked again whose provider has no such call after all."""
MAX_ANSWER_BYTES = 64 * 1024
_NO_SUCH_CALL = frozenset({404, 405, 501})
_REFUSED = frozenset({400, 413, 422})


class Counted(msgspec.Struct, frozen=True):
    """`channel_id` is that of the provider which counted; "" for an estimate."""

    tokens: int
    channel_id: str


class Counting:
    """The counts of all requests of this process."""

    def __init__(self, targets: Targets, callers: Callers, carriage: Carriage, tokenizer: Tokenizer) -> None:
        self._targets = targets
        self._callers = callers
        self._carriage = carriage
        self._tokenizer = tokenizer
        self._without: dict[tuple[str, str], float] = {}
        """Channels and dialects without such a call, and until when that is believed."""

    @staticmethod
    def complete(exchange: Exchange) -> None:
        """Makes the body one that could be answered, so that it is read like those. Raises GatewayError 400."""
        exchange.body = CLIENT_COUNTS[exchange.endpoint.dialect].complete(exchange.body)

    async def run(self, exchange: Exchange, plan: router_pb2.Plan) -> None:
        """Answers an admitted request, and charges nothing. Raises GatewayError."""
        try:
            counted = await exchange.interruption.guarded(self._count(exchange, plan))
        except GatewayError as error:
            exchange.settler.finish(VOID, status=error.status)
            raise
        except Interrupted as stopped:
            exchange.settler.finish(VOID)
            if stopped.reason is Reason.CLIENT_GONE:
                return
            raise (refusals.draining() if stopped.reason is Reason.SHUTDOWN else refusals.upstream_timeout()) from None
        charge = exchange.settler.finish(VOID, status=200)
        headers: Headers = [*JSON_HEADERS, NOSNIFF, *id_headers(exchange.arrival.request_id, exchange.dialect.name)]
        if counted.channel_id:
            headers.append((b"x-oneapi-channel", counted.channel_id.encode()))
        else:
            headers.append((ESTIMATE_HEADER, b"1"))
        headers += [
            (b"x-oneapi-cost-usd", usd_text(charge.amount_nano).encode()),
            *exchange.settler.hold.rate_headers,
            (b"server-timing", exchange.timing.header()),
        ]
        body = CLIENT_COUNTS[exchange.endpoint.dialect].answer(counted.tokens)
        await send_whole(exchange.send, 200, headers, body)

    async def _count(self, exchange: Exchange, plan: router_pb2.Plan) -> Counted:
        unable: GatewayError | None = None
        for candidate, channel in Attempts.candidates(exchange, plan):
            target = self._counting_target(candidate, channel)
            if target is not None:
                try:
                    carried = self._carriage.carry(exchange, candidate, channel)
                except GatewayError as refused:
                    unable = unable or refused
                    continue
                tokens = await self._at_provider(exchange, candidate, target, carried)
                if tokens is not None:
                    return Counted(tokens, channel.id)
            dialect, model = exchange.endpoint.dialect, candidate.upstream_model
            return Counted(await self._tokenizer.estimate(dialect, model, exchange.body), "")
        raise unable or refusals.channels_busy()

    def _counting_target(self, candidate: router_pb2.Candidate, channel: Channel) -> Target | None:
        """The channel, ready to be asked; None when its provider has no call that counts."""
        if self._without.get((channel.id, candidate.dialect), 0.0) > time.monotonic():
            return None
        try:
            target = self._targets.find(channel)
        except UpstreamFailure:
            return None
        return target if candidate.dialect in target.spec.count_paths else None

    async def _at_provider(
        self, exchange: Exchange, candidate: router_pb2.Candidate, target: Target, carried: Carried
    ) -> int | None:
        """The provider's own count; None when there is none. Raises GatewayError for what it refuses to count."""
        channel_id, conversion = target.channel.id, carried.conversion
        body = carried.body if conversion is None else conversion.body
        try:
            async with asyncio.timeout(PROVIDER_LIMIT_S):
                status, answer = await self._asked(exchange, candidate, target, body)
        except (UpstreamFailure, TimeoutError) as failure:
            logger.info("a provider didn't count", extra={"fields": {"channel_id": channel_id, "why": repr(failure)}})
            return None
        if status in _REFUSED and (refusal := own_words(exchange, status, answer, conversion)) is not None:
            raise refusal
        if status in _NO_SUCH_CALL:
            self._without[channel_id, candidate.dialect] = time.monotonic() + FORGOTTEN_S
        return UPSTREAM_COUNTS[candidate.dialect].read(answer) if status == 200 else None

    async def _asked(
        self, exchange: Exchange, candidate: router_pb2.Candidate, target: Target, body: bytes
    ) -> tuple[int, bytes]:
        """The status and the body of the provider's answer. Raises UpstreamFailure."""
        call = Call(
            dialect=candidate.dialect,
            upstream_model=candidate.upstream_model,
            body=UPSTREAM_COUNTS[candidate.dialect].prepare(body, candidate.upstream_model),
            stream=False,
            relayed=exchange.arrival.head.relayed,
            traceparent=exchange.trace.traceparent,
            request_id=exchange.arrival.request_id,
            counts=True,
        )
        answer = await self._callers.call(target, call)
        try:
            return answer.status, await answer.read_whole(MAX_ANSWER_BYTES)
        finally:
            answer.close()
