"""One try at one channel, from its first byte out to its end.

It decides that a try is counted, reported and billed for exactly once, however it ends. It must not know which channel
comes next.
"""

import functools
import time

from oneapi.catalog.types import Channel
from oneapi.dialects.usage import Usage
from oneapi.runtime import semconv
from oneapi.runtime.metrics import counter, histogram
from proto.router.v1 import router_pb2
from services.edge.inference.carriage import origin
from services.edge.inference.carried import Carried
from services.edge.inference.exchange import Exchange
from services.edge.inference.keep_alive import Listening
from services.edge.router.client import RouterClient
from services.edge.upstream.answer import Answer
from services.edge.upstream.failures import Kind
from services.edge.upstream.load import ChannelLoad

ATTEMPTS = counter(semconv.METRIC_UPSTREAM_ATTEMPTS, "Calls of providers, by how they ended", ("outcome",))
_attempts = functools.cache(ATTEMPTS.labels)
SECONDS = histogram(semconv.METRIC_FIRST_BYTE_SECONDS, "From a call to the first byte of its answer")
CUT = "cut"


class Attempt:
    """A try that has begun: it holds a place at its channel until `end`.

    Either `body` is the whole answer and `usage` what it says of itself, or `answer` is a stream that has begun: the
    exchange's meter watches it, `held` is what may go on to the client so far, and `listening` tells of its silences.
    """

    __slots__ = (
        "_channels",
        "_ended",
        "_record",
        "_router",
        "_span",
        "_started_s",
        "answer",
        "body",
        "channel",
        "exchange",
        "first_byte_ms",
        "held",
        "listening",
        "origin",
        "status",
        "traceparent",
        "usage",
    )

    def __init__(
        self,
        exchange: Exchange,
        channel: Channel,
        candidate: router_pb2.Candidate,
        carried: Carried,
        channels: ChannelLoad,
        router: RouterClient,
    ) -> None:
        self.exchange = exchange
        exchange.channel_id = channel.id
        exchange.carried = carried
        exchange.meter = None
        self.channel = channel
        self.origin = origin(channel, candidate.upstream_model)
        self.answer: Answer | None = None
        self.body = b""
        self.usage: Usage | None = None
        self.held = b""
        self.listening: Listening | None = None
        self.status = 0
        self.first_byte_ms = 0
        self._channels = channels
        self._router = router
        self._ended = False
        self._started_s = time.perf_counter()
        self._record = exchange.settler.attempt(channel.id, candidate.upstream_model, exchange.facts.prompt_bytes)
        trace = exchange.trace
        self._span = trace.upstream(self._attributes(candidate) if trace.recording else {})
        self.traceparent = self._span.traceparent

    def answered(self) -> None:
        """The first byte that counts has come."""
        self.first_byte_ms = max(round((time.perf_counter() - self._started_s) * 1000), 1)
        self.exchange.timing.answered()

    def end(self, kind: Kind, *, shown: str = "", retry_after_s: float = 0.0) -> None:
        """The try is over; what comes first counts. `shown` is the receipt's word where it isn't the kind's own.

        An answer that was not read to its end is cut; one that ended well is left to `Answer.finish`.
        """
        if self._ended:
            return
        self._ended = True
        if self.listening is not None:
            self.listening.end()
        outcome = shown or kind.shown
        if self.answer is not None and outcome != Kind.OK.shown:
            self.answer.close()
        self._channels.give_back(self.channel.id)
        self._record.done(self.status, outcome)
        self._span.end(outcome, self.status, ok=kind is Kind.OK)
        _attempts(outcome).inc()
        if kind is Kind.STOPPED:
            return
        if self.first_byte_ms:
            SECONDS.observe(self.first_byte_ms / 1000)
        self._router.report(
            router_pb2.Outcome(
                channel_id=self.channel.id,
                model=self.exchange.facts.model,
                kind=kind.outcome,
                first_byte_ms=self.first_byte_ms,
                retry_after_ms=round(retry_after_s * 1000),
            )
        )

    def _attributes(self, candidate: router_pb2.Candidate) -> dict[str, str | int]:
        return {
            semconv.GEN_AI_OPERATION: self.exchange.endpoint.operation,
            semconv.GEN_AI_PROVIDER: self.channel.provider,
            semconv.GEN_AI_REQUEST_MODEL: candidate.upstream_model,
            semconv.CHANNEL_ID: self.channel.id,
            semconv.UPSTREAM_DIALECT: candidate.dialect,
            semconv.REASON: candidate.reason,
        }
