"""Tries channels in the plan's order until one of them answers.

It decides when another channel is tried, and when the last failure is what the client gets. Nothing has been sent to
the client yet, and nothing is from here. It must not know how the answer travels on.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Iterator

from oneapi.catalog.types import Channel
from oneapi.dialects.codec import CODECS
from oneapi.dialects.conversion import Conversion
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.meter import StreamMeter
from oneapi.dialects.request import reshape
from oneapi.providers.profiles.lookup import request_profile
from proto.router.v1 import router_pb2
from services.edge import refusals
from services.edge.inference import output_cap
from services.edge.inference.attempt import Attempt
from services.edge.inference.carriage import Carriage
from services.edge.inference.carried import Carried
from services.edge.inference.exchange import Exchange
from services.edge.inference.interruption import Reason
from services.edge.inference.keep_alive import Silences
from services.edge.inference.settling import CLIENT_GONE
from services.edge.router.client import RouterClient
from services.edge.upstream.answer import Answer, Silent
from services.edge.upstream.caller import Call, Callers
from services.edge.upstream.failures import Kind, UpstreamFailure, broken_answer, from_status
from services.edge.upstream.load import ChannelLoad, RetryBudget
from services.edge.upstream.refusal import MAX_BODY_BYTES, clean_code, clean_refusal, is_error_body, read_refusal
from services.edge.upstream.target import Target, Targets

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
TOO_MANY = 429
HOLD_BYTES = 256 * 1024
HOLD_S = 5.0
"""How much of a stream, and for how long, is kept from the client while it has no content yet: until then another
channel may take over."""


class Attempts:
    """The tries of all requests of this process."""

    def __init__(
        self,
        targets: Targets,
        callers: Callers,
        router: RouterClient,
        carriage: Carriage,
        default_max_output: int,
        silences: Silences,
    ) -> None:
        self._silences = silences
        self._default_max_output = default_max_output
        self._carriage = carriage
        self._targets = targets
        self._callers = callers
        self._router = router
        self._channels = ChannelLoad()
        self._budget = RetryBudget()

    async def first_answer(self, exchange: Exchange, plan: router_pb2.Plan) -> Attempt:
        """The try that answers. Raises GatewayError with what the client gets when none does."""
        retried = False
        failure: UpstreamFailure | None = None
        unable: GatewayError | None = None
        self._budget.enter()
        try:
            for candidate, channel in self.candidates(exchange, plan):
                if _used_up(exchange):
                    break
                try:
                    carried = self._carriage.carry(exchange, candidate, channel, strict=exchange.strict)
                except GatewayError as refused:
                    unable = unable or refused
                    continue
                if failure is not None and not retried:
                    if not self._budget.take():
                        break
                    retried = True
                try:
                    attempt = await self._try(exchange, candidate, channel, carried)
                except UpstreamFailure as failed:
                    failure = failed
                    if failed.final:
                        break
                    continue
                if attempt is not None:
                    return attempt
        finally:
            self._budget.leave(retried=retried)
        if failure is None:
            raise unable or refusals.channels_busy()
        # Not `from failure`: they would hold each other, and all that was read of the answers.
        error, failure = failure.error, None
        raise error

    @staticmethod
    def candidates(exchange: Exchange, plan: router_pb2.Plan) -> Iterator[tuple[router_pb2.Candidate, Channel]]:
        """Those of the plan that are in the offer which was reserved for, in order.

        One without a price is none where a limit must hold.
        """
        channels = {channel.id: channel for channel in exchange.offer.channels}
        for candidate in plan.candidates:
            channel = channels.get(candidate.channel_id)
            if channel is None or not channel.enabled:
                continue
            if exchange.hard and channel.id in exchange.offer.unpriced:
                continue
            yield candidate, channel

    async def _try(
        self, exchange: Exchange, candidate: router_pb2.Candidate, channel: Channel, carried: Carried
    ) -> Attempt | None:
        """One try, and at once another one when a connection broke that may just have been old.

        None when the channel is full. Raises UpstreamFailure.
        """
        try:
            return await self._try_once(exchange, candidate, channel, carried)
        except UpstreamFailure as failure:
            if not failure.broken or _used_up(exchange):
                raise
        return await self._try_once(exchange, candidate, channel, carried)

    async def _try_once(
        self, exchange: Exchange, candidate: router_pb2.Candidate, channel: Channel, carried: Carried
    ) -> Attempt | None:
        if not self._channels.take(channel.id, channel.limits.concurrency):
            return None
        exchange.timing.calling()
        try:
            attempt = Attempt(exchange, channel, candidate, carried, self._channels, self._router)
        except BaseException:
            self._channels.give_back(channel.id)
            raise
        try:
            await self._run(exchange, candidate, attempt, carried)
        except UpstreamFailure as failure:
            attempt.status = attempt.status or failure.status
            attempt.end(failure.kind, retry_after_s=failure.retry_after_s)
            fields = {"channel_id": channel.id, "why": str(failure), "outcome": failure.kind.shown}
            logger.info("a call of a provider failed", extra={"fields": fields})
            raise
        except asyncio.CancelledError:
            reason = exchange.interruption.reason
            kind = Kind.TIMEOUT if reason is Reason.DEADLINE else Kind.STOPPED
            attempt.end(kind, shown=CLIENT_GONE if reason is Reason.CLIENT_GONE else "")
            raise
        except BaseException:
            attempt.end(Kind.STOPPED)
            raise
        return attempt

    async def _run(
        self, exchange: Exchange, candidate: router_pb2.Candidate, attempt: Attempt, carried: Carried
    ) -> None:
        """Calls, and reads until the answer is one. Raises UpstreamFailure."""
        facts, conversion = exchange.facts, carried.conversion
        target = self._targets.find(attempt.channel)
        call = Call(
            dialect=candidate.dialect,
            upstream_model=candidate.upstream_model,
            body=upstream_body(exchange, candidate, target, carried, self._default_max_output),
            stream=facts.stream,
            relayed=exchange.arrival.head.relayed,
            traceparent=attempt.traceparent,
            request_id=exchange.arrival.request_id,
        )
        meter = functools.cache(functools.partial(_meter, exchange, conversion))
        if facts.stream:
            # Made as soon as the call waits: for the answer, or for a connection.
            asyncio.get_running_loop().call_soon(meter)
        answer = await self._callers.call(target, call)
        attempt.answer = answer
        attempt.status = answer.status
        if not 200 <= answer.status < 300:
            refusal = await _refusal(exchange, answer, conversion)
            raise from_status(answer.status, answer.retry_after_s, refusal)
        if not facts.stream:
            await _take_whole(attempt, answer, conversion)
        elif "json" in answer.content_type:
            error = is_error_body(await _start_of(answer))
            raise broken_answer("an error with status 200" if error else "no stream", answer.status)
        else:
            attempt.listening = self._silences.listen(answer)
            await _take_start(attempt, answer, meter())


def upstream_body(
    exchange: Exchange, candidate: router_pb2.Candidate, target: Target, carried: Carried, default: int
) -> bytes:
    """The client's request as this candidate takes it."""
    model = candidate.upstream_model
    profile = request_profile(target.spec.name, candidate.dialect, model)
    if carried.conversion is not None:
        body = carried.conversion.body
    else:
        body = exchange.dialect.prepare(
            carried.body,
            exchange.facts,
            model,
            max_output=output_cap.bound(exchange, target.channel, default),
            include_usage=profile.include_usage,
            max_output_field=target.spec.max_output_field,
        )
    if profile.is_plain:
        return body
    return reshape(body, renamed=profile.renamed, refused=profile.refused, dropped=profile.dropped)


