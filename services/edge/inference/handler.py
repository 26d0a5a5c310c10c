"""Serves the hot paths: one request from its head to its bill.

It decides the order of the steps, and that a request which was let in is always settled. It must not know how any step
is done.
"""

import functools
import time
from collections.abc import Mapping
from typing import Any

from oneapi.catalog.types import OPERATOR_ACCOUNT_ID
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.recognition import is_foreign, spoken
from oneapi.dialects.registry import DIALECTS
from oneapi.dialects.request import RequestFacts, decode
from oneapi.runtime import semconv
from oneapi.runtime.asgi import Receive, Scope, Send
from oneapi.runtime.door.body import read_body
from oneapi.runtime.door.protocol import CLIENT_KEY
from oneapi.runtime.metrics import counter, histogram
from oneapi.runtime.telemetry import HeadSampler
from services.edge import refusals
from services.edge.answers import send_error
from services.edge.arrival import Arrival
from services.edge.authentication import Authenticator
from services.edge.deadlines import Deadlines
from services.edge.inference import settling
from services.edge.inference.addressed import Addressed, AsList
from services.edge.inference.admission import Admission, longest_s
from services.edge.inference.counting import Counting
from services.edge.inference.endpoints import CONVERSATIONS, Endpoint
from services.edge.inference.exchange import Exchange
from services.edge.inference.interruption import Reason
from services.edge.inference.links import check_links
from services.edge.inference.offers import INPUT_BUCKETS, OUTPUT_BUCKETS
from services.edge.inference.references import check_references
from services.edge.inference.relay import CANCEL, Relay, settle_by_meter
from services.edge.inference.remembering import Memory
from services.edge.inference.tracing import RequestTrace
from services.edge.load import Load

REQUESTS = counter(semconv.METRIC_REQUESTS, "Requests to models, by endpoint and status", ("endpoint", "status"))
_requests = functools.cache(REQUESTS.labels)
SECONDS = histogram(semconv.METRIC_REQUEST_SECONDS, "From a request's arrival to its end")
OVERHEAD = histogram(semconv.METRIC_OVERHEAD_SECONDS, "From a request's arrival to the call of a provider")
JSON_TYPE = b"application/json"
_NO_JSON = frozenset({"invalid_json", "json_too_complex"})


class Inference:
    """The requests to models of this process."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        admission: Admission,
        relay: Relay,
        counting: Counting,
        memory: Memory,
        sampler: HeadSampler,
        load: Load,
        body_limit: int,
        allow_private: bool,
    ) -> None:
        self._authenticator = authenticator
        self._admission = admission
        self._relay = relay
        self._counting = counting
        self._memory = memory
        self._sampler = sampler
        self._load = load
        self._body_limit = body_limit
        self._allow_private = allow_private
        self._open: set[Exchange] = set()
        self._deadlines: dict[float, Deadlines] = {}

    def stop_all(self, reason: Reason) -> None:
        """Stops every request that is being served, each with a true bill."""
        for exchange in tuple(self._open):
            exchange.interruption.stop(reason)

    async def serve(
        self,
        arrival: Arrival,
        endpoint: Endpoint,
        scope: Scope,
        receive: Receive,
        send: Send,
        addressed: Addressed | None = None,
    ) -> None:
        """Answers one request; `addressed` where its address says what others' bodies do. Raises ClientGone when the
        client left before it was complete."""
        trace = RequestTrace(self._sampler, arrival.head.traceparent)
        stream = AsList(send) if addressed is not None and addressed.stream and not addressed.events else send
        dialect = DIALECTS[endpoint.dialect]
        exchange = Exchange(arrival, endpoint, dialect, scope[CLIENT_KEY], stream, trace, addressed)
        self._open.add(exchange)
        status = 0
        try:
            await self._steps(exchange, receive)
            status = 200
        except GatewayError as error:
            status = error.status
            timing = (b"server-timing", exchange.timing.header())
            await send_error(send, exchange.endpoint.path, error, arrival.request_id, more=(timing,))
        finally:
            self._open.discard(exchange)
            self._count(exchange, status)

    async def _steps(self, exchange: Exchange, receive: Receive) -> None:
        head = exchange.arrival.head
        exchange.caller = await self._authenticator.authenticate(head.credential, exchange.arrival.address)
        exchange.timing.authenticated()
        if head.content_encoding:
            raise refusals.unsupported_content_encoding()
        if head.content_type.partition(b";")[0].strip().lower() != JSON_TYPE:
            raise refusals.unsupported_content_type()
        exchange.strict = _strict(exchange.arrival.strict, exchange.key.strict)
        exchange.body = await read_body(receive, head.content_length, self._body_limit)
        since_s = self._load.wait()
        try:
            if exchange.endpoint.counts:
                self._counting.complete(exchange)
            exchange.facts = _inspected(exchange)
            await self._memory.begin(exchange)
            facts = exchange.facts
            check_links(facts.raw, allow_private=self._allow_private)
            if exchange.account.id != OPERATOR_ACCOUNT_ID:
                check_references(facts.raw)
            admit = self._admission.admit_free if exchange.endpoint.counts else self._admission.admit
            plan = await admit(exchange)
        finally:
            self._load.proceed(since_s)
        client = exchange.client
        deadlines = self._deadlines_after(longest_s(exchange))
        deadlines.add(exchange.interruption)
        if exchange.key.disconnect == CANCEL:
            client.on_gone = lambda: exchange.interruption.stop(Reason.CLIENT_GONE)
            if client.gone:
                client.on_gone()
        try:
            await (self._counting if exchange.endpoint.counts else self._relay).run(exchange, plan)
        finally:
            client.on_gone = None
            deadlines.remove(exchange.interruption)
            if not exchange.settler.finished:
                # Cancelled from outside, or a mistake of ours: what was delivered is billed all the same.
                called = bool(exchange.settler.hold.attempts)
                settle_by_meter(exchange, settling.UPSTREAM_CUT if called else settling.VOID, status=0)

    def _deadlines_after(self, limit_s: float) -> Deadlines:
        found = self._deadlines.get(limit_s)
        if found is None:
            found = self._deadlines[limit_s] = Deadlines(limit_s)
        return found

    @staticmethod
    def _count(exchange: Exchange, status: int) -> None:
        timing = exchange.timing
        _requests(exchange.endpoint.name, status or "none").inc()
        SECONDS.observe(time.perf_counter() - timing.started_s)
        if timing.upstream_from_s:
            OVERHEAD.observe(timing.upstream_from_s - timing.started_s)
        trace = exchange.trace
        if trace.recording:
            trace.add(_attributes(exchange, status))
            trace.end(error=str(status) if status >= 500 else "")


def _inspected(exchange: Exchange) -> RequestFacts:
    """The facts, as the format has them that the body is written in. Raises GatewayError 400."""
    addressed = exchange.addressed
    if addressed is not None:
        return exchange.dialect.inspect(exchange.body, model=addressed.model, stream=addressed.stream)
    try:
        facts = exchange.dialect.inspect(exchange.body)
    except GatewayError as refused:
        if refused.code in _NO_JSON or not _may_move(exchange) or not _moved(exchange, decode(exchange.body)):
            raise
        return exchange.dialect.inspect(exchange.body)
    if is_foreign(exchange.dialect.name, facts.raw) and _may_move(exchange) and _moved(exchange, facts.raw):
        return exchange.dialect.inspect(exchange.body)
    return facts


def _may_move(exchange: Exchange) -> bool:
    """Whether another format's address has the same to offer."""
    return not exchange.endpoint.counts and not exchange.endpoint.compacts