def _used_up(exchange: Exchange) -> bool:
    return len(exchange.settler.hold.attempts) >= MAX_ATTEMPTS


async def _refusal(exchange: Exchange, answer: Answer, conversion: Conversion | None) -> GatewayError | None:
    """What the provider says; where it wants another credential, or less haste, that is for us alone."""
    if not 400 <= answer.status < 500:
        return None
    body = await _start_of(answer)
    codec = CODECS.get(exchange.endpoint.dialect)
    if conversion is not None:
        told = conversion.refusal(answer.status, body)
    else:
        told = codec.decode_error(answer.status, body) if codec is not None else None
    if told is not None and (told.kind == "authentication" or answer.status == TOO_MANY):
        return told
    return own_words(exchange, answer.status, body, conversion)


def own_words(exchange: Exchange, status: int, body: bytes, conversion: Conversion | None) -> GatewayError | None:
    """The provider's own words of a refusal where they may help the client."""
    if conversion is None:
        return read_refusal(status, body)
    told = conversion.refusal(status, body)
    return clean_refusal(told, fields=exchange.facts.raw) if told is not None else None


async def _start_of(answer: Answer) -> bytes:
    """As much of an error's body as can matter; b"" when it doesn't come."""
    parts, size = [], 0
    try:
        while size <= MAX_BODY_BYTES and (data := await answer.read()):
            parts.append(data)
            size += len(data)
    except UpstreamFailure:
        return b""
    return b"".join(parts)


def _meter(exchange: Exchange, conversion: Conversion | None) -> StreamMeter:
    if conversion is not None:
        return conversion.stream()
    make = exchange.dialect.meter
    if make is None:
        raise TypeError(f"nothing is streamed in {exchange.dialect.name}")
    return make(forward_usage=exchange.facts.wants_usage)


async def _take_whole(attempt: Attempt, answer: Answer, conversion: Conversion | None) -> None:
    body = attempt.body = await answer.read_whole()
    attempt.answered()
    if body[:64].lstrip()[:1] != b"{":
        raise broken_answer("not a JSON object", answer.status)
    if conversion is not None:
        try:
            converted = conversion.response(body)
        except GatewayError as error:
            raise stream_failure((error.code, error.message)) from None
        attempt.body, attempt.usage = converted.body, converted.usage
    else:
        attempt.usage = attempt.exchange.dialect.read_usage(body)
        if not attempt.usage and is_error_body(body):
            raise broken_answer("an error with status 200", answer.status)
    await answer.finish()


async def _take_start(attempt: Attempt, answer: Answer, meter: StreamMeter) -> None:
    """Reads a stream until it has content: from then on no other channel can take over.

    One that is silent is the answer too: its client must hear something now.
    """
    attempt.exchange.meter = meter
    held: list[bytes] = []
    size = 0
    until_s = 0.0
    while True:
        try:
            data = await answer.read()
        except Silent:
            held.append(meter.keep_alive)
            break
        if not until_s:
            attempt.answered()
            until_s = time.perf_counter() + HOLD_S
        piece = meter.feed(data) if data else meter.end()
        held.append(piece)
        size += len(piece)
        if meter.started or meter.finished:
            break
        if meter.error is not None:
            raise stream_failure(meter.error)
        if not data:
            raise broken_answer("a stream without content", answer.status)
        if size > HOLD_BYTES or time.perf_counter() > until_s:
            break
    attempt.held = b"".join(held)


def stream_failure(error: tuple[str, str]) -> UpstreamFailure:
    """What an error event means, or a whole answer that is an error."""
    code = clean_code({"code": error[0]})
    if "rate_limit" in code or code == "RESOURCE_EXHAUSTED":
        return UpstreamFailure(Kind.RATE_LIMITED, refusals.upstream_rate_limited(0.0), f"error event {code}")
    if "overloaded" in code or code == "UNAVAILABLE":
        return UpstreamFailure(Kind.SERVER_ERROR, refusals.upstream_overloaded(0.0), f"error event {code}")
    return UpstreamFailure(Kind.SERVER_ERROR, refusals.upstream_failed(), f"error event {code}")