def _moved(exchange: Exchange, raw: Mapping[str, Any]) -> bool:
    """Whether the body is of another format; if so the exchange goes on as if it had come to that one's address."""
    found = CONVERSATIONS.get(spoken(exchange.dialect.name, raw))
    if found is None or found is exchange.endpoint:
        return False
    exchange.endpoint, exchange.dialect = found, DIALECTS[found.dialect]
    return True


def _strict(value: str, of_key: bool) -> bool:
    """What the header says, else the key. Raises GatewayError 400: a client that means it mustn't be taken at less than
    its word."""
    if value not in {"", "0", "1"}:
        raise refusals.invalid_strict()
    return value == "1" if value else of_key


def _attributes(exchange: Exchange, status: int) -> dict[str, str | int | bool]:
    """What the request's span says."""
    said: dict[str, str | int | bool] = {
        semconv.REQUEST_ID: exchange.arrival.request_id,
        semconv.GEN_AI_OPERATION: exchange.endpoint.operation,
        semconv.HTTP_METHOD: "POST",
        semconv.HTTP_ROUTE: exchange.endpoint.path.decode(),
        semconv.HTTP_STATUS: status,
        semconv.ENDPOINT: exchange.endpoint.name,
        semconv.DIALECT: exchange.dialect.name,
    }
    if hasattr(exchange, "caller"):
        said |= {
            semconv.ACCOUNT_ID: exchange.account.id,
            semconv.KEY_ID: exchange.key.id,
            semconv.USER_ID: exchange.key.user_id,
        }
    if hasattr(exchange, "facts"):
        said[semconv.STREAM] = exchange.facts.stream
    if hasattr(exchange, "offer"):
        # Only of a model that there is: anything else is the client's own words.
        said[semconv.GEN_AI_REQUEST_MODEL] = exchange.facts.model
    if hasattr(exchange, "settler"):
        hold, charge = exchange.settler.hold, exchange.settler.charge
        said |= {
            semconv.RESERVED_NANO_USD: hold.reserved_nano,
            semconv.ATTEMPTS: len(hold.attempts),
            semconv.CHANNEL_ID: exchange.channel_id,
            semconv.FIRST_BYTE_MS: exchange.timing.first_byte_ms,
            semconv.COST_NANO_USD: charge.amount_nano if charge is not None else 0,
            **_tokens(exchange.settler.usage),
        }
    return said


def _tokens(usage: Mapping[str, int]) -> dict[str, int]:
    """Usage by OpenTelemetry's conventions, whose input and output hold all of their parts."""
    return {
        semconv.GEN_AI_INPUT_TOKENS: sum(usage.get(bucket, 0) for bucket in INPUT_BUCKETS),
        semconv.GEN_AI_OUTPUT_TOKENS: sum(usage.get(bucket, 0) for bucket in OUTPUT_BUCKETS),
    }
